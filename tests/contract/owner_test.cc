#include <doctest/doctest.h>

#include "contract/folders.h"
#include "support/paths.h"

namespace dagsync {
namespace {

const std::string kSomebody = "4000000:4000001";  // of whom no machine has a name
const std::string kOther = "4000002:4000001";

Disk::Owned owned(TestFolder& folder, const std::string& name) {
  return folder.disk().owner_of(path(name), *folder.look(name), {});
}

}  // namespace

TEST_CASE("what is published belongs to whom its record names, before it can be seen") {
  DAGSYNC_IN_EACH(owning_folders(), folder) {
    CHECK(folder.disk().keeps_owners());
    const auto file =
        folder.publish("a", std::nullopt, folder.staged_file("1", 0640, {7}, kSomebody));
    REQUIRE(file.has_value());
    CHECK(file->now == folder.look("a"));
    CHECK(file->now->mode == 0640);
    CHECK(folder.publish("l", std::nullopt, folder.staged_symlink("a", kSomebody)));
    CHECK(folder.publish("d", std::nullopt, folder.staged_directory(02750, kSomebody)));
    CHECK(folder.look("d")->mode == 02750);
    for (const char* name : {"a", "l", "d"}) {
      CHECK(folder.owner(name) == kSomebody);
      CHECK(*owned(folder, name).owner == kSomebody);
      CHECK_FALSE(owned(folder, name).stands_in);
    }
    // Over what stands there, too.
    CHECK(folder.publish("a", folder.look("a"), folder.staged_file("2", 0600, {8}, kOther)));
    CHECK(folder.owner("a") == kOther);
    CHECK(folder.publish("d", folder.look("d"), folder.staged_directory(0700, kOther)));
    CHECK(folder.owner("d") == kOther);
    // Nobody has told: it is left alone.
    CHECK(folder.publish("d", folder.look("d"), folder.staged_directory(0750)));
    CHECK(folder.owner("d") == kOther);
    CHECK(folder.disk().degraded().find("belong") == std::string::npos);
    CHECK(folder.leftovers().empty());
  }
}

TEST_CASE("an owner is set in place, and what is right already gets no new ctime") {
  DAGSYNC_IN_EACH(owning_folders(), folder) {
    folder.write("a", "bytes");
    folder.mkdir("d");
    folder.symlink("a", "l");
    for (const std::string name : {"a", "d", "l"}) {
      CAPTURE(name);
      const Attributes attributes{0755, UnixNanos{5}, kSomebody};
      const auto set = folder.disk().set_attributes(path(name), *folder.look(name), attributes);
      REQUIRE(set.has_value());
      CHECK(set->outcome == PublishOutcome::kDone);
      CHECK(folder.owner(name) == kSomebody);
      CHECK(set->now == folder.look(name));
      folder.wait_a_tick();
      const auto again = folder.disk().set_attributes(path(name), *set->now, attributes);
      REQUIRE(again.has_value());
      CHECK(again->now == set->now);
      // Nobody has told: it is left alone.
      CHECK(folder.disk().set_attributes(path(name), *set->now, {0700, {}, ""}));
      CHECK(folder.owner(name) == kSomebody);
    }
  }
}

TEST_CASE("a chown is no content, but an unexpected change") {
  DAGSYNC_IN_EACH(owning_folders(), folder) {
    folder.mkdir("d");
    folder.write("a", "bytes");
    for (const std::string name : {"a", "d"}) {
      const auto before = folder.look(name);
      folder.chown(name, kSomebody);
      const auto set = folder.disk().set_attributes(path(name), *before, {0700, {}, kOther});
      REQUIRE(set.has_value());
      CHECK(set->outcome == PublishOutcome::kChanged);
      CHECK(folder.owner(name) == kSomebody);
      CHECK(*owned(folder, name).owner == kSomebody);
    }
  }
}

TEST_CASE("a folder that keeps no owners looks at none, and gives nothing away") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    CHECK_FALSE(folder.disk().keeps_owners());
    folder.write("a", "bytes");
    const std::string own = folder.owner("a");
    CHECK(folder.publish("b", std::nullopt, folder.staged_file("1", 0644, {7}, kSomebody)));
    CHECK(folder.owner("b") == own);
    CHECK(folder.disk().set_attributes(path("a"), *folder.look("a"), {0600, {}, kSomebody}));
    CHECK(folder.owner("a") == own);
    const auto shown = folder.disk().owner_of(path("a"), *folder.look("a"), kSomebody);
    CHECK(*shown.owner == kSomebody);
    CHECK_FALSE(shown.stands_in);
    CHECK(owned(folder, "a").owner->empty());
  }
}

}  // namespace dagsync
