// Owners on a real disk. Only root can give files away: elsewhere most of it says so and is left
// out.
#include <doctest/doctest.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/disk_world.h"

namespace dagsync {
namespace {

constexpr std::uint32_t kUser = 4'000'000;  // of which no machine has a name
constexpr std::uint32_t kGroup = 4'000'001;
const std::string kOwner = "4000000:4000001";
const std::string kNobodyHere = "dagsync-no-such-user:root";

OwnerRule keeping(bool may_give = true) {
  return {true, std::nullopt, may_give};
}

bool is_root() {
  if (::geteuid() == 0) return true;
  MESSAGE("left out: only root can give files away");
  return false;
}

Owner owner_on(const DiskWorld& world, const std::string& name) {
  struct stat seen {};
  REQUIRE(::lstat(world.real(name).c_str(), &seen) == 0);
  return {seen.st_uid, seen.st_gid};
}

constexpr Owner kGiven{kUser, kGroup};

Owner self() {
  return {::geteuid(), ::getegid()};
}

Disk::Owned owned(DiskWorld& world, const std::string& name, const std::string& recorded = "") {
  return world.disk().owner_of(DiskWorld::path(name), *world.look(name), recorded);
}

TEST_CASE("what this machine cannot give is published all the same, and told") {
  for (const bool may_give : {true, false}) {
    CAPTURE(may_give);
    DiskWorld world(Ground::kOneFileSystem, true, keeping(may_give));
    REQUIRE(world.publish("a", std::nullopt, world.staged_file("1", 0644, {7}, kNobodyHere)));
    REQUIRE(world.publish("d", std::nullopt, world.staged_directory(0755, kNobodyHere)));
    CHECK(world.read("a") == "1");
    CHECK(owner_on(world, "a") == self());
    CHECK(world.disk().degraded() ==
          "2 path(s), a for one, do not belong to dagsync-no-such-user:root, "
          "whom this machine does not know: create that user and group, or set another [[folder]] "
          "owner; then `dagsync verify --repair` mends them");
    // The record stays right, whatever else becomes of the file.
    CHECK(*owned(world, "a", kNobodyHere).owner == kNobodyHere);
    CHECK(owned(world, "a", kNobodyHere).stands_in);
    // It goes when nothing of it is left.
    CHECK(world.disk().remove(DiskWorld::path("a"), *world.look("a"), std::nullopt));
    CHECK_FALSE(world.look("a").has_value());
    CHECK(world.publish("d", world.look("d"), world.staged_directory(0755, "")));
    CHECK(world.disk().degraded().empty());
  }
}

TEST_CASE("what is given to somebody unknown is taken from whom it belonged to") {
  if (!is_root()) return;
  DiskWorld world(Ground::kOneFileSystem, true, keeping());
  world.write("a", "bytes");
  world.mkdir("d");
  for (const std::string name : {"a", "d"}) {
    REQUIRE(::chown(world.real(name).c_str(), kUser, kGroup) == 0);
    const auto set = world.disk().set_attributes(DiskWorld::path(name), *world.look(name),
                                                 {0600, {}, kNobodyHere});
    REQUIRE(set.has_value());
    CHECK(set->now == world.look(name));
    CHECK(owner_on(world, name) == self());
    CHECK(owned(world, name, kNobodyHere).stands_in);
  }
  REQUIRE(::chown(world.real("d").c_str(), kUser, kGroup) == 0);
  REQUIRE(world.publish("d", world.look("d"), world.staged_directory(0755, kNobodyHere)));
  CHECK(owner_on(world, "d") == self());
}

TEST_CASE("a daemon that may not give files away keeps them, and says whose they should be") {
  DiskWorld world(Ground::kOneFileSystem, true, keeping(false));
  world.write("a", "bytes");
  const Disk::Owned seen = owned(world, "a", kOwner);
  CHECK(seen.stands_in);
  CHECK(*seen.owner == kOwner);
  CHECK(world.disk().degraded().find(kOwner + ", whom the daemon may not give them to: let it have "
                                              "CAP_CHOWN (conf/systemd/any-owner.conf)") !=
        std::string::npos);
  if (!is_root()) return;
  // Who owns it now is a person's choice, if not the daemon.
  REQUIRE(::chown(world.real("a").c_str(), 1, 1) == 0);
  CHECK_FALSE(owned(world, "a", kOwner).stands_in);
  CHECK(*owned(world, "a", kOwner).owner == *owned(world, "a").owner);
  CHECK(world.disk().degraded().empty());
}

TEST_CASE("what the kernel refused to give is no choice of a person, until one gives it away") {
  if (!is_root()) return;
  for (const bool may_give : {true, false}) {
    CAPTURE(may_give);
    DiskWorld world(Ground::kOneFileSystem, true, keeping(may_give));
    world.write("stood", "bytes");
    REQUIRE(::chown(world.real("stood").c_str(), 1, 1) == 0);
    {
      const WithoutCapabilities without{CAP_CHOWN};
      REQUIRE(world.publish("new", std::nullopt, world.staged_file("1", 0644, {7}, kOwner)));
      const auto set = world.disk().set_attributes(DiskWorld::path("stood"), *world.look("stood"),
                                                   {0644, {}, kOwner});
      REQUIRE(set.has_value());
      CHECK(set->outcome == PublishOutcome::kDone);
    }
    CHECK(owner_on(world, "new") == self());
    CHECK(owner_on(world, "stood") == Owner{1, 1});
    for (const std::string name : {"new", "stood"}) {
      CAPTURE(name);
      const Disk::Owned seen = owned(world, name, kOwner);
      CHECK(seen.stands_in);
      CHECK(*seen.owner == kOwner);
    }
    const std::string told = world.disk().degraded();
    CHECK(told.starts_with("2 path(s), new for one, do not belong to " + kOwner));
    CHECK((told.find("lets nobody give them") != std::string::npos) == may_give);
    CHECK((told.find("CAP_CHOWN") != std::string::npos) != may_give);

    REQUIRE(::chown(world.real("stood").c_str(), 2, 2) == 0);
    CHECK(*owned(world, "stood", kOwner).owner == *owned(world, "stood").owner);
    REQUIRE(::chown(world.real("new").c_str(), kUser, kGroup) == 0);
    CHECK_FALSE(owned(world, "new", kOwner).stands_in);
    CHECK(world.disk().degraded().empty());
  }
}

TEST_CASE("an owner under another name is the same") {
  DiskWorld world(Ground::kOneFileSystem, true, keeping());
  world.write("a", "bytes");
  const std::string numbers = std::to_string(::geteuid()) + ":" + std::to_string(::getegid());
  CHECK(*owned(world, "a", numbers).owner == numbers);
  CHECK(*owned(world, "a", kOwner).owner == *owned(world, "a").owner);
}

TEST_CASE("a folder may give all to one") {
  if (!is_root()) return;
  DiskWorld world(Ground::kOneFileSystem, true, {false, kGiven, true});
  CHECK(world.publish("b", std::nullopt, world.staged_file("1", 0644, {7}, "0:0")));
  CHECK(owner_on(world, "b") == kGiven);
  const auto set =
      world.disk().set_attributes(DiskWorld::path("b"), *world.look("b"), {0600, {}, "0:0"});
  REQUIRE(set.has_value());
  CHECK(owner_on(world, "b") == kGiven);
}

}  // namespace
}  // namespace dagsync
