#include "engine/publish/journal_world.h"

using namespace dagsync;

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
  world.known.add(ChangeId{kJournalAuthor, 1});
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
  world.known.add(ChangeId{kJournalAuthor, 1});
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
  world.known.add(ChangeId{kJournalAuthor, 1});
  world.journal.touch();
  world.known.add(ChangeId{kJournalAuthor, 2});
  world.worker.run_one();
  CHECK(world.durable.covers(ChangeId{kJournalAuthor, 1}));
  CHECK_FALSE(world.durable.covers(ChangeId{kJournalAuthor, 2}));
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

TEST_CASE("where nothing was edited, nothing is committed") {
  JournalWorld world;
  world.journal.sync_edits({}, {});
  world.worker.run_all();
  CHECK(world.diary.empty());
  CHECK(world.journal.idle());
}
