#include <doctest/doctest.h>

#include "posix/disk_world.h"
#include "posix/mounted.h"

namespace dagsync {
namespace {

PosixDisk::Options options_for(const TempDirectory& base) {
  PosixDisk::Options options;
  options.root = base.path() + "/dags";
  options.state_dir = base.path() + "/state";
  return options;
}

}  // namespace

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

TEST_CASE("the state directory is the daemon's alone") {
  DiskWorld world;
  for (const char* name : {"", "staging", "versions"}) {
    struct stat seen {};
    REQUIRE(::stat(world.state(name).c_str(), &seen) == 0);
    CHECK((seen.st_mode & 0777) == 0700);
  }
}

}  // namespace dagsync
