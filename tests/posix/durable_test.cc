#include "posix/durable.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "posix/contents.h"
#include "posix/disk_world.h"
#include "posix/unique_fd.h"

namespace dagsync {
namespace {

struct DurableWorld {
  DiskWorld real;
  UniqueFd root{::open(real.real("").c_str(), O_RDONLY | O_DIRECTORY)};
  DurableDirectories durable;

  void make_durable(const std::string& name, UnixNanos moment) {
    const auto done = dagsync::make_durable(root.get(), {DiskWorld::path(name)}, durable, moment);
    REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
  }
  [[nodiscard]] bool has(const std::string& name) { return durable.has(*real.look(name)); }
  // When what stands there, and was changed now, may be taken for durable.
  [[nodiscard]] UnixNanos later(const std::string& name) {
    return real.look(name)->ctime + DurableDirectories::kLongestTick;
  }
};

}  // namespace

TEST_CASE("directories above are durable with a path, until something changes in them") {
  DurableWorld world;
  world.real.mkdir("a");
  world.real.mkdir("a/b");
  world.real.write("a/b/f.py", "1");
  world.make_durable("a/b/f.py", world.later("a/b/f.py"));
  CHECK(world.has("a"));
  CHECK(world.has("a/b"));
  CHECK_FALSE(world.has("a/b/f.py"));

  world.real.write("a/b/f.py", "2");  // in place
  CHECK(world.has("a/b"));
  world.real.write("a/b/g.py", "1");
  CHECK_FALSE(world.has("a/b"));
  CHECK(world.has("a"));
  world.make_durable("a/b/g.py", world.later("a/b"));
  CHECK(world.has("a/b"));

  // Another one in its place.
  world.real.mkdir("c");
  REQUIRE(::rename(world.real.real("a/b").c_str(), world.real.real("old").c_str()) == 0);
  REQUIRE(::rename(world.real.real("c").c_str(), world.real.real("a/b").c_str()) == 0);
  CHECK_FALSE(world.has("a"));
  CHECK_FALSE(world.has("a/b"));
  CHECK_FALSE(world.has("old"));
}

TEST_CASE("a large file is made durable in steps, with what is left at its end") {
  DurableWorld world;
  const std::string bytes(2 * kWriteBackStep + 3, 'x');
  world.real.write("large", bytes);
  world.make_durable("large", world.later("large"));
  CHECK(world.real.read("large") == bytes);
}

TEST_CASE(
    "a directory that changed lately is not taken for durable: its ctime may not show the next "
    "change") {
  DurableWorld world;
  world.real.mkdir("a");
  world.real.write("a/f.py", "1");
  const UnixNanos later = world.later("a");
  world.make_durable("a/f.py", UnixNanos{later.value - 1});
  CHECK_FALSE(world.has("a"));
  world.make_durable("a/f.py", later);
  CHECK(world.has("a"));
}

}  // namespace dagsync
