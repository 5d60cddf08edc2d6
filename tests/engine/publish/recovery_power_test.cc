// What a power cut leaves of a change that was under way.
#include "recovery_world.h"

using namespace dagsync;

namespace {

// An edit that was made here, over `old`: its row is there.
void intend_own_edit(RecoveryWorld& world) {
  world.intend(world.old);
  world.image.meta.author = world.intended.origin.author;
  world.image.entries.clear();
  const RelPath& path = world.image.intents[0].path;
  world.image.entries.emplace_back(path, world.entry_of(world.intended));
}

}  // namespace

TEST_CASE("where an edit is lost with the power, what it replaced is no edit of now") {
  RecoveryWorld world;
  intend_own_edit(world);
  world.write("a.py", "old", kOldTime);
  SUBCASE("the machine went down") {
    world.image.meta.boot = "another";
    world.run();
    CHECK(world.entry()->record == world.old);
    CHECK_FALSE(world.is_edit());
  }
  SUBCASE("only the daemon did: then somebody has put it back") {
    world.image.meta.boot = world.disk.disk().boot();
    world.run();
    CHECK(world.entry()->record == world.intended);
    CHECK(world.is_edit());
  }
  CHECK(world.doubtful.empty());
}

TEST_CASE("an edit of which some bytes are left, with the times of before, is no edit of now") {
  RecoveryWorld world;
  intend_own_edit(world);
  world.image.meta.boot = "another";
  SUBCASE("some of them, and nobody has changed it since") {
    world.write("a.py", "ne", kOldTime);
    world.image.intents[0].old->disk = world.disk.look("a.py");
    world.run();
    CHECK(world.entry()->record == world.old);
    CHECK(world.doubtful == std::vector{DiskWorld::path("a.py")});
  }
  SUBCASE("all of them") {
    world.write("a.py", "new", kOldTime);
    world.image.intents[0].old->disk = world.disk.look("a.py");
    world.run();
    CHECK(world.entry()->record == world.old);
    CHECK(world.doubtful == std::vector{DiskWorld::path("a.py")});
  }
  SUBCASE("but where somebody has changed it since") {
    world.write("a.py", "ne", kOldTime);
    world.run();
    CHECK(world.entry()->record == world.intended);
    CHECK(world.is_edit());
    CHECK(world.doubtful.empty());
  }
}

TEST_CASE("an edit of which some bytes are left, with its own times, is no edit of now") {
  RecoveryWorld world;
  intend_own_edit(world);
  world.image.meta.boot = "another";
  const auto age_row = [&world](std::int64_t younger) {
    IndexEntry& row = world.image.entries[0].second;
    row.disk->ctime.value = world.disk.look("a.py")->ctime.value + younger;
  };
  SUBCASE("nobody has written into it since") {
    world.write("a.py", "ne", kNewTime);
    age_row(0);
    world.run();
    CHECK(world.entry()->record == world.old);
    CHECK(world.doubtful == std::vector{DiskWorld::path("a.py")});
  }
  SUBCASE("but where all of them are left, what else differs is one") {
    world.write("a.py", "new!", kNewTime);
    REQUIRE(::chmod(world.disk.real("a.py").c_str(), 0600) == 0);
    age_row(0);
    world.run();
    CHECK(world.entry()->record == world.intended);
    CHECK(world.is_edit());
    CHECK(world.doubtful.empty());
  }
  SUBCASE("and where somebody has put others there since, with their time, as tar does") {
    world.write("a.py", "ne", kNewTime);
    age_row(-1);
    world.run();
    CHECK(world.entry()->record == world.intended);
    CHECK(world.is_edit());
    CHECK(world.doubtful.empty());
  }
}

TEST_CASE("a torn write of ours is no edit") {
  RecoveryWorld world;
  world.intend(world.old);
  world.write("a.py", "", kNewTime);  // as a power cut leaves it
  world.run();
  CHECK(world.entry()->record == world.old);
  // The comparison that follows reads it, and its ctime says that it is no edit.
  CHECK(world.entry()->disk->racy);
  CHECK(world.entry()->disk->ctime == world.disk.look("a.py")->ctime);
}

