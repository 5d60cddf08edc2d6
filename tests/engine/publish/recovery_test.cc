// After an unclean stop: what the disk shows at a path that was being published.
#include <algorithm>

#include "recovery_world.h"

using namespace dagsync;

TEST_CASE("nothing to recover writes nothing") {
  RecoveryWorld world;
  world.image.entries.emplace_back(DiskWorld::path("a.py"), world.entry_of(world.old));
  world.run();
  CHECK(world.writes.writes.empty());
  CHECK(world.image.entries.size() == 1);
}

TEST_CASE("a path that shows what was intended has it") {
  RecoveryWorld world;
  world.intend(world.old);
  world.write("a.py", "new!", kNewTime);
  world.run();
  REQUIRE(world.entry() != nullptr);
  CHECK(world.entry()->record == world.intended);
  CHECK(world.entry()->id == world.intended.origin);
  CHECK(world.entry()->disk == world.disk.look("a.py"));
  CHECK_FALSE(world.is_edit());
  CHECK(describe(world.writes) == "put a.py, clear a.py");
  CHECK(world.image.intents.empty());
}

TEST_CASE("a new name that shows what was intended has it, too") {
  RecoveryWorld world;
  world.intend(std::nullopt);
  world.write("a.py", "new!", kNewTime);
  world.run();
  REQUIRE(world.entry() != nullptr);
  CHECK(world.entry()->record == world.intended);
  CHECK_FALSE(world.is_edit());
}

TEST_CASE("a path that shows the old content is no edit: the intended one will come again") {
  RecoveryWorld world;
  world.intend(world.old);
  world.write("a.py", "old", kOldTime);
  world.run();
  CHECK(world.entry()->record == world.old);
  CHECK(world.entry()->id == world.old.origin);
  CHECK(world.entry()->disk == world.disk.look("a.py"));
  CHECK_FALSE(world.is_edit());
}

TEST_CASE("the old bytes with other attributes are no edit") {
  RecoveryWorld world;
  SUBCASE("other bytes were to come") {}
  SUBCASE("only the attributes were to change") {
    world.intended = edit("b", 1, file_content("old", kNewTime), kNewTime, &world.old);
  }
  world.intend(world.old);
  world.write("a.py", "old", kOtherTime);
  world.run();
  CHECK(world.entry()->record == world.old);
  // The comparison that follows reads it, and its ctime says that it is no edit.
  CHECK(world.entry()->disk->racy);
  CHECK(world.entry()->disk->ctime == world.disk.look("a.py")->ctime);
}

TEST_CASE("who changes only attributes after the rename has seen what it brought") {
  RecoveryWorld world;
  SUBCASE("over something else") {
    world.intend(world.old);
  }
  SUBCASE("under a new name") {
    world.intend(std::nullopt);
  }
  world.write("a.py", "new!", kOtherTime);
  world.run();
  CHECK(world.entry()->record.version.has_seen(world.intended.version));
  CHECK(world.is_edit());
}

TEST_CASE("who gives a symlink another time after the rename has seen what it brought, too") {
  RecoveryWorld world;
  world.intended = edit("b", 1, symlink_content("new", kNewTime), kNewTime);
  world.intend(std::nullopt);
  REQUIRE(::symlink("new", world.disk.real("a.py").c_str()) == 0);
  SUBCASE("by touch") {
    world.set_mtime("a.py", kOtherTime);
    world.run();
    REQUIRE(world.entry() != nullptr);
    CHECK(world.entry()->record.version.has_seen(world.intended.version));
  }
  SUBCASE("but one that has the time when it was made has none of its own yet") {
    world.run();
    CHECK(world.entry() == nullptr);
  }
}

TEST_CASE("a real edit stays one") {
  RecoveryWorld world;
  SUBCASE("of a file that was there") {
    world.intend(world.old);
  }
  SUBCASE("of a new name") {
    world.intend(std::nullopt);
  }
  world.write("a.py", "mine", kOtherTime);
  world.run();
  // Nobody can tell whether it was made in sight of the intended version: then it must not lose.
  CHECK(world.entry()->record.version.has_seen(world.intended.version));
  CHECK(world.is_edit());
  CHECK(world.disk.read("a.py") == "mine");
}

TEST_CASE("an edit whose row was written after the intent stands on that row") {
  struct Shown {
    const char* bytes;
    std::int64_t mtime;
  };
  for (const bool after_rename : {false, true}) {
    for (const Shown shown :
         {Shown{"mine", kOtherTime}, {"again", kOtherTime}, {"old", kOldTime}}) {
      CAPTURE(after_rename);
      CAPTURE(shown.bytes);
      RecoveryWorld world;
      world.intend(world.old);
      const Record& base = after_rename ? world.intended : world.old;
      const Record mine = edit("c", 1, file_content("mine", kOtherTime), kOtherTime, &base);
      world.image.entries[0].second = world.entry_of(mine);
      world.write("a.py", shown.bytes, shown.mtime);
      world.run();
      CHECK(world.entry()->record == mine);
      CHECK(world.is_edit() == (std::string(shown.bytes) != "mine"));
      CHECK(world.image.intents.empty());
    }
  }
}

