#include <doctest/doctest.h>

#include "posix/disk_world.h"

namespace dagsync {

TEST_CASE("a directory goes with what is disposable in it") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    world.mkdir("job");
    world.mkdir("job/__pycache__");
    world.mkdir("job/__pycache__/deep");
    world.write("job/__pycache__/deep/a.pyc", "compiled");
    const auto done = world.disk().remove_directory(DiskWorld::path("job"), is_compiled);
    REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
    CHECK(done->outcome == PublishOutcome::kDone);
    CHECK_FALSE(done->now.has_value());
    CHECK_FALSE(world.exists("job"));
  }
}

TEST_CASE("a directory with something else in it stays whole, and the error names it") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    world.mkdir("job");
    world.mkdir("job/__pycache__");
    world.write("job/__pycache__/a.pyc", "compiled");
    world.mkdir("job/inner");
    const auto done = world.disk().remove_directory(DiskWorld::path("job"), is_compiled);
    REQUIRE_FALSE(done.has_value());
    CHECK(fails_with(done, ErrorCode::kExists));
    CHECK(done.error().message.find("inner") != std::string::npos);
    CHECK(world.read("job/__pycache__/a.pyc") == "compiled");
  }
}

TEST_CASE("a person's file in a disposable directory is asked for by itself") {
  DiskWorld world;
  world.mkdir("job");
  world.mkdir("job/__pycache__");
  world.write("job/__pycache__/a.pyc", "compiled");
  world.write("job/__pycache__/notes.txt", "mine");
  const auto only_pyc = [](const RelPath& path, FileType type) {
    return type == FileType::kDirectory || path.bytes().ends_with(".pyc");
  };
  const auto done = world.disk().remove_directory(DiskWorld::path("job"), only_pyc);
  REQUIRE_FALSE(done.has_value());
  CHECK(fails_with(done, ErrorCode::kExists));
  CHECK(done.error().message.find("notes.txt") != std::string::npos);
  CHECK(world.read("job/__pycache__/a.pyc") == "compiled");
}

TEST_CASE("a symlink in a directory is removed itself, not what it points to") {
  DiskWorld world;
  TempDirectory outside(temp_root());
  std::ofstream(outside.path() + "/precious") << "x";
  world.mkdir("job");
  world.symlink(outside.path(), "job/__pycache__");
  const auto done = world.disk().remove_directory(DiskWorld::path("job"), is_compiled);
  REQUIRE(done.has_value());
  CHECK_FALSE(world.exists("job"));
  CHECK(DiskWorld::names_under(outside.path()).size() == 1);
}

TEST_CASE("removing what is not there, or is something else, changes nothing") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    world.write("a.py", "a");
    const auto state = *world.look("a.py");
    const auto is_changed = [](const Result<Published>& done) {
      return done.has_value() && done->outcome == PublishOutcome::kChanged;
    };
    CHECK(is_changed(world.disk().remove(DiskWorld::path("b.py"), state, std::nullopt)));
    CHECK(is_changed(world.disk().remove(DiskWorld::path("no/b.py"), state, std::nullopt)));
    CHECK(is_changed(world.disk().remove_directory(DiskWorld::path("a.py"), is_compiled)));
    CHECK(is_changed(world.disk().remove_directory(DiskWorld::path("nothing"), is_compiled)));
    CHECK(is_changed(world.disk().set_attributes(DiskWorld::path("b.py"), state, {0600, {}, {}})));
    world.mkdir("d");
    CHECK(is_changed(world.disk().remove(DiskWorld::path("d"), state, std::nullopt)));
    CHECK(world.read("a.py") == "a");
    CHECK(world.leftovers().empty());
  }
}

TEST_CASE("sync takes few paths, many paths, and paths that are gone") {
  DAGSYNC_ON_EACH(safe_grounds(), world) {
    world.mkdir("sub");
    world.symlink("nowhere", "sub/link");
    std::vector<RelPath> paths{DiskWorld::path("gone"), DiskWorld::path("sub/gone/too"),
                               DiskWorld::path("sub"), DiskWorld::path("sub/link")};
    for (int i = 0; i < 3; ++i) {
      const std::string name = "sub/" + std::to_string(i);
      world.write(name, "old");
      REQUIRE(world.publish(name, world.look(name), world.staged_file("new"), kept_id(i)));
      paths.push_back(DiskWorld::path(name));
    }
    CHECK(world.disk().sync(paths).has_value());
    CHECK(world.disk().sync({}).has_value());
    for (int i = 0; i < 200; ++i)
      paths.push_back(DiskWorld::path("gone" + std::to_string(i)));
    CHECK(world.disk().sync(paths).has_value());
  }
}

}  // namespace dagsync
