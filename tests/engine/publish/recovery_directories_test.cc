// After an unclean stop: the directories above a path that was being published.
#include "recovery_world.h"

using namespace dagsync;

namespace {

// d/e/a.py was being published, or deleted.
struct DirectoriesWorld : RecoveryWorld {
  DirectoriesWorld() {
    disk.mkdir("d");
    disk.mkdir("d/e");
    Intent intent;
    intent.path = DiskWorld::path("d/e/a.py");
    intent.intended = {intent.path, intended.origin, intended};
    image.intents.push_back(intent);
  }
  void record(const std::string& path) {
    IndexEntry entry = entry_of(edit("b", 2, directory_content(0755), kOldTime));
    entry.disk = disk.look(path);
    image.entries.emplace_back(DiskWorld::path(path), entry);
  }
};

}  // namespace

TEST_CASE("a directory that was made for what did not come is nobody's") {
  DirectoriesWorld world;
  SUBCASE("all of them") {
    world.run();
    CHECK_FALSE(world.disk.exists("d"));
  }
  SUBCASE("but not what the index has") {
    world.record("d");
    world.run();
    CHECK(world.disk.exists("d"));
    CHECK_FALSE(world.disk.exists("d/e"));
  }
  SUBCASE("nor what somebody put something into") {
    world.disk.write("d/e/mine.py", "mine");
    world.run();
    CHECK(world.disk.exists("d/e/mine.py"));
  }
}

TEST_CASE("a directory without a record that did not give way to a file yet is nobody's edit") {
  RecoveryWorld world;
  world.intend(std::nullopt);
  world.disk.mkdir("a.py");
  SUBCASE("where what is below still stands") {
    world.disk.write("a.py/below", "old");
    IndexEntry below = world.entry_of(world.old);
    below.disk = world.disk.look("a.py/below");
    world.image.entries.emplace_back(DiskWorld::path("a.py/below"), below);
    world.run();
    CHECK(world.entry() == nullptr);
  }
  SUBCASE("but where it was made anew") {
    world.run();
    REQUIRE(world.entry() != nullptr);
    CHECK(world.entry()->record == world.intended);
  }
}

TEST_CASE("a directory that went with the last in it, before its row, is nobody's delete") {
  DirectoriesWorld world;
  world.record("d");
  world.record("d/e");
  std::filesystem::remove(world.disk.real("d/e"));
  world.run();
  for (const auto& [path, entry] : world.image.entries)
    CHECK(entry.disk.has_value() == (path == DiskWorld::path("d")));
}

TEST_CASE("nor is the one above it, which went with it") {
  DirectoriesWorld world;
  world.record("d");
  world.record("d/e");
  std::filesystem::remove_all(world.disk.real("d"));
  world.run();
  for (const auto& [path, entry] : world.image.entries)
    CHECK_FALSE(entry.disk.has_value());
}