TEST_CASE("a row that is older than the intent gives way to what the intent remembers") {
  RecoveryWorld world;
  world.intend(world.old);
  world.image.entries[0].second = world.entry_of(edit("z", 1, file_content("x", 1), 1));
  world.write("a.py", "old", kOldTime);
  world.run();
  CHECK(world.entry()->record == world.old);
  CHECK_FALSE(world.is_edit());
}

TEST_CASE("who edits after the rename has seen what it brought") {
  RecoveryWorld world;
  const KeptId id = kept_id(1);
  world.write("a.py", "old", kOldTime);
  world.intend(world.old);
  Intent& intent = world.image.intents[0];
  intent.old->disk = world.disk.look("a.py");
  intent.kept = KeptVersion{id,       DiskWorld::path("a.py"),       world.old.content, {"a"},
                            kRestart, KeptVersion::Reason::kReplaced};
  REQUIRE(world.disk.publish("a.py", world.disk.look("a.py"),
                             world.disk.staged_file("new!", 0644, {kNewTime}), id));
  world.write("a.py", "mine", kOtherTime);
  world.run();
  CHECK(world.entry()->record == world.intended);
  CHECK(world.entry()->id == world.intended.origin);
  CHECK(world.is_edit());
}

TEST_CASE("where something else stood than the index has, that is looked at again") {
  RecoveryWorld world;
  world.intend(world.old);
  world.image.intents[0].old->record.content = file_content("drift", kOtherTime);
  world.write("a.py", "drift", kOtherTime);
  world.run();
  CHECK(world.entry()->record == world.old);
  CHECK(world.is_edit());
}

TEST_CASE("what was to come again and did not is no delete") {
  RecoveryWorld world;
  world.intend(world.old);
  world.image.intents[0].intended = {DiskWorld::path("a.py"), world.old.origin, world.old};
  world.image.intents[0].old->record.content = {};  // nothing stood there
  SUBCASE("though its row had come") {
    world.image.intents[0].old = world.entry_of(world.old);
    world.image.intents[0].old->disk.reset();
  }
  SUBCASE("though it was made here, and its row had come") {
    world.image.intents[0].old = world.entry_of(world.old);
    world.image.intents[0].old->disk.reset();
    world.image.meta.author = world.old.origin.author;
  }
  world.run();
  CHECK(world.entry()->record == world.old);
  CHECK_FALSE(world.entry()->disk.has_value());
}

TEST_CASE("a delete that was under way") {
  RecoveryWorld world;
  world.intended = edit("b", 1, {}, kNewTime, &world.old);
  world.intend(world.old);
  SUBCASE("and done") {
    world.run();
    CHECK(world.entry()->record == world.intended);
    CHECK(world.entry()->disk.has_value());  // when nothing stood there
  }
  SUBCASE("and not begun") {
    world.write("a.py", "old", kOldTime);
    world.run();
    CHECK(world.entry()->record == world.old);
    CHECK(world.entry()->disk == world.disk.look("a.py"));
  }
  CHECK_FALSE(world.is_edit());
}

TEST_CASE("a new name that was not published yet is nothing") {
  RecoveryWorld world;
  world.intend(std::nullopt);
  world.run();
  CHECK(world.entry() == nullptr);
  CHECK_FALSE(world.is_edit());
  CHECK(describe(world.writes) == "drop a.py, clear a.py");
}

TEST_CASE("a kept version whose row is missing is adopted") {
  RecoveryWorld world;
  world.intend(world.old);
  const KeptId id = kept_id(1);
  world.image.intents[0].kept =
      KeptVersion{id,       DiskWorld::path("a.py"),       world.old.content, {"a"},
                  kRestart, KeptVersion::Reason::kReplaced};
  world.write("a.py", "old", kOldTime);
  SUBCASE("where it was made") {
    REQUIRE(world.disk.publish("a.py", world.disk.look("a.py"),
                               world.disk.staged_file("new!", 0644, {kNewTime}), id));
    SUBCASE("and not in the catalogue") {
      world.run();
      CHECK(describe(world.writes) == "put a.py, keep a.py, clear a.py");
    }
    SUBCASE("and in the catalogue") {
      world.image.kept.push_back(*world.image.intents[0].kept);
      world.run();
      CHECK(describe(world.writes) == "put a.py, clear a.py");
    }
    REQUIRE(world.image.kept.size() == 1);
    CHECK(world.disk.kept(world.image.kept[0].id) == "old");
    CHECK(world.entry()->record == world.intended);
  }
  SUBCASE("where it was not") {
    world.run();
    CHECK(world.image.kept.empty());
    CHECK(describe(world.writes) == "put a.py, clear a.py");
  }
}

