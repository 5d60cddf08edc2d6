#include "dagsync/engine/journal.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "posix/disk_world.h"
#include "support/fake_clock.h"
#include "support/inline_worker.h"
#include "support/memory_store.h"
#include "support/noting_disk.h"
#include "support/paths.h"

using namespace dagsync;

namespace {

using Diary = std::vector<std::string>;

const AuthorId kAuthor{{"b"}, {1}};

struct JournalWorld {
  DiskWorld disk_world;
  Diary diary;
  FakeClock clock;
  InlineWorker worker;
  MemoryStore store{&diary};
  NotingDisk disk{disk_world.disk(), diary};
  Knowledge known;  // what the folder would say
  Knowledge durable;
  int failures = 0;
  Lane lane = worker.new_lane();
  bool is_spreading = false;
  bool is_publishing = false;
  Journal journal{clock,
                  worker,
                  lane,
                  disk,
                  store,
                  {[this] {
                     FolderMeta meta;
                     meta.clean = true;
                     meta.knowledge = known;
                     return meta;
                   },
                   [this](const Knowledge& knowledge) { durable.add(knowledge); },
                   [this](const Error&) { ++failures; }, [this] { return is_spreading; },
                   [this] { return is_publishing; }}};

  void put(const std::string& name) {
    journal.write(Transaction::PutEntry{path(name), IndexEntry{}});
  }
  // As the folder does where a person edited something.
  void edit(const std::string& name) {
    {
      const Journal::Together together(journal, Journal::Of::kEdits);
      put(name);
    }
    journal.sync_edits({path(name)}, {});
  }
  // As the publisher does when a path stands on the disk.
  void published(const Journal::Mark& mark, Sequence sequence) {
    known.add(ChangeId{kAuthor, sequence});
    journal.sync_later(std::vector{mark});
    put(mark.path.bytes());
  }
  void publish_burst(std::size_t files) {
    std::vector<Journal::Mark> marks;
    for (std::size_t i = 0; i < files; ++i)
      marks.push_back(journal.open_intent(path(std::to_string(i))));
    journal.sync_later(std::move(marks));
  }
  [[nodiscard]] std::size_t syncs() const {
    return static_cast<std::size_t>(
        std::count_if(diary.begin(), diary.end(),
                      [](const std::string& line) { return line.starts_with("sync "); }));
  }
};

}  // namespace

TEST_CASE("a row goes to the store before the group that makes it durable") {
  JournalWorld world;
  const auto mark = world.journal.open_intent(path("a.py"));
  world.published(mark, 1);
  CHECK_FALSE(world.journal.idle());
  CHECK_FALSE(world.durable.covers(world.known));
  world.worker.run_all();
  REQUIRE(world.diary.size() >= 3);
  CHECK(Diary(world.diary.begin(), world.diary.begin() + 3) ==
        Diary{"sync a.py", "lazily: put a.py", "durably: clear a.py, meta"});
  CHECK(world.durable.covers(world.known));
  CHECK(world.journal.idle());
}

TEST_CASE("rows gather while a commit is under way, and keep their order") {
  JournalWorld world;
  for (const char* name : {"a", "b", "c"})
    world.put(name);
  world.worker.run_all();
  CHECK(world.diary == Diary{"lazily: put a", "lazily: put b, put c", "durably: meta"});
}

TEST_CASE("rows that are written together are committed together, and not before") {
  JournalWorld world;
  bool is_written = false;
  {
    const Journal::Together together(world.journal);
    world.put("a.py");
    world.put("b.py");
    world.journal.when_written([&] { is_written = true; });
    world.worker.run_all();
    CHECK(world.diary.empty());
    CHECK_FALSE(is_written);
  }
  world.worker.run_all();
  CHECK(is_written);
  REQUIRE_FALSE(world.diary.empty());
  CHECK(world.diary.front() == "lazily: put a.py, put b.py");
}

TEST_CASE("an intent is cleared by the group that synced its file, and by no earlier one") {
  JournalWorld world;
  world.journal.sync_later(std::vector{world.journal.open_intent(path("a"))});
  const auto late = world.journal.open_intent(path("b"));
  REQUIRE(world.worker.waiting() == 1);  // a is being synced
  world.journal.sync_later(std::vector{late});
  world.worker.run_all();
  CHECK(world.diary ==
        Diary{"sync a", "durably: clear a, meta", "sync b", "durably: clear b, meta"});
}

TEST_CASE("an intent that nobody has published yet stays") {
  JournalWorld world;
  (void)world.journal.open_intent(path("a"));
  world.journal.touch();
  world.worker.run_all();
  CHECK(world.diary == Diary{"durably: meta"});
}

