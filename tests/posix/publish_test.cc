#include <doctest/doctest.h>

#include <algorithm>

#include "posix/disk_world.h"

namespace dagsync {
namespace {

constexpr UnixNanos kMtime{1'600'000'000'123'456'789};

enum class Thing { kNothing, kFile, kDirectory, kSymlink };
constexpr Thing kThings[] = {Thing::kNothing, Thing::kFile, Thing::kDirectory, Thing::kSymlink};

void put(const DiskWorld& world, const std::string& name, Thing thing) {
  if (thing == Thing::kFile) world.write(name, "old");
  if (thing == Thing::kDirectory) world.mkdir(name);
  if (thing == Thing::kSymlink) world.symlink("old/target", name);
}

Thing what_stands(DiskWorld& world, const std::string& name) {
  const auto state = world.look(name);
  if (!state) return Thing::kNothing;
  if (state->type == FileType::kFile) return Thing::kFile;
  return state->type == FileType::kDirectory ? Thing::kDirectory : Thing::kSymlink;
}

Result<Published> make_it(DiskWorld& world, const std::string& name, Thing from, Thing to,
                          const KeptId& keep) {
  const auto expected = world.look(name);
  if (to == Thing::kFile) return world.publish(name, expected, world.staged_file("new"), keep);
  if (to == Thing::kDirectory) return world.publish(name, expected, world.staged_directory(), keep);
  if (to == Thing::kSymlink)
    return world.publish(name, expected, world.staged_symlink("new/target"), keep);
  if (from == Thing::kDirectory)
    return world.disk().remove_directory(DiskWorld::path(name), is_compiled);
  return world.disk().remove(DiskWorld::path(name), *expected, keep);
}

void check_new_content(DiskWorld& world, const std::string& name, Thing to) {
  CHECK(what_stands(world, name) == to);
  if (to == Thing::kFile) {
    CHECK(world.read(name) == "new");
    CHECK(world.look(name)->mode == 0644);
    CHECK(world.look(name)->mtime == kMtime);
  }
  if (to == Thing::kSymlink) {
    CHECK(world.disk().read_link(DiskWorld::path(name)).value() == "new/target");
    CHECK(world.look(name)->mtime == UnixNanos{1'600'000'000'987'654'321});
  }
}

void check_old_content_kept(DiskWorld& world, Thing from, const Published& done, const KeptId& id) {
  const bool expects_kept = from == Thing::kFile || from == Thing::kSymlink;
  CHECK(done.kept == expects_kept);
  CHECK(world.disk().list_kept().value().size() == (expects_kept ? 1u : 0u));
  if (from == Thing::kFile) CHECK(world.kept(id) == "old");
  if (from == Thing::kSymlink) CHECK(world.disk().read_kept_link(id).value() == "old/target");
}

}  // namespace

TEST_CASE("anything takes the place of anything, and what stood there is kept") {
  for (const Thing from : kThings) {
    for (const Thing to : kThings) {
      if (from == Thing::kNothing && to == Thing::kNothing) continue;
      if (from == Thing::kDirectory && to == Thing::kDirectory) continue;  // below
      CAPTURE(static_cast<int>(from));
      CAPTURE(static_cast<int>(to));
      DAGSYNC_ON_EACH(all_grounds(), world) {
        world.mkdir("sub");
        put(world, "sub/name", from);
        const auto done = make_it(world, "sub/name", from, to, kept_id(1));
        REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
        REQUIRE(done->outcome == PublishOutcome::kDone);
        check_new_content(world, "sub/name", to);
        check_old_content_kept(world, from, *done, kept_id(1));
        CHECK(done->now == world.look("sub/name"));
        CHECK(world.leftovers().empty());
      }
    }
  }
}

TEST_CASE("a directory published over a directory sets its mode and leaves what is in it") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    world.mkdir("sub");
    world.write("sub/a.py", "a");
    const auto done = world.publish("sub", world.look("sub"), world.staged_directory(02750));
    REQUIRE(done.has_value());
    CHECK(done->outcome == PublishOutcome::kDone);
    CHECK(world.look("sub")->mode == 02750);
    CHECK(world.read("sub/a.py") == "a");
    CHECK(world.leftovers().empty());
  }
}

