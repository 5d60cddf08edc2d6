// One step of publishing: what replaces each other, moves, or needs more than a rename.
#include <fcntl.h>
#include <sys/stat.h>

#include "engine/publish/batch_world.h"

using namespace dagsync;

TEST_CASE("a file takes the place of a directory, and what was below is kept") {
  BatchWorld world;
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
  BatchWorld world;
  const IndexEntry directory = world.make_directory("d");
  world.real.write("d/new.py", "mine");
  world.add_file("d", "now a file", directory);
  world.run();
  CHECK(fails_with(world.results.items[0].published, ErrorCode::kExists));
  CHECK(world.real.read("d/new.py") == "mine");
}

TEST_CASE("a directory takes the place of a file, which is kept, with its children in one batch") {
  BatchWorld world;
  const IndexEntry file = world.make_file("d", "file");
  (void)world.add("d", directory_content(0755), file);
  world.add_file("d/x.py", "x");
  world.run();
  CHECK(world.all_done() == "");
  CHECK(world.real.read("d/x.py") == "x");
  CHECK(world.real.kept(kept_id(1)) == "file");
}

TEST_CASE("symlinks are published as they are") {
  BatchWorld world;
  (void)world.add("link", symlink_content("../outside", kTime));
  world.run();
  CHECK(world.all_done() == "");
  const auto target = world.real.disk().read_link(DiskWorld::path("link"));
  CHECK(target.value() == "../outside");
  CHECK(world.real.look("link")->mtime == UnixNanos{kTime});
}

namespace {

// old.py is to become new.py, by a second name of the file.
void add_move(BatchWorld& world) {
  const IndexEntry old = world.make_file("old.py", "moved");
  auto staged = world.real.disk().stage_link(DiskWorld::path("old.py"), *old.disk);
  REQUIRE(staged.has_value());
  PublishItem& item = world.add("new.py", old.record.content);
  item.bytes = std::move(*staged);
  item.linked = true;
  world.add("old.py", {}, old).moved_away = true;
}

}  // namespace

TEST_CASE("what a second name has taken over is removed without a copy, and its state is fresh") {
  BatchWorld world;
  add_move(world);
  world.run();
  CHECK(world.all_done() == "");
  CHECK_FALSE(world.real.exists("old.py"));
  CHECK(world.real.read("new.py") == "moved");
  CHECK(world.results.items[0].published->now == world.real.look("new.py"));
  CHECK_FALSE(world.results.items[1].published->kept);
}

TEST_CASE("what is written into a file while its move is applied does not pass for what moved") {
  BatchWorld world;
  add_move(world);
  world.disk.refuse = [&](const std::string& step, const RelPath&) -> std::optional<Error> {
    if (step == "remove") world.real.write("old.py", "wrote");  // as many bytes
    return std::nullopt;
  };
  world.run();
  CHECK(world.real.read("new.py") == "wrote");
  REQUIRE(world.results.items[0].published->now);
  // The next look finds it.
  CHECK_FALSE(is_unchanged(*world.results.items[0].published->now, *world.real.look("new.py")));
}

TEST_CASE("what was to move and could not is kept when its old name goes") {
  BatchWorld world;
  add_move(world);
  world.real.write("new.py", "somebody was faster");
  world.run();
  CHECK(world.results.items[0].published->outcome == PublishOutcome::kChanged);
  CHECK(world.real.read("new.py") == "somebody was faster");
  CHECK_FALSE(world.real.exists("old.py"));
  CHECK(world.results.items[1].published->kept);
  CHECK(world.real.kept(kept_id(1)) == "moved");
}

