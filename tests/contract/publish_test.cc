// What stands at a path, and what takes its place.
#include <doctest/doctest.h>

#include "contract/folders.h"
#include "support/paths.h"

namespace dagsync {
namespace {

enum class Thing { kNothing, kFile, kDirectory, kSymlink };
constexpr Thing kThings[] = {Thing::kNothing, Thing::kFile, Thing::kDirectory, Thing::kSymlink};

void put(const TestFolder& folder, const std::string& name, Thing thing) {
  if (thing == Thing::kFile) folder.write(name, "old");
  if (thing == Thing::kDirectory) folder.mkdir(name);
  if (thing == Thing::kSymlink) folder.symlink("old/target", name);
}

Thing what_stands(TestFolder& folder, const std::string& name) {
  const auto state = folder.look(name);
  if (!state) return Thing::kNothing;
  if (state->type == FileType::kFile) return Thing::kFile;
  return state->type == FileType::kDirectory ? Thing::kDirectory : Thing::kSymlink;
}

Result<Published> make_it(TestFolder& folder, const std::string& name, Thing from, Thing to,
                          const KeptId& keep) {
  const auto expected = folder.look(name);
  if (to == Thing::kFile) return folder.publish(name, expected, folder.staged_file("new"), keep);
  if (to == Thing::kDirectory)
    return folder.publish(name, expected, folder.staged_directory(), keep);
  if (to == Thing::kSymlink)
    return folder.publish(name, expected, folder.staged_symlink("new/target"), keep);
  if (from == Thing::kDirectory) return folder.disk().remove_directory(path(name), is_compiled);
  return folder.disk().remove(path(name), *expected, keep);
}

void check_new_content(TestFolder& folder, const std::string& name, Thing to) {
  CHECK(what_stands(folder, name) == to);
  if (to == Thing::kFile) {
    CHECK(folder.read(name) == "new");
    CHECK(folder.look(name)->mode == 0644);
    CHECK(folder.look(name)->mtime == UnixNanos{1'600'000'000'123'456'789});
  }
  if (to == Thing::kSymlink) {
    CHECK(folder.disk().read_link(path(name)).value() == "new/target");
    CHECK(folder.look(name)->mtime == UnixNanos{1'600'000'000'987'654'321});
  }
}

void check_old_content_kept(TestFolder& folder, Thing from, const Published& done,
                            const KeptId& id) {
  const bool expects_kept = from == Thing::kFile || from == Thing::kSymlink;
  CHECK(done.kept == expects_kept);
  CHECK(folder.disk().list_kept().value().size() == (expects_kept ? 1u : 0u));
  if (from == Thing::kFile) CHECK(folder.kept(id) == "old");
  if (from == Thing::kSymlink) CHECK(folder.disk().read_kept_link(id).value() == "old/target");
}

}  // namespace

TEST_CASE("anything takes the place of anything, and what stood there is kept") {
  for (const Thing from : kThings) {
    for (const Thing to : kThings) {
      if (from == Thing::kNothing && to == Thing::kNothing) continue;
      if (from == Thing::kDirectory && to == Thing::kDirectory) continue;  // below
      CAPTURE(static_cast<int>(from));
      CAPTURE(static_cast<int>(to));
      DAGSYNC_IN_EACH(all_folders(), folder) {
        folder.mkdir("sub");
        put(folder, "sub/name", from);
        const auto done = make_it(folder, "sub/name", from, to, kept_id(1));
        REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
        REQUIRE(done->outcome == PublishOutcome::kDone);
        check_new_content(folder, "sub/name", to);
        check_old_content_kept(folder, from, *done, kept_id(1));
        CHECK(done->now == folder.look("sub/name"));
        CHECK(folder.leftovers().empty());
      }
    }
  }
}

TEST_CASE("a directory published over a directory sets its mode and leaves what is in it") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.mkdir("sub");
    folder.write("sub/a.py", "a");
    const auto done = folder.publish("sub", folder.look("sub"), folder.staged_directory(02750));
    REQUIRE(done.has_value());
    CHECK(done->outcome == PublishOutcome::kDone);
    CHECK(folder.look("sub")->mode == 02750);
    CHECK(folder.read("sub/a.py") == "a");
    CHECK(folder.leftovers().empty());
  }
}

TEST_CASE("what is not as expected is not touched") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("a.py", "local");
    auto expected = folder.look("a.py");
    const auto is_refused = [&](const Disk::Expected& wrong) {
      const auto done = folder.publish("a.py", wrong, folder.staged_file("remote"), kept_id(1));
      REQUIRE(done.has_value());
      CHECK(done->outcome == PublishOutcome::kChanged);
      if (wrong) {
        const auto gone = folder.disk().remove(path("a.py"), *wrong, kept_id(1));
        REQUIRE(gone.has_value());
        CHECK(gone->outcome == PublishOutcome::kChanged);
      }
      CHECK(folder.read("a.py") == "local");
      CHECK(folder.leftovers().empty());
      CHECK(folder.disk().list_kept().value().empty());
    };
    is_refused(std::nullopt);
    for (auto change :
         {+[](DiskState& s) { s.inode += 1; }, +[](DiskState& s) { s.size += 1; },
          +[](DiskState& s) { s.mtime.value -= 1; }, +[](DiskState& s) { s.ctime.value -= 1; },
          +[](DiskState& s) { s.mode ^= 0100; },
          +[](DiskState& s) { s.type = FileType::kSymlink; }}) {
      auto wrong = expected;
      change(*wrong);
      is_refused(wrong);
    }
    const auto missing = folder.publish("b.py", expected, folder.staged_file("remote"), kept_id(1));
    REQUIRE(missing.has_value());
    CHECK(missing->outcome == PublishOutcome::kChanged);
    CHECK_FALSE(folder.exists("b.py"));
  }
}

TEST_CASE("without keep the old content goes") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("a.py", "old");
    const auto done = folder.publish("a.py", folder.look("a.py"), folder.staged_file("new"));
    REQUIRE(done.has_value());
    CHECK_FALSE(done->kept);
    CHECK(folder.read("a.py") == "new");
    CHECK(folder.disk().list_kept().value().empty());
    CHECK(folder.leftovers().empty());
  }
}

TEST_CASE("an id that is taken is refused before anything changes") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("a.py", "1");
    REQUIRE(folder.publish("a.py", folder.look("a.py"), folder.staged_file("2"), kept_id(1)));
    const auto again =
        folder.publish("a.py", folder.look("a.py"), folder.staged_file("3"), kept_id(1));
    REQUIRE_FALSE(again.has_value());
    CHECK(fails_with(again, ErrorCode::kExists));
    CHECK(folder.read("a.py") == "2");
    CHECK(folder.kept(kept_id(1)) == "1");
    CHECK(folder.leftovers().empty());
  }
}

TEST_CASE("a missing parent is an error, a parent that is a symlink is not followed") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.mkdir("d");
    folder.symlink("d", "link");
    folder.write("file", "x");
    for (const char* name : {"no/a.py", "link/a.py", "file/a.py"}) {
      CAPTURE(name);
      CHECK(fails_with(folder.publish(name, std::nullopt, folder.staged_file("x")),
                       ErrorCode::kNotFound));
      const auto gone = folder.disk().remove(path(name), *folder.look("file"), kept_id(1));
      REQUIRE(gone.has_value());
      CHECK(gone->outcome == PublishOutcome::kChanged);
    }
    CHECK(folder.names().size() == 3);
    CHECK(folder.leftovers().empty());
  }
}

}  // namespace dagsync
