// One step of publishing, on a real disk.
#include "dagsync/engine/publish_batch.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "core/record_samples.h"
#include "posix/disk_world.h"
#include "posix/unique_fd.h"
#include "support/memory_store.h"
#include "support/noting_disk.h"

using namespace dagsync;

namespace {

using Names = std::vector<std::string>;

constexpr std::int64_t kTime = 1'600'000'000'123'456'789;

struct World {
  DiskWorld real;
  std::vector<std::string> diary;
  NotingDisk disk{real.disk(), diary};
  MemoryStore store{&diary};
  IgnoreRules rules;
  PublishBatch batch;
  PublishResults results;
  int kept = 0;

  // What stands at the path is what the index has there.
  IndexEntry entry_of(const std::string& name, Content content) {
    const auto state = real.look(name);
    REQUIRE(state.has_value());
    if (content.kind == Kind::kFile) content.mtime = state->mtime;
    const Record record = edit("a", 1, content, kTime);
    return {record, record.origin, state};
  }
  PublishItem& add(const std::string& name, const Content& content,
                   std::optional<IndexEntry> old = std::nullopt) {
    PublishItem item;
    item.path = DiskWorld::path(name);
    const Record record = edit("b", 1, content, kTime, old ? &old->record : nullptr);
    item.change = {item.path, record.origin, record};
    if (old && old->record.is_live() && old->record.content.kind != Kind::kDirectory) {
      item.kept = KeptVersion{kept_id(++kept), item.path, old->record.content,
                              {"a"},           {kTime},   KeptVersion::Reason::kReplaced};
    }
    item.old = std::move(old);
    batch.items.push_back(std::move(item));
    return batch.items.back();
  }
  void add_file(const std::string& name, const std::string& bytes,
                std::optional<IndexEntry> old = std::nullopt) {
    add(name, file_content(bytes, kTime), std::move(old)).bytes = bytes;
  }
  IndexEntry make_file(const std::string& name, const std::string& bytes) {
    real.write(name, bytes);
    return entry_of(name, file_content(bytes, 0));
  }
  IndexEntry make_directory(const std::string& name) {
    real.mkdir(name);
    return entry_of(name, directory_content(0755));
  }
  void run() {
    const Disk::Disposable disposable = [this](const RelPath& path, FileType type) {
      return rules.is_built_in_ignored(path, type == FileType::kDirectory);
    };
    diary.clear();
    results = publish(disk, store, disposable, batch);
    for (PublishItem& item : batch.items)
      item.bytes = {};
    CHECK(real.leftovers().empty());
  }
  [[nodiscard]] bool is_done(std::size_t i) const {
    return results.items[i].published &&
           results.items[i].published->outcome == PublishOutcome::kDone;
  }
  [[nodiscard]] std::string all_done() const {
    for (const PublishResult& item : results.items) {
      if (!item.published) return item.path.bytes() + ": " + item.published.error().message;
      if (item.published->outcome != PublishOutcome::kDone) return item.path.bytes();
    }
    return "";
  }
  [[nodiscard]] Names steps() const { return {diary.begin() + 1, diary.end()}; }
};

}  // namespace

TEST_CASE("a small content is checked, staged and published whole") {
  World world;
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
  World world;
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
  World world;
  (void)world.add("a.py", file_content("x", kTime));
  world.add_file("b.py", "good");
  world.run();
  CHECK(fails_with(world.results.items[0].published, ErrorCode::kUnavailable));
  CHECK(world.is_done(1));
}

TEST_CASE("intents are durable before anything changes, or nothing does") {
  World world;
  const IndexEntry old = world.make_file("a.py", "old");
  world.add_file("a.py", "new", old);
  world.store.failures = 1;
  world.run();
  CHECK_FALSE(world.results.intents.has_value());
  CHECK(world.real.read("a.py") == "old");
  CHECK(world.diary.empty());
}

TEST_CASE("an intent has the old record, the new one, and what becomes of the bytes") {
  World world;
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
  World world;
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
  World world;
  world.add_file("d/e/a.py", "a");
  world.run();
  CHECK(world.all_done() == "");
  CHECK(world.real.read("d/e/a.py") == "a");
  CHECK(world.real.look("d")->mode == 0755);
}

TEST_CASE("a directory that stands there unrecorded only gets its mode") {
  World world;
  world.real.mkdir("d");
  (void)world.add("d", directory_content(0711));
  world.run();
  CHECK(world.all_done() == "");
  CHECK(world.steps() == Names{"set d"});
  CHECK(world.real.look("d")->mode == 0711);
}

