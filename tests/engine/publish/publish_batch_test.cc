// One step of publishing, on a real disk.
#include "dagsync/engine/publish/publish_batch.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "engine/publish/batch_world.h"
#include "posix/unique_fd.h"

using namespace dagsync;

TEST_CASE("a small content is checked, staged and published whole") {
  BatchWorld world;
  world.add_file("a.py", "hello");
  world.run();
  CHECK(world.all_done() == "");
  CHECK(world.real.read("a.py") == "hello");
  const auto now = world.real.look("a.py");
  CHECK(now->mtime == UnixNanos{kTime});
  CHECK(now->mode == 0644);
  CHECK(world.results.items[0].published->now == now);
  CHECK(world.diary == Names{"durably: intend a.py", "publish a.py"});
}

TEST_CASE("a content that is not what was announced is refused, and nothing is changed") {
  BatchWorld world;
  const IndexEntry old = world.make_file("a.py", "old");
  world.add("a.py", file_content("right", kTime), old).bytes = std::string("wrong");
  world.add("b.py", file_content("right", kTime)).bytes = std::string("right but longer");
  world.add_file("c.py", "good");
  world.run();
  CHECK(fails_with(world.results.items[0].published, ErrorCode::kCorrupt));
  CHECK(fails_with(world.results.items[1].published, ErrorCode::kCorrupt));
  CHECK(world.real.read("a.py") == "old");
  CHECK_FALSE(world.real.exists("b.py"));
  CHECK(world.is_done(2));
  CHECK(world.steps() == Names{"publish c.py"});
}

TEST_CASE("a content that is not here fails by itself") {
  BatchWorld world;
  (void)world.add("a.py", file_content("x", kTime));
  world.add_file("b.py", "good");
  world.run();
  CHECK(fails_with(world.results.items[0].published, ErrorCode::kUnavailable));
  CHECK(world.is_done(1));
}

TEST_CASE("intents are durable before anything changes, or nothing does") {
  BatchWorld world;
  const IndexEntry old = world.make_file("a.py", "old");
  world.add_file("a.py", "new", old);
  world.store.failures = 1;
  world.run();
  CHECK_FALSE(world.results.intents.has_value());
  CHECK(world.real.read("a.py") == "old");
  CHECK(world.diary.empty());
}

TEST_CASE("an intent has the old record, the new one, and what becomes of the bytes") {
  BatchWorld world;
  const IndexEntry old = world.make_file("a.py", "old");
  world.add_file("a.py", "new", old);
  const Change change = world.batch.items[0].change;
  const auto kept = world.batch.items[0].kept;
  world.run();
  REQUIRE(world.store.commits.size() == 1);
  CHECK(world.store.commits[0].durability == Durability::kDurable);
  const auto& write = world.store.commits[0].transaction.writes.at(0);
  CHECK(std::get<Transaction::PutIntent>(write).intent == Intent{change.path, change, old, kept});
}

TEST_CASE("directories come from the top, then files, then deletes from the bottom") {
  BatchWorld world;
  const IndexEntry gone = world.make_directory("gone");
  const IndexEntry sub = world.make_directory("gone/sub");
  const IndexEntry file = world.make_file("gone/sub/x.py", "x");
  const IndexEntry other = world.make_file("b.py", "b");
  (void)world.add("gone", {}, gone);
  (void)world.add("gone/sub/x.py", {}, file);
  (void)world.add("gone/sub", {}, sub);
  (void)world.add("b.py", {}, other);
  world.add_file("new/sub/z.py", "z");
  world.add_file("a.py", "a");
  (void)world.add("new/sub", directory_content(0700));
  (void)world.add("new", directory_content(0755));
  world.run();
  CHECK(world.all_done() == "");
  CHECK(world.steps() == Names{"publish new", "publish new/sub", "publish a.py",
                               "publish new/sub/z.py", "remove gone/sub/x.py", "rmdir gone/sub",
                               "rmdir gone", "remove b.py"});
  CHECK(world.real.look("new/sub")->mode == 0700);
  CHECK_FALSE(world.real.exists("gone"));
}

TEST_CASE("directories that only children imply are made on the way") {
  BatchWorld world;
  world.add_file("d/e/a.py", "a");
  world.run();
  CHECK(world.all_done() == "");
  CHECK(world.real.read("d/e/a.py") == "a");
  CHECK(world.real.look("d")->mode == 0755);
}

TEST_CASE("a directory that stands there unrecorded only gets its mode") {
  BatchWorld world;
  world.real.mkdir("d");
  (void)world.add("d", directory_content(0711));
  world.run();
  CHECK(world.all_done() == "");
  CHECK(world.steps() == Names{"set d"});
  CHECK(world.real.look("d")->mode == 0711);
}