TEST_CASE("each path is judged on its own, and the others stay as they are") {
  RecoveryWorld world;
  world.image.entries.emplace_back(DiskWorld::path("0.py"), world.entry_of(world.old));
  world.intend(world.old);
  world.image.entries.emplace_back(DiskWorld::path("z.py"), world.entry_of(world.old));
  world.write("a.py", "new!", kNewTime);
  world.run();
  REQUIRE(world.image.entries.size() == 3);
  CHECK(world.image.entries[0].first == DiskWorld::path("0.py"));
  CHECK(world.image.entries[0].second == world.entry_of(world.old));
  CHECK(world.image.entries[2].second == world.entry_of(world.old));
}

TEST_CASE("an intent stays until its path shows what the row says") {
  RecoveryWorld world;
  world.intend(world.old);
  SUBCASE("half of the new content") {
    world.write("a.py", "", kNewTime);
    world.run();
    CHECK(world.doubtful == std::vector{DiskWorld::path("a.py")});
    CHECK(describe(world.writes) == "put a.py");
  }
  SUBCASE("the old one") {
    world.write("a.py", "old", kOldTime);
    world.run();
    CHECK(world.doubtful.empty());
    CHECK(describe(world.writes) == "put a.py, clear a.py");
  }
}

TEST_CASE("what a failing disk says nothing of is not judged yet") {
  RecoveryWorld world;
  std::string fails;
  SUBCASE("whether anything stands there") {
    world.intended.content = Content();
    fails = "stat";
  }
  SUBCASE("what stands there, be it torn") {
    world.write("a.py", "", kNewTime);
    fails = "read";
  }
  world.intend(world.old);
  std::vector<std::string> diary;
  NotingDisk failing(world.disk.disk(), diary);
  failing.refuse = [&](const std::string& step, const RelPath&) -> std::optional<Error> {
    if (step != fails) return std::nullopt;
    return Error{ErrorCode::kIo, "input/output error"};
  };
  world.run_on(failing);
  CHECK(world.doubtful == std::vector{DiskWorld::path("a.py")});
  CHECK(world.entry()->record == world.old);
  CHECK(describe(world.writes).find("clear") == std::string::npos);
}

TEST_CASE("what was put aside for a file in the place of its directory is no delete") {
  RecoveryWorld world;
  const RelPath below = DiskWorld::path("a.py/x");
  world.image.entries.emplace_back(below, world.entry_of(world.old));
  world.image.entries.emplace_back(DiskWorld::path("b.py"), world.entry_of(world.old));
  world.old = edit("a", 1, directory_content(0755), kOldTime);
  world.intend(world.old);
  REQUIRE(std::filesystem::create_directory(world.disk.real("a.py")));
  SUBCASE("where it is gone") {
    world.run();
    for (const auto& [path, entry] : world.image.entries) {
      if (path != DiskWorld::path("a.py")) CHECK(entry.disk.has_value() == (path != below));
    }
  }
  SUBCASE("and where it still stands, nothing happens to it") {
    world.disk.write("a.py/x", "old");
    world.run();
    for (const auto& [path, entry] : world.image.entries) {
      if (path == below) CHECK(entry.disk.has_value());
    }
  }
}

TEST_CASE("nor what was put aside for a file that was gone again before its row was written") {
  RecoveryWorld world;
  const RelPath below = DiskWorld::path("a.py/x");
  world.intended = edit("b", 1, {}, kNewTime, &world.old);
  world.intend(world.old);
  const auto row_below = [&] {
    const auto it = std::find_if(world.image.entries.begin(), world.image.entries.end(),
                                 [&](const auto& row) { return row.first == below; });
    REQUIRE(it != world.image.entries.end());
    return it->second;
  };
  SUBCASE("where the row is behind") {
    world.image.entries.clear();
    world.image.entries.emplace_back(below, world.entry_of(world.old));
    world.run();
    CHECK_FALSE(row_below().disk.has_value());
  }
  SUBCASE("and where it is not, that is a delete") {
    world.image.entries.emplace_back(below, world.entry_of(world.old));
    world.run();
    CHECK(row_below().disk.has_value());
  }
  SUBCASE("nor where it was a directory all the time") {
    world.image.entries.clear();
    world.image.entries.emplace_back(below, world.entry_of(world.old));
    world.image.intents[0].old->record.content = directory_content(0700);
    world.image.intents[0].intended.record.content = directory_content(0755);
    world.run();
    CHECK(row_below().disk.has_value());
  }
}

TEST_CASE("a merge that only this node has made gets a number of its own later") {
  RecoveryWorld world;
  world.old = edit("z", 1, file_content("old", kOldTime), kOldTime);  // not seen by the other
  world.intended = edit("b", 1, file_content("new!", kNewTime), kNewTime);
  world.intend(world.old);
  world.write("a.py", "new!", kNewTime);
  world.run();
  CHECK(world.entry()->record == reconcile(world.old, world.intended));
  CHECK(world.entry()->id == ChangeId{});
}