TEST_CASE("a path that is published again keeps its newer intent") {
  JournalWorld world;
  world.journal.sync_later(std::vector{world.journal.open_intent(path("a"))});
  const auto again = world.journal.open_intent(path("a"));
  world.worker.run_all();
  CHECK(world.diary == Diary{"sync a", "durably: meta"});
  world.journal.sync_later(std::vector{again});
  world.worker.run_all();
  CHECK(world.diary.back() == "durably: clear a, meta");
}

TEST_CASE("where nothing was published the intent goes at once, but not a newer one") {
  JournalWorld world;
  const auto first = world.journal.open_intent(path("a"));
  const auto second = world.journal.open_intent(path("a"));
  world.journal.withdraw(first);
  world.worker.run_all();
  CHECK(world.diary.empty());
  world.journal.withdraw(second);
  world.worker.run_all();
  CHECK(world.diary == Diary{"lazily: clear a", "durably: meta"});
}

TEST_CASE("an intent that goes late takes no newer one with it") {
  JournalWorld world;
  const auto first = world.journal.open_intent(path("a"));
  world.store.failures = 1;  // so that the withdrawal has to wait
  world.journal.withdraw(first);
  world.worker.run_all();
  CHECK(world.failures == 1);
  (void)world.journal.open_intent(path("a"));
  world.put("b");
  world.worker.run_all();
  CHECK(world.diary == Diary{"lazily: put b", "durably: meta"});
}

TEST_CASE("rows that could not be written are kept, in front of later ones") {
  JournalWorld world;
  world.store.failures = 1;
  world.put("a");
  world.put("b");
  world.worker.run_all();
  CHECK(world.failures == 1);
  CHECK(world.diary.empty());
  CHECK_FALSE(world.journal.idle());
  world.journal.touch();
  world.worker.run_all();
  CHECK(world.diary == Diary{"lazily: put a, put b", "durably: meta"});
  CHECK(world.journal.idle());
}

TEST_CASE("a group that could not be committed acknowledges nothing, and is tried again") {
  JournalWorld world;
  bool told = false;
  world.journal.sync_later(std::vector{world.journal.open_intent(path("a"))});
  world.worker.run_one();
  world.known.add(ChangeId{kAuthor, 1});
  world.journal.when_durable([&] { told = true; });
  world.store.failures = 1;
  world.worker.run_all();
  CHECK(world.failures == 1);
  CHECK_FALSE(told);
  world.journal.touch();
  world.worker.run_all();
  CHECK(told);
  CHECK(world.durable.covers(world.known));
  CHECK(std::count(world.diary.begin(), world.diary.end(), "durably: clear a, meta") == 1);
}

TEST_CASE("where a file could not be synced nothing is acknowledged and no intent cleared") {
  JournalWorld world;
  world.disk.sync_failures = 1;
  bool told = false;
  world.known.add(ChangeId{kAuthor, 1});
  world.journal.sync_later(std::vector{world.journal.open_intent(path("a"))});
  world.journal.when_durable([&] { told = true; });
  world.worker.run_all();
  CHECK(world.failures == 1);
  CHECK_FALSE(told);
  CHECK(world.diary.empty());
  CHECK_FALSE(world.durable.covers(world.known));
  world.journal.touch();
  world.worker.run_all();
  CHECK(told);
  CHECK(world.diary == Diary{"sync a", "durably: clear a, meta"});
}

TEST_CASE("no intent is cleared while the row that replaces it is not in the store") {
  JournalWorld world;
  const auto mark = world.journal.open_intent(path("a"));
  world.store.failures = 1;  // of the row, not of the group behind it
  world.published(mark, 1);
  world.worker.run_all();
  CHECK(world.diary == Diary{"sync a"});
  CHECK_FALSE(world.durable.covers(world.known));
  world.journal.touch();
  world.worker.run_all();
  CHECK(world.diary[1] == "lazily: put a");
  CHECK(std::count(world.diary.begin(), world.diary.end(), "durably: clear a, meta") == 1);
  CHECK(world.durable.covers(world.known));
}