TEST_CASE("what is replaced and what is deleted becomes the kept version that was named") {
  BatchWorld world;
  const IndexEntry a = world.make_file("a.py", "old a");
  const IndexEntry b = world.make_file("b.py", "old b");
  world.add_file("a.py", "new a", a);
  (void)world.add("b.py", {}, b);
  world.run();
  CHECK(world.all_done() == "");
  CHECK(world.real.kept(kept_id(1)) == "old a");
  CHECK(world.real.kept(kept_id(2)) == "old b");
  CHECK(world.results.items[0].published->kept);
  CHECK(world.results.items[1].published->kept);
}

TEST_CASE("what was edited meanwhile is left alone") {
  BatchWorld world;
  const IndexEntry a = world.make_file("a.py", "old a");
  const IndexEntry b = world.make_file("b.py", "old b");
  const IndexEntry c = world.make_file("c.py", "old c");
  for (const char* name : {"a.py", "b.py", "c.py"})
    world.real.save_by_rename(name, "mine");
  world.real.write("new.py", "mine");
  world.add_file("a.py", "new", a);
  (void)world.add("b.py", {}, b);
  Content touched = c.record.content;
  touched.mtime = {kTime};
  world.add("c.py", touched, c).attributes_only = true;
  world.add_file("new.py", "new");
  world.run();
  for (const PublishResult& item : world.results.items) {
    CAPTURE(item.path.bytes());
    REQUIRE(item.published.has_value());
    CHECK(item.published->outcome == PublishOutcome::kChanged);
  }
  for (const char* name : {"a.py", "b.py", "c.py", "new.py"})
    CHECK(world.real.read(name) == "mine");
}

TEST_CASE("what somebody has open for writing is left alone") {
  BatchWorld world;
  const IndexEntry old = world.make_file("a.py", "old");
  const UniqueFd writer(::open(world.real.real("a.py").c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(writer.get() >= 0);
  world.add_file("a.py", "new", old);
  world.run();
  REQUIRE(world.results.items[0].published.has_value());
  CHECK(world.results.items[0].published->outcome == PublishOutcome::kBusy);
  CHECK(world.real.read("a.py") == "old");
}

TEST_CASE("attributes alone are set in place, and the bytes stay the same inode's") {
  BatchWorld world;
  const IndexEntry old = world.make_file("a.py", "same");
  Content content = file_content("same", kTime);
  content.mode = 0755;
  PublishItem& item = world.add("a.py", content, old);
  item.attributes_only = true;
  item.kept.reset();
  world.run();
  CHECK(world.all_done() == "");
  const auto now = world.real.look("a.py");
  CHECK(now->inode == old.disk->inode);
  CHECK(now->mode == 0755);
  CHECK(now->mtime == UnixNanos{kTime});
}

TEST_CASE("the delete of a file is no reason to remove a directory that took its place") {
  BatchWorld world;
  const IndexEntry old = world.make_file("d", "file");
  REQUIRE(::unlink(world.real.real("d").c_str()) == 0);
  world.real.mkdir("d");
  (void)world.add("d", {}, old);
  world.run();
  REQUIRE(world.results.items[0].published.has_value());
  CHECK(world.results.items[0].published->outcome == PublishOutcome::kChanged);
  CHECK(world.real.exists("d"));
}

TEST_CASE("a delete of what is gone already is done") {
  BatchWorld world;
  const IndexEntry old = world.make_file("a.py", "x");
  REQUIRE(::unlink(world.real.real("a.py").c_str()) == 0);
  (void)world.add("a.py", {}, old);
  (void)world.add("never.py", {});
  world.run();
  CHECK(world.all_done() == "");
}

TEST_CASE("a directory goes with what only we would ignore, and stays with anything else") {
  BatchWorld world;
  const IndexEntry compiled = world.make_directory("compiled");
  world.real.mkdir("compiled/__pycache__");
  world.real.write("compiled/__pycache__/x.cpython-311.pyc", "c");
  const IndexEntry personal = world.make_directory("personal");
  world.real.mkdir("personal/__pycache__");
  world.real.write("personal/notes.txt", "mine");
  (void)world.add("compiled", {}, compiled);
  (void)world.add("personal", {}, personal);
  world.run();
  CHECK(world.is_done(0));
  CHECK_FALSE(world.real.exists("compiled"));
  CHECK(fails_with(world.results.items[1].published, ErrorCode::kExists));
  CHECK(world.real.read("personal/notes.txt") == "mine");
  CHECK(world.real.exists("personal/__pycache__"));
}
