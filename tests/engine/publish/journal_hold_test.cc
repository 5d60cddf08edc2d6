// When the journal holds a sync back.
#include "engine/publish/journal_world.h"

using namespace dagsync;

TEST_CASE("edits made here are not synced while they spread, but for so long") {
  JournalWorld world;
  world.is_spreading = true;
  world.edit("a");
  world.worker.run_all();
  CHECK(world.diary == Diary{"lazily: put a"});
  CHECK_FALSE(world.journal.idle());

  SUBCASE("until nobody gets them any more") {
    world.journal.reconsider();
    world.worker.run_all();
    CHECK(world.diary.size() == 1);
    world.is_spreading = false;
    world.journal.reconsider();
  }
  SUBCASE("until the time is up") {
    world.clock.advance(Journal::kLongestHold - std::chrono::milliseconds(1));
    world.worker.run_all();
    CHECK(world.diary.size() == 1);
    world.clock.advance(std::chrono::milliseconds(1));
  }
  SUBCASE("until somebody waits for it") {
    world.journal.when_durable([] {});
  }
  SUBCASE("until a change of a peer is published") {
    world.journal.sync_later(std::vector{world.journal.open_intent(path("b"))});
  }
  SUBCASE("until a peer waits for a row") {
    world.put("b");
  }
  SUBCASE("until the end") {
    world.journal.close([] {});
    world.edit("b");
  }
  world.worker.run_all();
  const auto is_sync = [](const std::string& line) { return line.starts_with("sync a"); };
  CHECK(std::any_of(world.diary.begin(), world.diary.end(), is_sync));
  CHECK(world.diary.back().ends_with("meta"));
  CHECK(world.journal.idle());
}

TEST_CASE("a burst is synced when it is over") {
  constexpr Duration kMoment = std::chrono::milliseconds(1);
  JournalWorld world;
  world.is_publishing = true;
  world.publish_burst(kMaxPathsSyncedSingly + 1);
  world.worker.run_all();
  CHECK(world.syncs() == 0);
  CHECK_FALSE(world.journal.idle());

  SUBCASE("which shows when nothing more has come for a while") {
    world.pass(Journal::kPauseInBurst);
    CHECK(world.syncs() == 0);  // more is on its way into the folder
    world.is_publishing = false;
    world.publish_burst(1);
    world.pass(Journal::kPauseInBurst - kMoment);
    CHECK(world.syncs() == 0);
    world.pass(kMoment);
    CHECK(world.syncs() == 1);
  }
  SUBCASE("or after so long, and then anew") {
    world.pass(Journal::kLongestHold - kMoment);
    CHECK(world.syncs() == 0);
    world.pass(kMoment);
    CHECK(world.syncs() == 1);
    world.publish_burst(kMaxPathsSyncedSingly + 1);
    world.pass(Journal::kLongestHold - kMoment);
    CHECK(world.syncs() == 1);
    world.pass(kMoment);
    CHECK(world.syncs() == 2);
  }
  SUBCASE("or when somebody waits for it") {
    world.journal.when_durable([] {});
    world.worker.run_all();
    CHECK(world.syncs() == 1);
  }
  SUBCASE("or at the end") {
    world.journal.close([] {});
    world.worker.run_all();
    CHECK(world.syncs() == 1);
  }
  world.is_publishing = false;
  world.pass(Journal::kPauseInBurst);
  CHECK(world.journal.idle());
}

TEST_CASE("a few paths are synced at once, whatever else is on its way") {
  JournalWorld world;
  world.is_publishing = true;
  world.publish_burst(kMaxPathsSyncedSingly);
  world.worker.run_all();
  CHECK(world.syncs() == 1);
}
