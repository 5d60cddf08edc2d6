#include "dagsync/engine/verify/reread.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <optional>

#include "core/one_replica.h"
#include "dagsync/engine/observe/observer.h"
#include "posix/disk_world.h"
#include "support/inline_worker.h"

using namespace dagsync;

namespace {

using Row = VerifyPage::Row;

// A folder on a real disk, and a replica that has looked at it.
struct RereadWorld {
  explicit RereadWorld(Replica::Settings settings = {.self = kA}) : one(std::move(settings)) {}

  OneReplica one;
  InlineWorker worker;
  DiskWorld disk;
  IgnoreRules rules;
  Rereader reader{worker, disk.disk(), one.replica, rules};
  bool abandoned = false;
  std::optional<Reread> found;

  void observe(const std::string& name) {
    // Late enough that nothing is racy.
    const LookResult look =
        look_at(disk.disk(), {at(name), std::nullopt, {}}, {INT64_MAX / 4}, false);
    REQUIRE(look.outcome == LookResult::Outcome::kSeen);
    (void)one.look({look.seen});
  }
  void make(const std::string& name, const std::string& bytes) {
    disk.write(name, bytes);
    observe(name);
  }
  // Other bytes, while the index is made to believe that it has seen this very file.
  void rot(const std::string& name, const std::string& bytes) {
    const IndexEntry before = one.entry(name);
    disk.write(name, bytes);
    const struct timespec times[2] = {
        {0, UTIME_OMIT},
        {before.disk->mtime.value / 1'000'000'000, before.disk->mtime.value % 1'000'000'000}};
    REQUIRE(::utimensat(AT_FDCWD, disk.real(name).c_str(), times, 0) == 0);
    Observation same{at(name), before.record.content, disk.look(name), {INT64_MAX / 4}};
    (void)one.look({same});
    REQUIRE(one.record(name) == before.record);
  }
  const std::vector<Row>& read(const RereadRange& range = {}) {
    found.reset();
    reader.read(
        range, [this] { return abandoned; }, [this](Reread reread) { found = std::move(reread); });
    worker.run_all();
    REQUIRE(found.has_value());
    return found->page.rows;
  }
  [[nodiscard]] std::vector<std::string> paths() const {
    std::vector<std::string> names;
    for (const Row& row : found->page.rows)
      names.push_back(row.path.bytes());
    return names;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("what stands there as the index has it is read again and named so") {
  RereadWorld world;
  world.disk.mkdir("d");
  world.observe("d");
  world.make("d/a.py", "abc");
  world.make("empty", "");
  world.disk.symlink("d", "link");
  world.observe("link");
  for (const Row& row : world.read()) {
    CAPTURE(row.path.bytes());
    CHECK(row.content == world.one.record(row.path.bytes()).content);
    CHECK(row.problem == "");
    CHECK_FALSE(row.unsettled);
  }
  CHECK(world.paths() == Names{"d", "d/a.py", "empty", "link"});
  CHECK(world.found->page.last.is_root());
  CHECK(world.found->wrong.empty());
  CHECK(world.found->edited.empty());
}

TEST_CASE("bytes that changed though nothing else did are wrong") {
  RereadWorld world;
  world.make("a.py", "right");
  world.make("b.py", "fine");
  world.rot("a.py", "WRONG");
  const auto& rows = world.read();
  CHECK(rows[0].problem.find("behind the index") != std::string::npos);
  CHECK(rows[0].content.digest == digest_of("WRONG"));
  CHECK(rows[1].problem == "");
  REQUIRE(world.found->wrong.size() == 1);
  CHECK(world.found->wrong[0].path == at("a.py"));
  CHECK(world.found->wrong[0].disk == world.disk.look("a.py"));
  CHECK(world.found->edited.empty());
}

TEST_CASE("an edit, a delete and another kind are edits, to be looked at") {
  RereadWorld world;
  for (const char* name : {"edited", "gone", "kind", "mode"})
    world.make(name, "before");
  world.disk.save_by_rename("edited", "after!");
  ::unlink(world.disk.real("gone").c_str());
  ::unlink(world.disk.real("kind").c_str());
  world.disk.mkdir("kind");
  ::chmod(world.disk.real("mode").c_str(), 0600);
  for (const Row& row : world.read()) {
    CAPTURE(row.path.bytes());
    CHECK(row.unsettled);
  }
  CHECK(world.found->edited.size() == 4);
  CHECK(world.found->wrong.empty());
}

TEST_CASE("drift, and what is too large, is named as such") {
  Replica::Settings settings{.self = kA};
  settings.local_may_leave = false;
  RereadWorld world(settings);
  const Record theirs = edit("b", 1, file_content("x", 10), 10);
  (void)world.one.hear_and_publish(kB, change_of("a.py", theirs));
  world.make("a.py", "mine");
  world.make("more.py", "mine");
  const auto& rows = world.read();
  REQUIRE(world.paths() == Names{"a.py", "more.py"});
  for (const Row& row : rows) {
    CHECK(row.problem.starts_with("drift: "));
    CHECK(row.content.digest == digest_of("mine"));
  }
  CHECK(world.found->wrong.empty());
}

TEST_CASE("what does not come into a send-only folder is named, though nothing stands there") {
  Replica::Settings settings{.self = kA};
  settings.remote_may_enter = false;
  settings.max_file_size = 3;
  RereadWorld world(settings);
  (void)world.one.hear(kB, {change_of("theirs.py", edit("b", 1, file_content("x", 10), 10))});
  world.make("large.py", "1234");
  const auto& rows = world.read();
  REQUIRE(world.paths() == Names{"large.py", "theirs.py"});
  CHECK(rows[0].problem.find("max_file_size") != std::string::npos);
  CHECK(rows[1].problem.starts_with("drift: "));
  CHECK(rows[1].content.kind == Kind::kTombstone);
}

TEST_CASE("what is ignored is left out") {
  RereadWorld world;
  world.make("a.py", "x");
  world.make("b.log", "x");
  world.rules = IgnoreRules({"*.log"});
  (void)world.read();
  CHECK(world.paths() == Names{"a.py"});
}

TEST_CASE("a page ends after so many rows, and the next begins behind it") {
  RereadWorld world;
  const std::size_t count = kMaxVerifyRows + 10;
  std::vector<Observation> batch;
  for (std::size_t i = 0; i < count; ++i)
    batch.push_back(seen("f" + std::to_string(10000 + i), file_content("x", 1), 1));
  (void)world.one.look(batch);
  CHECK(world.read().size() == kMaxVerifyRows);
  CHECK(world.found->page.last == at("f" + std::to_string(10000 + kMaxVerifyRows - 1)));
  CHECK(world.read({world.found->page.last, {}}).size() == 10);
  CHECK(world.found->page.last.is_root());
}

TEST_CASE("of the paths that are asked for, only these are read") {
  RereadWorld world;
  for (const char* name : {"a", "b", "c"})
    world.make(name, "x");
  (void)world.read({{}, {at("a"), at("c"), at("unknown")}});
  CHECK(world.paths() == Names{"a", "c"});
}

TEST_CASE("a large file is read in slices, and its reader can be told to stop between them") {
  RereadWorld world;
  world.make("large", std::string(3 * Rereader::kSliceBytes + 1, 'x'));
  bool called = false;
  world.reader.read(
      {}, [&] { return world.abandoned; }, [&](const Reread&) { called = true; });
  for (int slice = 0; slice < 3; ++slice) {
    REQUIRE(world.worker.waiting() == 1);
    world.worker.run_one();
  }
  CHECK(world.worker.waiting() == 1);
  SUBCASE("to the end") {
    world.worker.run_all();
    CHECK(called);
  }
  SUBCASE("and stops") {
    world.abandoned = true;
    world.worker.run_all();
    CHECK_FALSE(called);
  }
}