TEST_CASE("directories that nothing implies any more are pruned, unless something stands in them") {
  BatchWorld world;
  world.real.mkdir("d");
  world.real.mkdir("e");
  const IndexEntry d = world.make_file("d/x.py", "x");
  const IndexEntry e = world.make_file("e/x.py", "x");
  world.real.write("e/mine.txt", "mine");
  (void)world.add("d/x.py", {}, d);
  (void)world.add("e/x.py", {}, e);
  world.run();
  CHECK(world.all_done() == "");
  const auto nothing = [](const RelPath&, FileType) { return false; };
  const std::vector both = {DiskWorld::path("e"), DiskWorld::path("d")};
  bool is_broken = true;
  world.disk.refuse = [&](const std::string& step, const RelPath&) -> std::optional<Error> {
    if (step != "rmdir" || !is_broken) return std::nullopt;
    return Error{ErrorCode::kIo, "input/output error"};
  };
  CHECK(remove_needless(world.disk, nothing, both) == both);
  is_broken = false;
  CHECK(remove_needless(world.disk, nothing, both) == std::vector{DiskWorld::path("e")});
  CHECK_FALSE(world.real.exists("d"));
  CHECK(world.real.read("e/mine.txt") == "mine");
}

TEST_CASE("what needs nothing done gets no intent and changes nothing") {
  BatchWorld world;
  world.add("shadowed/x.py", file_content("x", kTime)).nothing_to_do = true;
  world.run();
  CHECK(world.all_done() == "");
  CHECK(world.diary.empty());
  CHECK_FALSE(world.results.items[0].published->now.has_value());
}

namespace {

// As Python writes it of a source with this time and size (PEP 552).
std::string bytecode_of(std::int64_t mtime, std::uint32_t size, std::uint32_t flags = 0) {
  std::string bytes = "\xa7\r\r\n";
  for (const std::uint32_t word :
       {flags, static_cast<std::uint32_t>(mtime / 1'000'000'000), size}) {
    for (int shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<char>(word >> shift));
  }
  return bytes + "code";
}

struct CompiledWorld : BatchWorld {
  const Names compiled = {"a.cpython-311.pyc", "a.cpython-312.opt-1.pyc", "ab.cpython-311.pyc",
                          "a.txt"};

  CompiledWorld() {
    real.mkdir("__pycache__");
    for (const std::string& name : compiled)
      real.write("__pycache__/" + name, bytecode_of(kTime, 5));
  }
  [[nodiscard]] Names remaining() const {
    Names names;
    for (const std::string& name : compiled) {
      if (real.exists("__pycache__/" + name)) names.push_back(name);
    }
    return names;
  }
  // "12345", which stands there with this mtime.
  IndexEntry make_old(std::int64_t mtime) {
    make_file("a.py", "12345");
    const struct timespec times[2] = {{0, UTIME_OMIT},
                                      {mtime / 1'000'000'000, mtime % 1'000'000'000}};
    REQUIRE(::utimensat(AT_FDCWD, real.real("a.py").c_str(), times, 0) == 0);
    return entry_of("a.py", file_content("12345", 0));
  }
};

}  // namespace

TEST_CASE("bytecode that Python would take for that of the new file is removed") {
  CompiledWorld world;
  SUBCASE("when both have the same second and size") {
    const IndexEntry old = world.make_old(kTime - 100'000'000);
    world.add_file("a.py", "54321", old);
    world.run();
    CHECK(world.remaining() == Names{"ab.cpython-311.pyc", "a.txt"});
  }
  SUBCASE("when the file was away meanwhile") {
    world.add_file("a.py", "54321");
    world.run();
    CHECK(world.remaining() == Names{"ab.cpython-311.pyc", "a.txt"});
  }
  SUBCASE("but not when they differ in the second") {
    const IndexEntry old = world.make_old(kTime - 1'000'000'000);
    world.add_file("a.py", "54321", old);
    world.run();
    CHECK(world.remaining() == world.compiled);
  }
  SUBCASE("nor in the size") {
    const IndexEntry old = world.make_old(kTime);
    world.add_file("a.py", "543210", old);
    world.run();
    CHECK(world.remaining() == world.compiled);
  }
  SUBCASE("nor when nothing was published") {
    const IndexEntry old = world.make_old(kTime);
    world.real.save_by_rename("a.py", "mine!");
    world.add_file("a.py", "54321", old);
    world.run();
    CHECK(world.remaining() == world.compiled);
  }
  SUBCASE("nor when it goes by the source's hash") {
    const std::string checked = bytecode_of(kTime, 5, 3);
    for (const std::string& name : world.compiled)
      world.real.write("__pycache__/" + name, checked);
    world.add_file("a.py", "54321");
    world.run();
    CHECK(world.remaining() == world.compiled);
  }
}