TEST_CASE("what is not as expected is not touched") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    world.write("a.py", "local");
    auto expected = world.look("a.py");
    const auto is_refused = [&](const Disk::Expected& wrong) {
      const auto done = world.publish("a.py", wrong, world.staged_file("remote"), kept_id(1));
      REQUIRE(done.has_value());
      CHECK(done->outcome == PublishOutcome::kChanged);
      if (wrong) {
        const auto gone = world.disk().remove(DiskWorld::path("a.py"), *wrong, kept_id(1));
        REQUIRE(gone.has_value());
        CHECK(gone->outcome == PublishOutcome::kChanged);
      }
      CHECK(world.read("a.py") == "local");
      CHECK(world.leftovers().empty());
      CHECK(world.disk().list_kept().value().empty());
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
    const auto missing = world.publish("b.py", expected, world.staged_file("remote"), kept_id(1));
    REQUIRE(missing.has_value());
    CHECK(missing->outcome == PublishOutcome::kChanged);
    CHECK_FALSE(world.exists("b.py"));
  }
}

TEST_CASE("without keep the old content goes") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    world.write("a.py", "old");
    const auto done = world.publish("a.py", world.look("a.py"), world.staged_file("new"));
    REQUIRE(done.has_value());
    CHECK_FALSE(done->kept);
    CHECK(world.read("a.py") == "new");
    CHECK(world.disk().list_kept().value().empty());
    CHECK(world.leftovers().empty());
  }
}

TEST_CASE("an id that is taken is refused before anything changes") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    world.write("a.py", "1");
    REQUIRE(world.publish("a.py", world.look("a.py"), world.staged_file("2"), kept_id(1)));
    const auto again =
        world.publish("a.py", world.look("a.py"), world.staged_file("3"), kept_id(1));
    REQUIRE_FALSE(again.has_value());
    CHECK(fails_with(again, ErrorCode::kExists));
    CHECK(world.read("a.py") == "2");
    CHECK(world.kept(kept_id(1)) == "1");
    CHECK(world.leftovers().empty());
  }
}

TEST_CASE("a missing parent is an error, a parent that is a symlink is not followed") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    const auto missing = world.publish("no/a.py", std::nullopt, world.staged_file("x"));
    REQUIRE_FALSE(missing.has_value());
    CHECK(fails_with(missing, ErrorCode::kNotFound));
    TempDirectory outside(temp_root());
    world.symlink(outside.path(), "link");
    const auto linked = world.publish("link/a.py", std::nullopt, world.staged_file("x"));
    REQUIRE_FALSE(linked.has_value());
    CHECK(fails_with(linked, ErrorCode::kNotFound));
    CHECK(DiskWorld::names_under(outside.path()).empty());
    CHECK(world.leftovers().empty());
  }
}

TEST_CASE("what is staged and not published leaves nothing") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    {
      auto half = world.disk().stage_file(5 << 20);
      REQUIRE(half.has_value());
      REQUIRE((*half)->append("half").has_value());
      const auto file = world.staged_file("whole");
      const auto link = world.staged_symlink("x");
      const auto directory = world.staged_directory();
    }
    CHECK(world.leftovers().empty());
    CHECK(DiskWorld::names_under(world.real("")).empty());
  }
}

TEST_CASE("a directory is replaced together with what is disposable in it, and with nothing else") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    world.mkdir("job");
    world.mkdir("job/__pycache__");
    world.write("job/__pycache__/a.pyc", "compiled");
    world.write("job/notes.txt", "mine");
    const auto refused = world.publish("job", world.look("job"), world.staged_file("new"));
    REQUIRE_FALSE(refused.has_value());
    CHECK(fails_with(refused, ErrorCode::kExists));
    CHECK(refused.error().message.find("notes.txt") != std::string::npos);
    CHECK(world.read("job/__pycache__/a.pyc") == "compiled");
    REQUIRE(::unlink(world.real("job/notes.txt").c_str()) == 0);
    const auto done = world.publish("job", world.look("job"), world.staged_file("new"));
    REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
    CHECK(world.read("job") == "new");
    CHECK(world.leftovers().empty());
  }
}

