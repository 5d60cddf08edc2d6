// A visit may see the root and a directory as they were a moment ago, and nothing else than that.
#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "posix/disk_world.h"

namespace dagsync {

TEST_CASE("in a visit a directory that became a symlink leads nowhere") {
  for (const bool looked_before : {false, true}) {
    DiskWorld world;
    TempDirectory outside(temp_root());
    world.mkdir("d");
    const auto visit = world.disk().visit();
    if (looked_before) CHECK_FALSE(world.look("d/a.py").has_value());
    REQUIRE(::rename(world.real("d").c_str(), world.real("moved").c_str()) == 0);
    world.symlink(outside.path(), "d");
    (void)world.publish("d/a.py", std::nullopt, world.staged_file("bytes"));
    CHECK(DiskWorld::names_under(outside.path()).empty());
    CHECK(world.exists("moved/a.py") == looked_before);  // as if it had been before the move
  }
}

TEST_CASE("in a visit a root that vanished is noticed a moment later") {
  DiskWorld world;
  std::string root = world.real("");
  root.pop_back();
  const auto visit = world.disk().visit();
  CHECK_FALSE(world.look("a.py").has_value());
  REQUIRE(::rename(root.c_str(), (root + "-moved").c_str()) == 0);
  bool noticed = false;
  for (int tries = 0; tries < 1000 && !noticed; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    noticed = !world.disk().stat(DiskWorld::path("a.py")).has_value();
  }
  CHECK(noticed);
  REQUIRE(::rename((root + "-moved").c_str(), root.c_str()) == 0);
}

TEST_CASE("thousands of staged files hold no descriptors") {
  DiskWorld world;
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  std::vector<std::unique_ptr<Staged>> staged;
  const auto before = descriptors();
  for (int i = 0; i < 2000; ++i)
    staged.push_back(world.staged_file("bytes"));
  CHECK(descriptors() == before);
}

}  // namespace dagsync
