// The replica and this node's disk: what becomes a change, and what does not.
#include "dagsync/core/replica.h"

#include "core/one_replica.h"

using namespace dagsync;

namespace {

const Content kDirectory = directory_content(0755);

// Writes `count` files "f1", "f2", ... whose bytes are their own names.
void fill(OneReplica& one, int count) {
  std::vector<Observation> batch;
  for (int i = 1; i <= count; ++i) {
    const std::string name = "f" + std::to_string(i);
    batch.push_back(seen(name, file_content(name, 1), 100));
  }
  REQUIRE(broadcast_by(one.look(batch)).size() == static_cast<std::size_t>(count));
}

std::vector<Observation> gone_files(int first, int last) {
  std::vector<Observation> batch;
  for (int i = first; i <= last; ++i)
    batch.push_back(gone("f" + std::to_string(i), 200));
  return batch;
}

}  // namespace

TEST_CASE("an edit gets the next sequence, our name, and everybody hears of it") {
  OneReplica one;
  const Change first = one.write("a.py", file_content("1", 10), 100);
  CHECK(first.id == ChangeId{author_of("a"), 1});
  CHECK(first.record.stamp == UnixNanos{10});
  CHECK(first.record.origin == first.id);
  CHECK(first.record.version.at(author_of("a")) == 1);

  const Actions actions = one.look({seen("b.py", file_content("2", 20), 100)});
  REQUIRE(actions.size() == 2);  // saved before it is told
  CHECK(std::get<SaveEntry>(actions[0]).entry == one.entry("b.py"));
  CHECK(std::get<Broadcast>(actions[1]).changes.front().id == ChangeId{author_of("a"), 2});
  CHECK(one.replica.known() == knowing(author_of("a"), 2));
  CHECK(one.replica.sequence() == 2);
}

TEST_CASE("what was published compares equal and is no edit") {
  OneReplica one;
  const Record theirs = edit("b", 1, file_content("x", 10), 10);
  (void)one.hear_and_publish(kB, change_of("a.py", theirs));
  CHECK(one.look({seen("a.py", file_content("x", 10), one.ctime)}).empty());
  CHECK(one.look({gone("never.py", 100)}).empty());
  CHECK(one.replica.sequence() == 0);
}

TEST_CASE("a file that was only looked at again is saved with its disk state, and told to nobody") {
  OneReplica one;
  const Content content = file_content("x", 10);
  (void)one.write("a.py", content, 100);
  const Actions actions = one.look({seen("a.py", content, 300)});
  REQUIRE(actions.size() == 1);
  CHECK(std::get<SaveEntry>(actions[0]).entry.disk->ctime == UnixNanos{300});
  CHECK(one.entry("a.py").disk->ctime == UnixNanos{300});
  CHECK(one.replica.sequence() == 1);
}

TEST_CASE("an edit has seen what it replaces, and is younger whatever its mtime") {
  OneReplica one;
  const Change first = one.write("a.py", file_content("new", 1000), 2000);
  const Change roll_back = one.write("a.py", file_content("old", 10), 2000);
  CHECK(roll_back.record.stamp == UnixNanos{1001});
  CHECK(roll_back.record.content.mtime == UnixNanos{10});
  CHECK(roll_back.record.version.compare(first.record.version) == Causality::kAfter);
  CHECK(compare_age(roll_back.record, first.record) > 0);
}

TEST_CASE("a chmod or a touch is a change, of the same bytes") {
  OneReplica one;
  Content content = file_content("x", 10);
  (void)one.write("a.py", content, 100);
  content.mode = 0755;
  CHECK(one.write("a.py", content, 100).record.content.mode == 0755);
  content.mtime = {50};
  CHECK(one.write("a.py", content, 100).record.stamp == UnixNanos{50});
}

TEST_CASE("a future mtime counts as the moment at which the file was given it") {
  OneReplica one;
  const Content future = file_content("x", 9000);
  Observation late = seen("a.py", future, 700);
  late.disk->ctime = {600};
  CHECK(broadcast_by(one.look({late})).front().record.stamp == UnixNanos{600});
  // A ctime that lies in the future too, after the clock was set back.
  Observation wrong = seen("b.py", future, 700);
  wrong.disk->ctime = {8000};
  CHECK(broadcast_by(one.look({wrong})).front().record.stamp == UnixNanos{700});
}