TEST_CASE("files never get setuid or setgid, directories keep setgid and sticky") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    REQUIRE(world.publish("a.sh", std::nullopt, world.staged_file("x", 06755)));
    CHECK(world.look("a.sh")->mode == 0755);
    REQUIRE(world.publish("d", std::nullopt, world.staged_directory(07755)));
    CHECK(world.look("d")->mode == 03755);
    REQUIRE(world.publish("locked", std::nullopt, world.staged_directory(0500)));
    CHECK(world.look("locked")->mode == 0500);
    const auto set = world.disk().set_attributes(DiskWorld::path("a.sh"), *world.look("a.sh"),
                                                 {04700, UnixNanos{5}, {}});
    REQUIRE(set.has_value());
    CHECK(set->outcome == PublishOutcome::kDone);
    CHECK(set->now == world.look("a.sh"));
    CHECK(world.look("a.sh")->mode == 0700);
    CHECK(world.look("a.sh")->mtime == UnixNanos{5});
  }
}

TEST_CASE("mtimes of the far past and future are kept to the nanosecond") {
  DAGSYNC_ON_EACH(safe_grounds(), world) {
    for (const std::int64_t nanos :
         {std::int64_t{-1'500'000'001}, std::int64_t{1}, std::int64_t{4'000'000'000'000'000'007}}) {
      const auto done =
          world.publish("t", world.look("t"), world.staged_file("x", 0644, UnixNanos{nanos}));
      REQUIRE(done.has_value());
      CHECK(done->now->mtime == world.look("t")->mtime);
      // A file system may clamp what it cannot store; this one says so by what it shows.
      if (nanos < 2'000'000'000'000'000'000) CHECK(done->now->mtime == UnixNanos{nanos});
    }
  }
}

TEST_CASE("contents are copied from open files, whole and in parts") {
  DAGSYNC_ON_EACH(safe_grounds(), world) {
    std::string bytes(3'000'000, 'x');
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<char>(i * 31 >> 3);
    world.write("source", bytes);
    auto source = world.disk().open(DiskWorld::path("source"));
    REQUIRE(source.has_value());
    auto file = world.disk().stage_file(bytes.size() + 6);
    REQUIRE(file.has_value());
    CHECK((*file)->append("abc").has_value());
    CHECK((*file)->append_from(**source, 5, 1'000'000).has_value());
    CHECK((*file)->append("def").has_value());
    CHECK((*file)->append_from(**source, 0, bytes.size()).has_value());
    const auto beyond = (*file)->append_from(**source, bytes.size() - 1, 2);
    REQUIRE_FALSE(beyond.has_value());
    CHECK(fails_with(beyond, ErrorCode::kUnavailable));
    CHECK((*file)->finish({0600, kMtime, {}}).has_value());
    REQUIRE(world.publish("copy", std::nullopt, std::move(*file)).has_value());
    const std::string whole = world.read("copy");
    CHECK(whole.substr(0, whole.size() - 1) == "abc" + bytes.substr(5, 1'000'000) + "def" + bytes);
  }
}

TEST_CASE("a rename within the folder links the file, and reads nothing") {
  DiskWorld world;
  world.write("a.py", "same inode");
  const auto inode = world.look("a.py")->inode;
  auto link = world.disk().stage_link(DiskWorld::path("a.py"), *world.look("a.py"));
  REQUIRE_MESSAGE(link.has_value(), (link ? "" : link.error().message));
  const auto done = world.publish("b.py", std::nullopt, std::move(*link));
  REQUIRE(done.has_value());
  CHECK(done->now == world.look("b.py"));
  CHECK(world.look("b.py")->inode == inode);
  const auto gone = world.disk().remove(DiskWorld::path("a.py"), *world.look("a.py"), std::nullopt);
  REQUIRE(gone.has_value());
  CHECK(gone->outcome == PublishOutcome::kDone);
  CHECK_FALSE(world.exists("a.py"));
  CHECK(world.read("b.py") == "same inode");
  CHECK(world.leftovers().empty());

  auto stale = *world.look("b.py");
  stale.mtime.value += 1;
  const auto refused = world.disk().stage_link(DiskWorld::path("b.py"), stale);
  REQUIRE_FALSE(refused.has_value());
  CHECK(fails_with(refused, ErrorCode::kUnavailable));
}

TEST_CASE("no link goes to another file system") {
  if (other_root().empty()) return;
  DiskWorld world(Ground::kTwoFileSystems);
  world.write("a.py", "a");
  const auto link = world.disk().stage_link(DiskWorld::path("a.py"), *world.look("a.py"));
  REQUIRE_FALSE(link.has_value());
  CHECK(fails_with(link, ErrorCode::kUnsupported));
}

TEST_CASE("a kept version does not change when another hard link of the file is written") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    world.write("a.py", "old");
    REQUIRE(::link(world.real("a.py").c_str(), world.real("twin").c_str()) == 0);
    const auto done =
        world.publish("a.py", world.look("a.py"), world.staged_file("new"), kept_id(1));
    REQUIRE(done.has_value());
    CHECK(done->kept);
    world.write("twin", "changed later");
    CHECK(world.kept(kept_id(1)) == "old");
    CHECK(world.read("a.py") == "new");

    REQUIRE(::link(world.real("twin").c_str(), world.real("third").c_str()) == 0);
    const auto gone = world.disk().remove(DiskWorld::path("twin"), *world.look("twin"), kept_id(2));
    REQUIRE(gone.has_value());
    CHECK(gone->kept);
    world.write("third", "and again");
    CHECK(world.kept(kept_id(2)) == "changed later");
    CHECK(world.leftovers().empty());
  }
}

