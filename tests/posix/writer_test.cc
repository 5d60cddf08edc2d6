#include <doctest/doctest.h>
#include <sys/mman.h>

#include "posix/disk_world.h"

namespace dagsync {
namespace {

int open_for_writing(const DiskWorld& world, const std::string& name) {
  const int fd = ::open(world.real(name).c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(fd >= 0);
  return fd;
}

}  // namespace

TEST_CASE("a writable mapping is a writer, even after its descriptor is closed") {
  DiskWorld world;
  world.write("a.py", "abcd");
  const int fd = open_for_writing(world, "a.py");
  void* mapped = ::mmap(nullptr, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  REQUIRE(mapped != MAP_FAILED);
  ::close(fd);
  CHECK(world.disk().check_writer(DiskWorld::path("a.py")) == WriterCheck::kWriter);
  ::munmap(mapped, 4);
  CHECK(world.disk().check_writer(DiskWorld::path("a.py")) == WriterCheck::kNone);
}

TEST_CASE("an open that got the old file in the moment of its replacement writes a local edit") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    for (const bool kept : {false, true}) {
      CAPTURE(kept);
      const std::string name = kept ? "kept.py" : "gone.py";
      world.write(name, "old");
      // Stands for an open() that found the inode, and has not got as far as to be a writer.
      const int found = ::open(world.real(name).c_str(), O_PATH | O_CLOEXEC);
      REQUIRE(world.publish(name, world.look(name), world.staged_file("mesh"),
                            kept ? std::optional(kept_id(1)) : std::nullopt));
      const int writer = ::open(("/proc/self/fd/" + std::to_string(found)).c_str(), O_WRONLY);
      REQUIRE(writer >= 0);
      ::close(found);
      REQUIRE(::pwrite(writer, "edited", 6, 0) == 6);
      REQUIRE(world.disk().sync({}));
      CHECK(world.read(name) == "mesh");  // it may write more
      ::close(writer);
      REQUIRE(world.disk().sync({}));
      CHECK(world.read(name) == "edited");
      CHECK(world.leftovers().empty());
    }
  }
}

TEST_CASE("such an edit of a file that was removed, or replaced by a younger one, is kept") {
  DAGSYNC_ON_EACH(safe_grounds(), world) {
    for (const bool removed : {false, true}) {
      CAPTURE(removed);
      world.write("a.py", "old");
      const int found = ::open(world.real("a.py").c_str(), O_PATH | O_CLOEXEC);
      const UnixNanos far_future{4'000'000'000'000'000'000};
      const auto expected = world.look("a.py");
      const auto done =
          removed ? world.disk().remove(DiskWorld::path("a.py"), *expected, std::nullopt)
                  : world.publish("a.py", expected, world.staged_file("young", 0644, far_future));
      REQUIRE(done.has_value());
      const int writer = ::open(("/proc/self/fd/" + std::to_string(found)).c_str(), O_WRONLY);
      REQUIRE(::pwrite(writer, "edited", 6, 0) == 6);
      ::close(writer);
      ::close(found);
      REQUIRE(world.disk().sync({}));
      const auto kept = world.disk().list_kept().value();
      REQUIRE(kept.size() == 1);
      CHECK(world.kept(kept.front()) == "edited");
      REQUIRE(world.disk().remove_kept(kept.front()));
      CHECK(world.exists("a.py") != removed);
      if (!removed) CHECK(world.read("a.py") == "young");
      world.restart();
      ::unlink(world.real("a.py").c_str());
    }
  }
}

TEST_CASE("files of somebody else give no leases: nobody can say who writes them") {
  if (::geteuid() != 0) return;  // nobody else can become somebody else
  DiskWorld world;
  world.write("a.py", "root's");
  REQUIRE(::chmod(world.real("").c_str(), 0755) == 0);
  REQUIRE(::seteuid(65534) == 0);
  const WriterCheck check = world.disk().check_writer(DiskWorld::path("a.py"));
  REQUIRE(::seteuid(0) == 0);
  CHECK(check == WriterCheck::kUnknown);
}

TEST_CASE("a disk without an exchange of names says so") {
  DiskWorld world(Ground::kNoExchange);
  CHECK(world.disk().degraded().find("exchange") != std::string::npos);
  DiskWorld healthy;
  CHECK(healthy.disk().degraded().empty());
}

}  // namespace dagsync
