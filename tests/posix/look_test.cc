#include <doctest/doctest.h>

#include <cstdlib>

#include "posix/disk_world.h"

namespace dagsync {

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
