#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "posix/disk_world.h"

namespace dagsync {

TEST_CASE("a listing shows every name as its bytes, and follows nothing") {
  DiskWorld world;
  const std::string longest(255, 'n');
  const std::string invalid = "caf\xe9.py";
  const std::string lines = "two\nlines.py";
  for (const std::string& name : {longest, invalid, lines}) {
    const auto done = world.publish(name, std::nullopt, world.staged_file(name));
    REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
    CHECK(world.read(name) == name);
    REQUIRE(world.publish(name, world.look(name), world.staged_file("2"), std::nullopt));
    CHECK(world.read(name) == "2");
  }
  world.mkdir("sub");
  world.symlink("sub", "link");
  REQUIRE(::mkfifo(world.real("fifo").c_str(), 0600) == 0);
  const auto listed = world.disk().list(RelPath());
  REQUIRE(listed.has_value());
  std::map<std::string, FileType> types;
  for (const auto& entry : *listed) {
    types[entry.name] = entry.state.type;
    CHECK_FALSE(entry.mount_point);
    CHECK(world.look(entry.name) == entry.state);
  }
  const std::map<std::string, FileType> wanted{
      {longest, FileType::kFile},    {invalid, FileType::kFile},   {lines, FileType::kFile},
      {"sub", FileType::kDirectory}, {"link", FileType::kSymlink}, {"fifo", FileType::kSpecial}};
  CHECK(types == wanted);
  CHECK(fails_with(world.disk().list(DiskWorld::path("link")), ErrorCode::kNotFound));
  CHECK(fails_with(world.disk().list(DiskWorld::path("no")), ErrorCode::kNotFound));
}

TEST_CASE("an mtime beyond all nanoseconds is the last moment there is") {
  DiskWorld world;
  world.write("a.py", "a");
  const struct timespec year_2300[2] = {{0, UTIME_OMIT}, {10'413'792'000, 5}};
  REQUIRE(::utimensat(AT_FDCWD, world.real("a.py").c_str(), year_2300, 0) == 0);
  CHECK(world.look("a.py")->mtime == kFarthestMoment);

  const auto again = world.disk().set_attributes(DiskWorld::path("a.py"), *world.look("a.py"),
                                                 {0600, kFarthestMoment, {}});
  REQUIRE(again.has_value());
  CHECK(again->now->mtime == kFarthestMoment);
}

TEST_CASE("a FIFO blocks nothing and is never replaced") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    REQUIRE(::mkfifo(world.real("pipe").c_str(), 0600) == 0);
    CHECK(fails_with(world.disk().open(DiskWorld::path("pipe")), ErrorCode::kInvalid));
    CHECK(world.disk().check_writer(DiskWorld::path("pipe")) == WriterCheck::kNone);
    const auto done = world.publish("pipe", world.look("pipe"), world.staged_file("x"), kept_id(1));
    REQUIRE_FALSE(done.has_value());
    CHECK(fails_with(done, ErrorCode::kExists));
    CHECK(world.look("pipe")->type == FileType::kSpecial);
    CHECK(world.disk().sync({DiskWorld::path("pipe")}).has_value());
    CHECK(world.leftovers().empty());
  }
}

TEST_CASE("a symlink is read, never opened, and a file is no symlink") {
  DiskWorld world;
  world.write("a.py", "a");
  world.symlink("/etc/passwd", "link");
  CHECK(world.disk().read_link(DiskWorld::path("link")).value() == "/etc/passwd");
  CHECK_FALSE(world.disk().open(DiskWorld::path("link")).has_value());
  CHECK(fails_with(world.disk().read_link(DiskWorld::path("a.py")), ErrorCode::kNotFound));
  CHECK(fails_with(world.disk().read_link(DiskWorld::path("no")), ErrorCode::kNotFound));
  CHECK(fails_with(world.disk().open(DiskWorld::path("no")), ErrorCode::kNotFound));
}

TEST_CASE("below a file or a symlink there is nothing") {
  DiskWorld world;
  TempDirectory outside(temp_root());
  std::ofstream(outside.path() + "/secret") << "x";
  world.write("a.py", "a");
  world.symlink(outside.path(), "link");
  CHECK_FALSE(world.look("a.py/x").has_value());
  CHECK_FALSE(world.look("link/secret").has_value());
  CHECK_FALSE(world.look("no/x").has_value());
  CHECK_FALSE(world.disk().open(DiskWorld::path("link/secret")).has_value());
  CHECK(world.look("link")->type == FileType::kSymlink);
}

TEST_CASE("another file system in the folder is marked and never entered") {
  if (::geteuid() != 0 || other_root().empty()) return;
  DiskWorld world;
  world.mkdir("mnt");
  TempDirectory inner(other_root());
  std::ofstream(inner.path() + "/inside") << "x";
  const std::string mount = "mount --bind '" + inner.path() + "' '" + world.real("mnt") + "'";
  if (std::system((mount + " 2>/dev/null").c_str()) != 0) return;  // no right to mount here
  const auto listed = world.disk().list(RelPath());
  const auto inside = world.disk().stat(DiskWorld::path("mnt/inside"));
  const auto removed = world.disk().remove_directory(DiskWorld::path("mnt"), is_compiled);
  const auto published = world.publish("mnt", world.look("mnt"), world.staged_file("x"));
  REQUIRE(std::system(("umount '" + world.real("mnt") + "'").c_str()) == 0);
  REQUIRE(listed.has_value());
  REQUIRE(listed->size() == 1);
  CHECK(listed->front().mount_point);
  CHECK_FALSE(inside.has_value());
  CHECK_FALSE(removed.has_value());
  CHECK_FALSE(published.has_value());
  CHECK(DiskWorld::names_under(inner.path()).size() == 1);
}

}  // namespace dagsync