TEST_CASE("a delete is stamped with the moment that the look gives it") {
  OneReplica one;
  (void)one.write("a.py", file_content("x", 10), 100);
  const Change erased = one.erase("a.py", 250);
  CHECK_FALSE(erased.record.is_live());
  CHECK(erased.record.stamp == UnixNanos{250});
  CHECK(one.entry("a.py").disk == seen_gone(UnixNanos{250}, state_of(file_content("x", 10), 100)));
  CHECK(one.look({gone("a.py", 300)}).empty());
  // A scan knows only when the file last existed, but the delete has seen the edit.
  (void)one.write("b.py", file_content("x", 400), 500);
  CHECK(one.erase("b.py", 300).record.stamp == UnixNanos{401});
}

TEST_CASE("a batch is told in one broadcast, edits before deletes") {
  OneReplica one;
  (void)one.write("old.py", file_content("x", 10), 100);
  const Actions actions =
      one.look({gone("old.py", 200), seen("new.py", file_content("x", 10), 200)});
  REQUIRE(only<Broadcast>(actions).size() == 1);
  const auto changes = broadcast_by(actions);
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].path == at("new.py"));
  CHECK(changes[1].path == at("old.py"));
}

TEST_CASE("a directory that only its children imply is nobody's change") {
  OneReplica one;
  (void)one.hear_and_publish(kB, change_of("d/x.py", edit("b", 1, file_content("x", 10), 10)));
  CHECK(one.look({seen("d", directory_content(0700), 100)}).empty());
  CHECK(one.look({gone("d", 100)}).empty());
  // One that a person made is.
  CHECK(one.write("e", kDirectory, 100).record.stamp == UnixNanos{100});
}

TEST_CASE("a directory that is on its way here is nobody's change, though it stands already") {
  OneReplica one;
  const Change made = change_of("d", edit("b", 1, directory_content(0700), 10));
  REQUIRE(wanted_by(one.hear(kB, {made})) == std::vector<std::string>{"d"});
  CHECK(one.look({seen("d", directory_content(0755), 20)}).empty());
  CHECK(one.look({gone("d", 30)}).empty());
  CHECK(one.replica.wanted().contains(at("d")));
}

TEST_CASE("too many deletes at once halt the folder, and nothing is told") {
  OneReplica one;
  fill(one, 50);
  Actions actions = one.look(gone_files(1, 26));
  REQUIRE(only<Halt>(actions).size() == 1);
  CHECK(only<Halt>(actions).front().deletes == 26);
  CHECK(only<Halt>(actions).front().told == 0);
  CHECK(broadcast_by(actions).empty());
  CHECK(one.record("f1").is_live());

  one.replica.halt("too many deletes");
  CHECK(one.look({seen("new.py", file_content("x", 1), 100)}).empty());
  one.replica.resume();
  CHECK_FALSE(one.replica.halted().has_value());
  CHECK(broadcast_by(one.look(gone_files(1, 26), DeletePolicy::kAccept)).size() == 26);
  CHECK_FALSE(one.record("f1").is_live());
}

TEST_CASE("deletes are summed over a minute, without what came back") {
  OneReplica one;
  fill(one, 100);
  CHECK(broadcast_by(one.look(gone_files(1, 50))).size() == 50);
  one.now = one.now + std::chrono::seconds(30);
  CHECK(only<Halt>(one.look({gone("f51", 300)})).size() == 1);
  SUBCASE("until the minute is over") {
    one.now = one.now + std::chrono::seconds(30);
    CHECK(broadcast_by(one.look({gone("f51", 300)})).size() == 1);
  }
  SUBCASE("or a file is there again") {
    (void)one.write("f1", file_content("f1", 300), 300);
    CHECK(broadcast_by(one.look({gone("f51", 300)})).size() == 1);
  }
  SUBCASE("or comes back from a peer") {
    const Record back = edit("b", 1, file_content("f1", 900), 900);
    (void)one.hear_and_publish(kB, change_of("f1", back));
    CHECK(broadcast_by(one.look({gone("f51", 300)})).size() == 1);
  }
}

TEST_CASE("a renamed directory is no mass delete") {
  OneReplica one;
  fill(one, 50);
  std::vector<Observation> renamed = gone_files(1, 50);
  for (int i = 1; i <= 50; ++i) {
    const std::string name = "f" + std::to_string(i);
    renamed.push_back(seen("moved/" + name, file_content(name, 1), 200));
  }
  CHECK(broadcast_by(one.look(renamed)).size() == 100);
}

TEST_CASE("each new name excuses the delete of one file of the same bytes") {
  OneReplica one;
  std::vector<Observation> copies;
  for (int i = 1; i <= 50; ++i)
    copies.push_back(seen("f" + std::to_string(i), file_content("same", 1), 100));
  (void)one.look(copies);
  std::vector<Observation> batch = gone_files(1, 50);
  for (int i = 1; i <= 10; ++i)
    batch.push_back(seen("new" + std::to_string(i), file_content("same", 1), 200));
  const auto halts = only<Halt>(one.look(batch));
  REQUIRE(halts.size() == 1);
  CHECK(halts.front().deletes == 40);
}