TEST_CASE("a torn write under a new name is taken away, and kept") {
  RecoveryWorld world;
  SUBCASE("where nothing was before") {
    world.intend(std::nullopt);
  }
  SUBCASE("where something had been deleted") {
    world.intend(edit("a", 1, {}, kOldTime));
  }
  world.write("a.py", "ne", kNewTime);
  world.run();
  CHECK_FALSE(world.disk.exists("a.py"));
  CHECK_FALSE(world.is_edit());
  REQUIRE(world.image.kept.size() == 1);
  CHECK(world.disk.kept(world.image.kept[0].id) == "ne");
  CHECK(world.image.kept[0].path == DiskWorld::path("a.py"));
  CHECK(world.image.kept[0].content.digest == digest_of("ne"));
  CHECK(describe(world.writes).find("keep a.py") != std::string::npos);
}

TEST_CASE("half of what was published before is no edit either, where its delete was under way") {
  RecoveryWorld world;
  world.intended = edit("b", 1, {}, kNewTime, &world.old);
  world.intend(world.old);
  world.write("a.py", "", kOldTime);  // `old` was not synced yet
  world.run();
  CHECK(world.entry()->record == world.old);
  CHECK(world.doubtful == std::vector{DiskWorld::path("a.py")});
}

TEST_CASE("a file whose delete a power cut has undone is no edit, and is kept") {
  RecoveryWorld world;
  world.old = edit("a", 1, {}, kOldTime);
  world.intend(world.old);
  world.write("a.py", "new!", kOtherTime);
  Intent& intent = world.image.intents[0];
  const auto stands = world.disk.look("a.py");
  SUBCASE("gone after it was last changed") {
    intent.old->disk = seen_gone({stands->ctime.value + 1}, {});
    world.run();
    CHECK_FALSE(world.disk.exists("a.py"));
    CHECK(world.image.kept.size() == 1);
    CHECK_FALSE(world.is_edit());
  }
  SUBCASE("gone by a clock that was set back, and the same as before") {
    intent.old->disk = seen_gone({stands->ctime.value - 1}, *stands);
    world.run();
    CHECK_FALSE(world.disk.exists("a.py"));
    CHECK_FALSE(world.is_edit());
  }
  SUBCASE("but what was changed after it was gone is one") {
    intent.old->disk = seen_gone({stands->ctime.value - 1}, {});
    world.run();
    CHECK(world.disk.exists("a.py"));
    CHECK(world.is_edit());
  }
}

TEST_CASE("nor is one whose delete was undone where something was published since") {
  RecoveryWorld world;
  world.intend(std::nullopt);
  world.image.meta.boot = "another";
  world.write("a.py", "", kOtherTime);
  const auto stands = world.disk.look("a.py");
  IndexEntry row = world.entry_of(world.intended);
  SUBCASE("which is younger: it is no edit, and is kept") {
    row.disk->ctime.value = stands->ctime.value + 1;
    world.image.entries.emplace_back(DiskWorld::path("a.py"), row);
    world.run();
    CHECK_FALSE(world.disk.exists("a.py"));
    CHECK_FALSE(world.is_edit());
    CHECK(world.image.kept.size() == 1);
  }
  SUBCASE("but what was made after it is one") {
    row.disk->ctime.value = stands->ctime.value - 1;
    world.image.entries.emplace_back(DiskWorld::path("a.py"), row);
    world.run();
    CHECK(world.disk.exists("a.py"));
    CHECK(world.is_edit());
  }
}

TEST_CASE("what was judged torn stays so, whatever was to come there next") {
  RecoveryWorld world;
  world.intend(world.old);
  world.write("a.py", "", kOtherTime);  // of a third content, which the power cut took
  world.image.intents[0].old->disk = world.disk.look("a.py");
  SUBCASE("the machine went down") {
    world.image.meta.boot = "another";
    world.run();
    CHECK(world.entry()->record == world.old);
    CHECK(world.doubtful == std::vector{DiskWorld::path("a.py")});
  }
  SUBCASE("only the daemon did") {
    world.image.meta.boot = world.disk.disk().boot();
    world.run();
    CHECK(world.entry()->record != world.old);
    CHECK(world.doubtful.empty());
  }
}
