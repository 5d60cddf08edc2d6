#include <doctest/doctest.h>

#include "posix/disk_world.h"

namespace dagsync {

TEST_CASE("no link goes to another file system") {
  if (other_root().empty()) return;
  DiskWorld world(Ground::kTwoFileSystems);
  world.write("a.py", "a");
  const auto link = world.disk().stage_link(DiskWorld::path("a.py"), *world.look("a.py"));
  REQUIRE_FALSE(link.has_value());
  CHECK(fails_with(link, ErrorCode::kUnsupported));
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