TEST_CASE("deleted directories are not counted, deleted symlinks are") {
  OneReplica one;
  std::vector<Observation> made;
  std::vector<Observation> directories;
  std::vector<Observation> links;
  for (int i = 1; i <= 30; ++i) {
    const std::string number = std::to_string(i);
    made.push_back(seen("d" + number, kDirectory, 100));
    made.push_back(seen("l" + number, symlink_content("x", 1), 100));
    directories.push_back(gone("d" + number, 200));
    links.push_back(gone("l" + number, 200));
  }
  (void)one.look(made);
  CHECK(broadcast_by(one.look(directories)).size() == 30);
  CHECK(only<Halt>(one.look(links)).size() == 1);
}

TEST_CASE("where deletes are not believed, the missing files are wanted again") {
  OneReplica one;
  fill(one, 50);
  const Actions actions = one.look(gone_files(1, 40), DeletePolicy::kRestore);
  CHECK(wanted_by(actions).size() == 40);
  CHECK(broadcast_by(actions).empty());
  const Wanted& wanted = one.replica.wanted().at(at("f1"));
  CHECK(wanted.again);
  CHECK(wanted.waiting.empty());
  CHECK(wanted.id == one.entry("f1").id);

  const Sequence before = one.replica.sequence();
  const Actions back = one.publish("f1");
  CHECK(only<SaveEntry>(back).size() == 1);
  CHECK(broadcast_by(back).empty());
  CHECK(one.replica.sequence() == before);
  CHECK(one.entry("f1").disk->ctime == UnixNanos{one.ctime});
  CHECK(one.replica.wanted().size() == 39);
}

TEST_CASE("an edit of a file that is to come back makes that needless") {
  OneReplica one;
  fill(one, 1);
  (void)one.look(gone_files(1, 1), DeletePolicy::kRestore);
  const Actions actions = one.look({seen("f1", file_content("mine", 300), 300)});
  CHECK(only<Unwant>(actions).size() == 1);
  CHECK(one.replica.wanted().empty());
  CHECK(one.record("f1").content.digest == digest_of("mine"));
}

TEST_CASE("what may not leave a receive-only node is drift, until the mesh's version is back") {
  Replica::Settings settings{.self = kA};
  settings.local_may_leave = false;
  OneReplica one(settings);
  const Record theirs = edit("b", 1, file_content("x", 10), 10);
  (void)one.hear_and_publish(kB, change_of("a.py", theirs));
  CHECK(one.look({seen("a.py", file_content("mine", 900), 900)}).empty());
  CHECK(one.replica.drift().contains(at("a.py")));
  CHECK(one.record("a.py") == theirs);

  SUBCASE("by hand") {
    (void)one.look({seen("a.py", file_content("x", 10), 950)});
    CHECK(one.replica.drift().empty());
  }
  SUBCASE("by the next change, whatever its time") {
    const Record next = edit("b", 2, file_content("y", 11), 11, &theirs);
    (void)one.hear_and_publish(kB, change_of("a.py", next));
    CHECK(one.replica.drift().empty());
  }
  SUBCASE("and a mass delete is drift, not a reason to halt") {
    CHECK(one.look({gone("a.py", 950)}).empty());
    CHECK(one.replica.drift().size() == 1);
  }
}

TEST_CASE("what is wrong on the disk is wanted again as the index has it") {
  OneReplica one;
  const Change mine = one.write("a.py", file_content("right", 10), 100);
  Observation wrong = seen("a.py", file_content("wrong", 10), 100);
  const Actions actions = one.replica.reclaim({wrong, seen("unknown.py", file_content("x", 1), 1)});
  CHECK(wanted_by(actions) == std::vector<std::string>{"a.py"});
  CHECK(only<Broadcast>(actions).empty());
  CHECK(one.replica.wanted().at(at("a.py")).again);
  CHECK(one.replica.drift().at(at("a.py")).content.digest == digest_of("wrong"));
  (void)one.publish("a.py");
  CHECK(one.record("a.py") == mine.record);
  CHECK(one.replica.drift().empty());
}

TEST_CASE("a file that is too large is refused by name, until it is smaller") {
  Replica::Settings settings{.self = kA};
  settings.max_file_size = 3;
  OneReplica one(settings);
  CHECK(one.look({seen("a.py", file_content("1234", 10), 100)}).empty());
  CHECK(one.replica.refused().contains(at("a.py")));
  CHECK(one.replica.index().find(at("a.py")) == nullptr);
  CHECK(one.write("a.py", file_content("123", 10), 100).id.sequence == 1);
  CHECK(one.replica.refused().empty());
}