TEST_CASE("rows are written when their commit is done, and not before") {
  JournalWorld world;
  std::vector<int> called;
  const auto note = [&](int n) { return [&called, n] { called.push_back(n); }; };
  world.journal.when_written(note(0));  // nothing is under way
  CHECK(called == std::vector{0});
  world.put("a");
  world.journal.when_written(note(1));
  world.put("b");
  world.journal.when_written(note(2));
  CHECK(called == std::vector{0});
  world.worker.run_one(world.lane);
  CHECK(called == std::vector{0, 1});
  world.store.failures = 1;
  world.worker.run_one(world.lane);
  CHECK(called == std::vector{0, 1});
  world.journal.touch();
  world.worker.run_all();
  CHECK(called == std::vector{0, 1, 2});
}

TEST_CASE("who asks while a group is under way waits for the next one") {
  JournalWorld world;
  std::vector<int> called;
  world.journal.when_durable([&] { called.push_back(1); });
  REQUIRE(world.worker.waiting() == 1);
  world.put("a");
  world.journal.when_durable([&] { called.push_back(2); });
  world.worker.run_one(world.lane);  // the first group
  CHECK(called == std::vector{1});
  world.worker.run_all();
  CHECK(called == std::vector{1, 2});
  CHECK(world.diary == Diary{"durably: meta", "lazily: put a", "durably: meta"});
}

TEST_CASE("what a group makes durable is what was known when it began") {
  JournalWorld world;
  world.known.add(ChangeId{kAuthor, 1});
  world.journal.touch();
  world.known.add(ChangeId{kAuthor, 2});
  world.worker.run_one();
  CHECK(world.durable.covers(ChangeId{kAuthor, 1}));
  CHECK_FALSE(world.durable.covers(ChangeId{kAuthor, 2}));
}

TEST_CASE("the last group is marked as a clean stop, and only that") {
  JournalWorld world;
  bool closed = false;
  world.put("a");
  world.journal.sync_later(std::vector{world.journal.open_intent(path("b"))});
  world.worker.run_one();
  world.journal.close([&] { closed = true; });
  world.worker.run_all();
  CHECK(closed);
  CHECK(world.journal.idle());
  REQUIRE_FALSE(world.diary.empty());
  CHECK(world.diary.back().ends_with("clean meta"));
  for (std::size_t i = 0; i + 1 < world.diary.size(); ++i)
    CHECK(world.diary[i].find("clean meta") == std::string::npos);
}

TEST_CASE("a stop that cannot be written is not over") {
  JournalWorld world;
  bool closed = false;
  world.store.failures = 1;
  world.journal.close([&] { closed = true; });
  world.worker.run_all();
  CHECK_FALSE(closed);
  world.journal.touch();
  world.worker.run_all();
  CHECK(closed);
  CHECK(world.diary == Diary{"durably: clean meta"});
}

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

TEST_CASE("where nothing was edited, nothing is committed") {
  JournalWorld world;
  world.journal.sync_edits({}, {});
  world.worker.run_all();
  CHECK(world.diary.empty());
  CHECK(world.journal.idle());
}

TEST_CASE("a burst is synced when it is over") {
  constexpr Duration kMoment = std::chrono::milliseconds(1);
  JournalWorld world;
  world.is_publishing = true;
  world.publish_burst(Journal::kFewPaths + 1);
  world.worker.run_all();
  CHECK(world.syncs() == 0);
  CHECK_FALSE(world.journal.idle());

  SUBCASE("which shows when nothing more has come for a while") {
    world.clock.advance(Journal::kPauseInBurst);
    world.worker.run_all();
    CHECK(world.syncs() == 0);  // more is on its way into the folder
    world.is_publishing = false;
    world.publish_burst(1);
    world.clock.advance(Journal::kPauseInBurst - kMoment);
    world.worker.run_all();
    CHECK(world.syncs() == 0);
    world.clock.advance(kMoment);
    world.worker.run_all();
    CHECK(world.syncs() == 1);
  }
  SUBCASE("or after so long, and then anew") {
    world.clock.advance(Journal::kLongestHold - kMoment);
    world.worker.run_all();
    CHECK(world.syncs() == 0);
    world.clock.advance(kMoment);
    world.worker.run_all();
    CHECK(world.syncs() == 1);
    world.publish_burst(Journal::kFewPaths + 1);
    world.clock.advance(Journal::kLongestHold - kMoment);
    world.worker.run_all();
    CHECK(world.syncs() == 1);
    world.clock.advance(kMoment);
    world.worker.run_all();
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
  world.clock.advance(Journal::kPauseInBurst);
  world.worker.run_all();
  CHECK(world.journal.idle());
}

TEST_CASE("a few paths are synced at once, whatever else is on its way") {
  JournalWorld world;
  world.is_publishing = true;
  world.publish_burst(Journal::kFewPaths);
  world.worker.run_all();
  CHECK(world.syncs() == 1);
}
