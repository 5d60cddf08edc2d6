// Local editors and readers that run while a path is published. No luck is waited for: every loop
// has a fixed count, and what is checked holds for each interleaving.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "posix/disk_world.h"
#include "posix/kept_versions.h"
#include "support/files.h"
#include "support/paths.h"

namespace dagsync {
namespace {

constexpr int kSaves = 2000;
constexpr int kMostSaves = 3 * kSaves;
constexpr int kSyncEvery = 20;
constexpr std::size_t kContentBytes = 6000;  // more than a page

// "<who> <number>\n" again and again, so that a torn content is seen.
std::string content(const std::string& who, int number) {
  const std::string line = who + " " + std::to_string(number) + "\n";
  std::string bytes;
  while (bytes.size() + line.size() <= kContentBytes)
    bytes += line;
  return bytes;
}

bool is_whole(const std::string& bytes) {
  const std::size_t end = bytes.find('\n');
  if (end == std::string::npos) return false;
  const std::string line = bytes.substr(0, end + 1);
  if (bytes.size() + line.size() <= kContentBytes) return false;
  for (std::size_t at = 0; at < bytes.size(); at += line.size())
    if (bytes.compare(at, line.size(), line) != 0) return false;
  return true;
}

std::string first_line(const std::string& bytes) {
  return bytes.substr(0, bytes.find('\n'));
}

// What one publisher does with one path until `stop`: looks, and puts a new content over what it
// saw. Counts how often that worked.
void publish_until(DiskWorld& world, const std::atomic<bool>& stop, std::atomic<int>& done) {
  for (int number = 0; !stop; ++number) {
    const auto expected = world.look("a.py");
    const auto published = world.publish(
        "a.py", expected, world.staged_file(content("mesh", number)), KeptVersions::fresh_id());
    REQUIRE_MESSAGE(published.has_value(), (published ? "" : published.error().message));
    if (published->outcome == PublishOutcome::kDone) ++done;
    if (number % kSyncEvery == 0) REQUIRE(world.disk().sync({}));
  }
}

// The first lines of everything that is live or kept.
std::set<std::string> all_contents(DiskWorld& world) {
  std::set<std::string> lines{first_line(world.read("a.py"))};
  const auto kept = world.disk().list_kept().value();
  for (const KeptId& id : kept)
    lines.insert(first_line(world.kept(id)));
  return lines;
}

// Returns the content that it overwrites itself.
std::string overwrite_in_place(const DiskWorld& world, const std::string& bytes) {
  const int fd = ::open(world.real("a.py").c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(fd >= 0);
  std::string before(kContentBytes, '\0');
  const ssize_t size = ::pread(fd, before.data(), before.size(), 0);
  REQUIRE(size > 0);
  before.resize(static_cast<std::size_t>(size));
  REQUIRE(::ftruncate(fd, 0) == 0);
  REQUIRE(::pwrite(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  REQUIRE(::close(fd) == 0);
  return before;
}

// Exchanges, so that it knows what it takes away itself, and returns that.
std::string save_by_rename(const DiskWorld& world, const std::string& bytes) {
  world.write("tmp", bytes);
  REQUIRE(::renameat2(AT_FDCWD, world.real("tmp").c_str(), AT_FDCWD, world.real("a.py").c_str(),
                      RENAME_EXCHANGE) == 0);
  const std::string before = world.read("tmp");
  REQUIRE(::unlink(world.real("tmp").c_str()) == 0);
  return before;
}

}  // namespace

TEST_CASE("every content that an editor saves while its file is published is live or kept") {
  for (const auto save : {save_by_rename, overwrite_in_place}) {
    CAPTURE(save == save_by_rename);
    DAGSYNC_ON_EACH(safe_grounds(), world) {
      world.write("a.py", content("start", 0));
      std::atomic<bool> stop{false};
      std::set<std::string> overwritten;  // by the editor itself
      std::atomic<int> published{0};
      int saves = 0;
      // Who writes without a pause may leave none in which to publish: then some more, with pauses.
      std::thread editor([&] {
        for (; saves < kSaves || (published == 0 && saves < kMostSaves); ++saves) {
          overwritten.insert(first_line(save(world, content("editor", saves))));
          if (saves >= kSaves) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        stop = true;
      });
      publish_until(world, stop, published);
      editor.join();
      REQUIRE(world.disk().sync({}));
      const auto contents = all_contents(world);
      int missing = 0;
      for (int number = 0; number < saves; ++number) {
        const std::string line = first_line(content("editor", number));
        if (!contents.contains(line) && !overwritten.contains(line)) ++missing;
      }
      CHECK(missing == 0);
      // The youngest of all is live or was replaced by a publication that had seen it.
      CHECK(contents.contains(first_line(content("editor", saves - 1))));
      CHECK(published > 0);
      const auto kept = world.disk().list_kept().value();
      for (const KeptId& id : kept)
        CHECK(is_whole(world.kept(id)));
      CHECK(world.leftovers().empty());
    }
  }
}

TEST_CASE("a reader never finds the name missing nor a torn content") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    world.write("a.py", content("start", 0));
    std::atomic<bool> stop{false};
    int reads = 0;
    int missing = 0;
    int torn = 0;
    std::thread reader([&] {
      while (!stop) {
        std::ifstream file(world.real("a.py"), std::ios::binary);
        if (!file.is_open()) {
          ++missing;
          continue;
        }
        const std::string bytes = read_rest(file);
        if (!is_whole(bytes)) ++torn;
        ++reads;
      }
    });
    for (int number = 0; number < kSaves; ++number) {
      const auto done =
          world.publish("a.py", world.look("a.py"), world.staged_file(content("mesh", number)),
                        number % 2 == 0 ? std::optional(KeptVersions::fresh_id()) : std::nullopt);
      REQUIRE(done.has_value());
      REQUIRE(done->outcome == PublishOutcome::kDone);
    }
    stop = true;
    reader.join();
    CHECK(missing == 0);
    CHECK(torn == 0);
    CHECK(reads > 0);
  }
}

TEST_CASE("a mode that a person sets while another one is published is not taken for that one") {
  DiskWorld world;
  world.write("a.py", "x");
  std::atomic<bool> stop{false};
  std::thread person([&] {
    for (std::uint32_t mode = 0; !stop; mode = (mode + 1) % 64)
      world.chmod("a.py", 0600 + mode);
  });
  int done = 0;
  int taken = 0;
  for (int number = 0; number < 10 * kSaves; ++number) {
    const auto seen = world.look("a.py");
    const std::uint32_t mode = number % 2 == 0 ? 0640 : 0660;
    const auto set = world.disk().set_attributes(path("a.py"), *seen, {mode, {}, {}});
    if (!set || set->outcome != PublishOutcome::kDone) continue;
    ++done;
    // The mode of before may also be that of a file system which sets none.
    if (set->now->mode != mode && set->now->mode != seen->mode) ++taken;
  }
  stop = true;
  person.join();
  CHECK(done > 0);
  CHECK(taken == 0);
}

TEST_CASE("a symlink that is swapped in for a parent leads nothing out of the folder") {
  DAGSYNC_ON_EACH(safe_grounds(), world) {
    TempDirectory outside(temp_root());
    world.mkdir("real");
    REQUIRE(::symlink(outside.path().c_str(), world.real("trap").c_str()) == 0);
    std::atomic<bool> stop{false};
    std::thread attacker([&] {
      while (!stop)
        ::renameat2(AT_FDCWD, world.real("real").c_str(), AT_FDCWD, world.real("trap").c_str(),
                    RENAME_EXCHANGE);
    });
    int inside = 0;
    for (int number = 0; number < kSaves; ++number) {
      const RelPath path = DiskWorld::path("real/" + std::to_string(number));
      const auto done = world.disk().publish(path, std::nullopt, world.staged_file("x"),
                                             std::nullopt, is_compiled);
      if (done.has_value()) ++inside;
    }
    stop = true;
    attacker.join();
    CHECK(inside > 0);
    CHECK(DiskWorld::names_under(outside.path()).empty());
  }
}

}  // namespace dagsync