TEST_CASE("a new epoch is a new author, that counts from one again") {
  OneReplica one;
  (void)one.write("a.py", file_content("1", 10), 100);
  one.replica.begin_epoch({2});
  const Change change = one.write("a.py", file_content("2", 20), 100);
  CHECK(change.id == ChangeId{{kA, {2}}, 1});
  CHECK(change.record.version.at(author_of("a")) == 1);
  CHECK(one.replica.known().covers({author_of("a"), 1}));
}

TEST_CASE("the last run's state is where the next one begins") {
  OneReplica before;
  (void)before.write("a.py", file_content("1", 10), 100);
  Index index;
  index.put(at("a.py"), before.entry("a.py"));
  OneReplica after;
  const Knowledge known = before.replica.known();
  after.replica.restore({std::move(index), known, known, {}, author_of("a"), 1, {40}, {}});
  after.connect(kB);
  after.connect(kC);
  CHECK(after.replica.durable() == before.replica.known());
  CHECK(after.look({seen("a.py", file_content("1", 10), 100)}).empty());
  // A path without a record is stamped after the floor.
  const Change change = after.write("b.py", file_content("2", 20), 100);
  CHECK(change.id.sequence == 2);
  CHECK(change.record.stamp == UnixNanos{41});
}

TEST_CASE("tombstones go when every counted peer has them durably and their time is past") {
  Replica::Settings settings{.self = kA};
  settings.tombstones_keep = Duration(1000);
  OneReplica one(settings);
  (void)one.write("a.py", file_content("1", 10), 100);
  (void)one.erase("a.py", 200);
  const Knowledge all = one.replica.known();
  const auto durable_at = [&](const NodeName& peer, const Knowledge& knowledge) {
    one.replica.connected(peer);
    (void)one.tell(peer, tell_of(peer, knowledge, knowledge));
  };
  one.replica.made_durable(all);
  durable_at(kB, all);
  durable_at(kC, all);

  SUBCASE("then they do, and the floor rises") {
    CHECK(one.replica.collect({1199}).empty());
    const Actions actions = one.replica.collect({1200});
    REQUIRE(actions.size() == 1);
    CHECK(std::get<DropEntry>(actions[0]).path == at("a.py"));
    CHECK(one.replica.index().find(at("a.py")) == nullptr);
    CHECK(one.replica.floor() == UnixNanos{200});
    CHECK(one.write("a.py", file_content("2", 20), 1300).record.stamp == UnixNanos{201});
  }
  SUBCASE("not while a peer lacks them") {
    durable_at(kC, knowing(author_of("a"), 1));
    CHECK(one.replica.collect({5000}).empty());
    CHECK(one.replica.floor() == UnixNanos{0});
  }
  SUBCASE("though it has received them") {
    (void)one.tell(kC, tell_of(kC, all, knowing(author_of("a"), 1)));
    CHECK(one.replica.collect({5000}).empty());
  }
  SUBCASE("a peer that is not counted is not waited for") {
    durable_at(kC, {});
    one.replica.configure_peer(kC, true, true, false);
    CHECK(one.replica.collect({5000}).size() == 1);
  }
  SUBCASE("a peer that is gone for good neither") {
    durable_at(kC, {});
    one.replica.forget_peer(kC);
    CHECK(one.replica.collect({5000}).size() == 1);
  }
  SUBCASE("not while they are not durable here") {
    OneReplica young(settings);
    (void)young.write("a.py", file_content("1", 10), 100);
    (void)young.erase("a.py", 200);
    for (const NodeName& peer : {kB, kC})
      (void)young.tell(peer, tell_of(peer, all, all));
    CHECK(young.replica.collect({5000}).empty());
  }
  SUBCASE("live records stay for ever") {
    (void)one.write("a.py", file_content("2", 300), 300);
    one.replica.made_durable(one.replica.known());
    CHECK(one.replica.collect({INT64_MAX / 4}).empty());
  }
}

TEST_CASE("what never stood here was not deleted here") {
  OneReplica one;
  (void)one.look({seen("a.py", file_content("x", 10), 100)});
  (void)one.replica.evicted(at("a.py"));  // its record stays, without a disk state
  (void)one.look({gone("a.py", 200)});
  REQUIRE(one.replica.index().find(at("a.py")) != nullptr);
  CHECK(one.replica.index().find(at("a.py"))->record.is_live());
  CHECK(one.replica.wanted().contains(at("a.py")));
}
