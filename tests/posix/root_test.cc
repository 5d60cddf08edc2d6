#include <doctest/doctest.h>

#include <cstdlib>

#include "posix/disk_world.h"

namespace dagsync {
namespace {

PosixDisk::Options options_for(const TempDirectory& base) {
  PosixDisk::Options options;
  options.root = base.path() + "/dags";
  options.state_dir = base.path() + "/state";
  return options;
}

// A mount of our own, where we may mount at all.
class Mounted {
 public:
  explicit Mounted(const std::string& what) : at_(temp_root()) {
    if (::geteuid() != 0) return;
    mounted_ = std::system(("mount " + what + " '" + at_.path() + "' 2>/dev/null").c_str()) == 0;
  }
  ~Mounted() {
    if (mounted_) CHECK(std::system(("umount '" + at_.path() + "'").c_str()) == 0);
  }
  [[nodiscard]] bool is_there() const { return mounted_; }
  [[nodiscard]] const std::string& path() const { return at_.path(); }

 private:
  TempDirectory at_;
  bool mounted_ = false;
};

}  // namespace

TEST_CASE("a root gets a marker once, and keeps it") {
  DiskWorld world;
  const auto plain = world.disk().identify_root(std::nullopt);
  REQUIRE(plain.has_value());
  CHECK(plain->marker.empty());
  const auto marked = world.disk().identify_root("first");
  REQUIRE(marked.has_value());
  if (marked->marker.empty()) return;  // the file system keeps no attributes
  CHECK(marked->marker == "first");
  CHECK(marked->inode == plain->inode);
  CHECK(marked->file_system == plain->file_system);
  CHECK(world.disk().identify_root("second").value() == *marked);
  world.restart();
  CHECK(world.disk().identify_root(std::nullopt).value() == *marked);
}

TEST_CASE("a folder may be missing at first and appear later") {
  TempDirectory base(temp_root());
  auto disk = PosixDisk::open(options_for(base));
  REQUIRE_MESSAGE(disk.has_value(), (disk ? "" : disk.error().message));
  const RelPath path = DiskWorld::path("a.py");
  CHECK(fails_with((*disk)->identify_root(std::nullopt), ErrorCode::kNotFound));
  CHECK(fails_with((*disk)->stat(path), ErrorCode::kNotFound));
  CHECK(fails_with((*disk)->stage_file(1), ErrorCode::kNotFound));
  CHECK(fails_with((*disk)->sync({path}), ErrorCode::kNotFound));
  REQUIRE(::mkdir((base.path() + "/dags").c_str(), 0755) == 0);
  // Not before somebody decided that it is the one.
  CHECK(fails_with((*disk)->stat(path), ErrorCode::kNotFound));
  CHECK((*disk)->identify_root(std::nullopt).has_value());
  CHECK_FALSE((*disk)->stat(path).value().has_value());
}

TEST_CASE("a folder that vanished or was replaced is noticed by every operation") {
  for (const bool replaced : {false, true}) {
    TempDirectory base(temp_root());
    const std::string root = base.path() + "/dags";
    REQUIRE(::mkdir(root.c_str(), 0755) == 0);
    auto disk = PosixDisk::open(options_for(base));
    REQUIRE(disk.has_value());
    std::ofstream(root + "/a.py") << "a";
    const RelPath path = DiskWorld::path("a.py");
    const auto state = (*disk)->stat(path).value();
    auto staged = (*disk)->stage_symlink("x", {});
    REQUIRE(staged.has_value());
    REQUIRE(::rename(root.c_str(), (base.path() + "/moved").c_str()) == 0);
    if (replaced) REQUIRE(::mkdir(root.c_str(), 0755) == 0);

    CHECK(fails_with((*disk)->stat(path), ErrorCode::kNotFound));
    CHECK(fails_with((*disk)->list(RelPath()), ErrorCode::kNotFound));
    CHECK(fails_with((*disk)->open(path), ErrorCode::kNotFound));
    CHECK(fails_with((*disk)->remove(path, *state, std::nullopt), ErrorCode::kNotFound));
    CHECK(fails_with((*disk)->remove_directory(path, is_compiled), ErrorCode::kNotFound));
    const auto done = (*disk)->publish(path, state, std::move(*staged), std::nullopt, is_compiled);
    CHECK(fails_with(done, ErrorCode::kNotFound));
    CHECK(DiskWorld::names_under(base.path() + "/moved") == std::vector<std::string>{"a.py"});
    CHECK((*disk)->identify_root(std::nullopt).has_value() == replaced);
    // The question does not make it ours; that takes somebody's decision, with a mark.
    CHECK(fails_with((*disk)->stat(path), ErrorCode::kNotFound));
    if (!replaced) continue;
    REQUIRE((*disk)->identify_root("another").has_value());
    CHECK_FALSE((*disk)->stat(path).value().has_value());
  }
}

TEST_CASE("a directory made anew is another one, even under the same inode number") {
  for (const std::string& where : {temp_root(), other_root()}) {
    if (where.empty()) continue;
    TempDirectory base(where);
    const std::string root = base.path() + "/dags";
    auto disk = PosixDisk::open(options_for(base));
    REQUIRE(disk.has_value());
    REQUIRE(::mkdir(root.c_str(), 0755) == 0);
    REQUIRE((*disk)->identify_root(std::nullopt).has_value());
    for (int i = 0; i < 100; ++i) {  // some file systems use a number again at once
      REQUIRE(::rmdir(root.c_str()) == 0);
      REQUIRE(::mkdir(root.c_str(), 0755) == 0);
      CHECK(fails_with((*disk)->list(RelPath()), ErrorCode::kNotFound));
    }
  }
}

TEST_CASE("a symlink at the root is an error that says what to do") {
  TempDirectory base(temp_root());
  REQUIRE(::mkdir((base.path() + "/real").c_str(), 0755) == 0);
  REQUIRE(::symlink("real", (base.path() + "/dags").c_str()) == 0);
  const auto disk = PosixDisk::open(options_for(base));
  REQUIRE_FALSE(disk.has_value());
  CHECK(fails_with(disk, ErrorCode::kInvalid));
  CHECK(disk.error().message.find("symlink") != std::string::npos);
}

TEST_CASE("a folder under a bind mount is another file system") {
  TempDirectory base(temp_root());
  const Mounted mounted("--bind '" + base.path() + "'");
  if (!mounted.is_there()) return;
  PosixDisk::Options options = options_for(base);
  options.root = mounted.path() + "/dags";
  REQUIRE(::mkdir(options.root.c_str(), 0755) == 0);
  auto disk = PosixDisk::open(options);
  REQUIRE(disk.has_value());
  CHECK((*disk)->other_file_system());
  auto staged = (*disk)->stage_file(1);
  REQUIRE(staged.has_value());
  REQUIRE((*staged)->append("x").has_value());
  REQUIRE((*staged)->finish({0644, UnixNanos{1}, {}}).has_value());
  const auto done = (*disk)->publish(DiskWorld::path("a.py"), std::nullopt, std::move(*staged),
                                     std::nullopt, is_compiled);
  REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
  CHECK(done->outcome == PublishOutcome::kDone);
}

TEST_CASE("a full file system is an error that says what to do, and changes nothing") {
  for (const bool apart : {false, true}) {
    TempDirectory base(temp_root());
    const Mounted mounted("-t tmpfs -o size=2m none");
    if (!mounted.is_there()) return;
    PosixDisk::Options options = options_for(base);
    options.root = mounted.path() + "/dags";
    if (!apart) options.state_dir = mounted.path() + "/state";
    REQUIRE(::mkdir(options.root.c_str(), 0755) == 0);
    std::ofstream(options.root + "/a.py") << "old";
    auto disk = PosixDisk::open(options);
    REQUIRE(disk.has_value());
    const auto reserved = (*disk)->stage_file(3 << 20);
    CHECK(fails_with(reserved, ErrorCode::kNoSpace));
    auto grown = (*disk)->stage_file(0);
    REQUIRE(grown.has_value());
    const auto appended = (*grown)->append(std::string(3 << 20, 'x'));
    CHECK(fails_with(appended, ErrorCode::kNoSpace));
    CHECK(appended.error().message.find("free space") != std::string::npos);
    grown->reset();
    CHECK((*disk)->stage_file(1 << 20).has_value());  // what was staged is gone
    CHECK((*disk)->stat(DiskWorld::path("a.py")).value()->size == 3);
  }
}

TEST_CASE("the state directory is the daemon's alone") {
  DiskWorld world;
  for (const char* name : {"", "staging", "versions"}) {
    struct stat seen {};
    REQUIRE(::stat(world.state(name).c_str(), &seen) == 0);
    CHECK((seen.st_mode & 0777) == 0700);
  }
}

}  // namespace dagsync