TEST_CASE("a hard link published over another link of the same file changes nothing") {
  DiskWorld world;
  world.write("a.py", "one");
  REQUIRE(::link(world.real("a.py").c_str(), world.real("b.py").c_str()) == 0);
  auto link = world.disk().stage_link(DiskWorld::path("a.py"), *world.look("a.py"));
  REQUIRE(link.has_value());
  const auto done = world.publish("b.py", world.look("b.py"), std::move(*link), kept_id(1));
  REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
  CHECK(done->outcome == PublishOutcome::kDone);
  CHECK(world.read("a.py") == "one");
  CHECK(world.read("b.py") == "one");
  CHECK(world.kept(kept_id(1)) == "one");
  CHECK(world.leftovers().empty());
}

TEST_CASE("what is published in a directory with setgid takes its group") {
  if (::geteuid() != 0) return;  // nobody else may give groups away
  DAGSYNC_ON_EACH(all_grounds(), world) {
    world.mkdir("shared");
    REQUIRE(::chown(world.real("shared").c_str(), static_cast<uid_t>(-1), 4711) == 0);
    REQUIRE(::chmod(world.real("shared").c_str(), 02775) == 0);
    const auto group_of = [&](const std::string& name) {
      struct stat seen {};
      REQUIRE(::lstat(world.real(name).c_str(), &seen) == 0);
      return seen.st_gid;
    };
    const auto file = world.publish("shared/a.py", std::nullopt, world.staged_file("x"));
    REQUIRE(file.has_value());
    CHECK(file->now == world.look("shared/a.py"));
    CHECK(group_of("shared/a.py") == 4711);
    REQUIRE(world.publish("shared/d", std::nullopt, world.staged_directory()).has_value());
    CHECK(group_of("shared/d") == 4711);
  }
}

}  // namespace dagsync
