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

TEST_CASE("a writer is seen until it closes, a reader is none") {
  DiskWorld world;
  world.write("a.py", "a");
  const RelPath path = DiskWorld::path("a.py");
  CHECK(world.disk().check_writer(path) == WriterCheck::kNone);
  const int reader = ::open(world.real("a.py").c_str(), O_RDONLY | O_CLOEXEC);
  CHECK(world.disk().check_writer(path) == WriterCheck::kNone);
  const int writer = open_for_writing(world, "a.py");
  CHECK(world.disk().check_writer(path) == WriterCheck::kWriter);
  ::close(writer);
  CHECK(world.disk().check_writer(path) == WriterCheck::kNone);
  ::close(reader);
  CHECK(world.disk().check_writer(DiskWorld::path("nothing")) == WriterCheck::kNone);
  CHECK(world.disk().degraded().empty());
}

TEST_CASE("an opened file knows its writer, also when another file has taken its name") {
  DiskWorld world;
  world.write("a.py", "a");
  const auto file = world.disk().open(DiskWorld::path("a.py"));
  REQUIRE(file.has_value());
  CHECK((*file)->check_writer() == WriterCheck::kNone);
  CHECK((*file)->check_writer() == WriterCheck::kNone);  // the first left no lease behind
  const int writer = open_for_writing(world, "a.py");
  CHECK((*file)->check_writer() == WriterCheck::kWriter);
  world.save_by_rename("a.py", "b");
  CHECK((*file)->check_writer() == WriterCheck::kWriter);
  CHECK(world.disk().check_writer(DiskWorld::path("a.py")) == WriterCheck::kNone);
  ::close(writer);
  CHECK((*file)->check_writer() == WriterCheck::kNone);
}

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

TEST_CASE("a file that is being written is neither replaced nor removed nor touched") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    world.write("a.py", "before");
    const int writer = open_for_writing(world, "a.py");
    const auto expected = world.look("a.py");
    const RelPath path = DiskWorld::path("a.py");
    const auto is_busy = [](const Result<Published>& done) {
      return done.has_value() && done->outcome == PublishOutcome::kBusy;
    };
    CHECK(is_busy(world.publish("a.py", expected, world.staged_file("remote"), kept_id(1))));
    CHECK(is_busy(world.publish("a.py", expected, world.staged_directory(), kept_id(1))));
    CHECK(is_busy(world.disk().remove(path, *expected, kept_id(1))));
    CHECK(is_busy(world.disk().set_attributes(path, *expected, {0600, UnixNanos{1}, {}})));
    CHECK(fails_with(world.disk().stage_link(path, *expected),
                     each_ground == Ground::kTwoFileSystems ? ErrorCode::kUnsupported
                                                            : ErrorCode::kUnavailable));
    CHECK(world.look("a.py") == expected);
    REQUIRE(::pwrite(writer, "after!", 6, 0) == 6);
    ::close(writer);
    CHECK(world.read("a.py") == "after!");
    CHECK(world.disk().list_kept().value().empty());
    CHECK(world.leftovers().empty());
    REQUIRE(world.publish("a.py", world.look("a.py"), world.staged_file("remote"), kept_id(1)));
    CHECK(world.kept(kept_id(1)) == "after!");
  }
}

TEST_CASE("what was just published has no writer") {
  DAGSYNC_ON_EACH(all_grounds(), world) {
    REQUIRE(world.publish("a.py", std::nullopt, world.staged_file("x")).has_value());
    CHECK(world.disk().check_writer(DiskWorld::path("a.py")) == WriterCheck::kNone);
  }
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
