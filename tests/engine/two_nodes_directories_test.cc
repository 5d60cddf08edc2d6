// Directories that nobody recorded: they stand for what lies in them.
#include <fcntl.h>
#include <unistd.h>

#include "engine/two_nodes.h"

using namespace dagsync;

namespace {

// d was deleted on one node while the other one put d/y.py into it.
void imply_directory(TwoNodes& world) {
  world.a().real.mkdir("d");
  world.a().write_old("d/x.py", "x");
  world.look_and_sync(world.a());
  world.disconnect();
  std::filesystem::remove_all(world.a().real.real("d"));
  world.look(world.a());
  world.b().real.write("d/y.py", "y");
  world.look_at(world.b(), "d/y.py");
  world.connect();
  world.until_in_sync();
  REQUIRE(world.a().real.read("d/y.py") == "y");
  REQUIRE_FALSE(world.b().real.exists("d/x.py"));
}

}  // namespace

TEST_CASE("a directory goes with the last that implied it, when a passing file has left it, too") {
  TwoNodes world;
  world.start();
  imply_directory(world);
  const std::string passing = world.b().real.real("d/passing.tmp");
  const int fd = ::open(passing.c_str(), O_CREAT | O_WRONLY, 0600);
  REQUIRE(fd >= 0);
  std::filesystem::remove(world.a().real.real("d/y.py"));
  world.look_and_sync(world.a());
  REQUIRE_FALSE(world.b().real.exists("d/y.py"));
  CHECK(world.b().real.exists("d"));
  ::close(fd);
  std::filesystem::remove(passing);
  world.until([&] { return !world.b().real.exists("d"); });
  world.look(world.b());
  world.until_in_sync();
  CHECK_FALSE(world.a().real.exists("d"));
}

TEST_CASE("a directory that cannot be listed is named, and looked at again when it can") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  std::string unlisted = "d";
  a.disk->refuse = [&](const std::string& step, const RelPath& path) -> std::optional<Error> {
    if (step != "list" || path.bytes() != unlisted) return std::nullopt;
    return Error{ErrorCode::kIo, "list d: input/output error"};
  };
  a.real.mkdir("d");
  a.real.write("d/x.py", "x");
  a.real.write("y.py", "y");
  world.look(a);
  world.until([&] { return world.b().real.exists("y.py"); });
  CHECK(a.trouble().find("input/output error") != std::string::npos);
  CHECK_FALSE(world.b().real.exists("d/x.py"));
  CHECK_FALSE(a.node.in_sync());
  unlisted = "nothing";
  world.until([&] { return world.b().real.exists("d/x.py"); });
  world.until_in_sync();
  CHECK(a.trouble() == "");
}

TEST_CASE("a file takes the place of a directory that something was only passing through") {
  TwoNodes world;
  world.start();
  imply_directory(world);
  world.disconnect();
  std::filesystem::remove_all(world.a().real.real("d"));
  world.a().real.write("d", "a file now");
  world.look(world.a());
  world.connect();
  world.until([&] { return std::filesystem::is_regular_file(world.b().real.real("d")); });
  world.until_in_sync();
  CHECK(world.b().real.read("d") == "a file now");
}

TEST_CASE("what stood below is kept even where the file that takes the place has its bytes") {
  TwoNodes world;
  world.start();
  auto& a = world.a();
  a.real.mkdir("d");
  a.write_old("d/x.py", "x");
  world.look_and_sync(a);
  world.disconnect();
  a.write_old("d/same.py", "same");
  world.look(a);
  std::filesystem::remove_all(world.b().real.real("d"));
  world.b().real.write("d", "same");
  world.look(world.b());
  world.connect();
  world.until([&] { return std::filesystem::is_regular_file(a.real.real("d")); });
  world.until_in_sync();
  CHECK(a.folder().versions().of(DiskWorld::path("d/same.py")).size() == 1);
}