TEST_CASE("what is replaced and what is deleted becomes the kept version that was named") {
  World world;
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
  World world;
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
  World world;
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
  World world;
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

TEST_CASE("a delete of what is gone already is done") {
  World world;
  const IndexEntry old = world.make_file("a.py", "x");
  REQUIRE(::unlink(world.real.real("a.py").c_str()) == 0);
  (void)world.add("a.py", {}, old);
  (void)world.add("never.py", {});
  world.run();
  CHECK(world.all_done() == "");
}

TEST_CASE("a directory goes with what only we would ignore, and stays with anything else") {
  World world;
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

TEST_CASE("a file takes the place of a directory, and what was below is kept") {
  World world;
  const IndexEntry directory = world.make_directory("d");
  const IndexEntry sub = world.make_directory("d/sub");
  const IndexEntry file = world.make_file("d/sub/x.py", "x");
  world.add_file("d", "now a file", directory);
  const auto evict = [&](const std::string& name, const IndexEntry& entry, int id) {
    Eviction eviction{DiskWorld::path(name), *entry.disk, std::nullopt};
    if (id > 0) {
      eviction.kept = KeptVersion{kept_id(id), eviction.path, entry.record.content,
                                  {"a"},       {kTime},       KeptVersion::Reason::kConflict};
    }
    world.batch.evictions.push_back(eviction);
  };
  evict("d/sub/x.py", file, 5);
  evict("d/sub", sub, 0);
  world.run();
  CHECK(world.all_done() == "");
  CHECK(world.real.read("d") == "now a file");
  CHECK(world.real.kept(kept_id(5)) == "x");
  REQUIRE(world.results.evictions.size() == 2);
  CHECK(world.results.evictions[0].published->kept);
  CHECK(world.diary == Names{"durably: intend d, keep d/sub/x.py", "remove d/sub/x.py",
                             "rmdir d/sub", "publish d"});
}

TEST_CASE("a file that a person put below keeps the directory that it stands in") {
  World world;
  const IndexEntry directory = world.make_directory("d");
  world.real.write("d/new.py", "mine");
  world.add_file("d", "now a file", directory);
  world.run();
  CHECK(fails_with(world.results.items[0].published, ErrorCode::kExists));
  CHECK(world.real.read("d/new.py") == "mine");
}

TEST_CASE("a directory takes the place of a file, which is kept, with its children in one batch") {
  World world;
  const IndexEntry file = world.make_file("d", "file");
  (void)world.add("d", directory_content(0755), file);
  world.add_file("d/x.py", "x");
  world.run();
  CHECK(world.all_done() == "");
  CHECK(world.real.read("d/x.py") == "x");
  CHECK(world.real.kept(kept_id(1)) == "file");
}

TEST_CASE("symlinks are published as they are") {
  World world;
  (void)world.add("link", symlink_content("../outside", kTime));
  world.run();
  CHECK(world.all_done() == "");
  const auto target = world.real.disk().read_link(DiskWorld::path("link"));
  CHECK(target.value() == "../outside");
  CHECK(world.real.look("link")->mtime == UnixNanos{kTime});
}

TEST_CASE("what a second name has taken over is removed without a copy, and its state is fresh") {
  World world;
  const IndexEntry old = world.make_file("old.py", "moved");
  auto staged = world.real.disk().stage_link(DiskWorld::path("old.py"), *old.disk);
  REQUIRE(staged.has_value());
  PublishItem& item = world.add("new.py", old.record.content);
  item.bytes = std::move(*staged);
  item.linked = true;
  world.add("old.py", {}, old).moved_away = true;
  world.run();
  CHECK(world.all_done() == "");
  CHECK_FALSE(world.real.exists("old.py"));
  CHECK(world.real.read("new.py") == "moved");
  CHECK(world.results.items[0].published->now == world.real.look("new.py"));
  CHECK_FALSE(world.results.items[1].published->kept);
}

TEST_CASE("directories that nothing implies any more are pruned, unless something stands in them") {
  World world;
  world.real.mkdir("d");
  world.real.mkdir("e");
  const IndexEntry d = world.make_file("d/x.py", "x");
  const IndexEntry e = world.make_file("e/x.py", "x");
  world.real.write("e/mine.txt", "mine");
  (void)world.add("d/x.py", {}, d);
  (void)world.add("e/x.py", {}, e);
  world.batch.prunes = {DiskWorld::path("e"), DiskWorld::path("d")};
  world.run();
  CHECK(world.all_done() == "");
  CHECK_FALSE(world.real.exists("d"));
  CHECK(world.real.read("e/mine.txt") == "mine");
}

TEST_CASE("what needs nothing done gets no intent and changes nothing") {
  World world;
  world.add("shadowed/x.py", file_content("x", kTime)).nothing_to_do = true;
  world.run();
  CHECK(world.all_done() == "");
  CHECK(world.diary.empty());
  CHECK_FALSE(world.results.items[0].published->now.has_value());
}

TEST_CASE("bytecode that Python would take for that of the new file is removed") {
  World world;
  world.real.mkdir("__pycache__");
  const Names compiled = {"a.cpython-311.pyc", "a.cpython-312.opt-1.pyc", "ab.cpython-311.pyc",
                          "a.txt"};
  for (const std::string& name : compiled)
    world.real.write("__pycache__/" + name, "c");
  IndexEntry old = world.make_file("a.py", "12345");
  const auto remaining = [&] {
    Names names;
    for (const std::string& name : compiled) {
      if (world.real.exists("__pycache__/" + name)) names.push_back(name);
    }
    return names;
  };
  const auto set_old_mtime = [&](std::int64_t mtime) {
    const struct timespec times[2] = {{0, UTIME_OMIT},
                                      {mtime / 1'000'000'000, mtime % 1'000'000'000}};
    REQUIRE(::utimensat(AT_FDCWD, world.real.real("a.py").c_str(), times, 0) == 0);
    old = world.entry_of("a.py", file_content("12345", 0));
  };
  SUBCASE("when both have the same second and size") {
    set_old_mtime(kTime - 100'000'000);
    world.add_file("a.py", "54321", old);
    world.run();
    CHECK(remaining() == Names{"ab.cpython-311.pyc", "a.txt"});
  }
  SUBCASE("but not when they differ in the second") {
    set_old_mtime(kTime - 1'000'000'000);
    world.add_file("a.py", "54321", old);
    world.run();
    CHECK(remaining() == compiled);
  }
  SUBCASE("nor in the size") {
    set_old_mtime(kTime);
    world.add_file("a.py", "543210", old);
    world.run();
    CHECK(remaining() == compiled);
  }
  SUBCASE("nor when nothing was published") {
    set_old_mtime(kTime);
    world.real.save_by_rename("a.py", "mine!");
    world.add_file("a.py", "54321", old);
    world.run();
    CHECK(remaining() == compiled);
  }
}
