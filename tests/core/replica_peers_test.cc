// The replica and the changes that its peers announce.
#include "core/one_replica.h"
#include "dagsync/core/reconcile.h"
#include "dagsync/core/replica.h"

using namespace dagsync;

namespace {

using Paths = std::vector<std::string>;

const Paths kOnlyA = {"a.py"};

}  // namespace

TEST_CASE("a remote change is wanted, and becomes the record when it is published") {
  OneReplica one;
  const Change change = theirs(1, "x", 10);
  CHECK(wanted_by(one.hear(kB, {change})) == kOnlyA);
  CHECK(one.replica.index().find(at("a.py")) == nullptr);
  CHECK(one.replica.received().covers(change.id));
  CHECK_FALSE(one.replica.known().covers(change.id));
  const Wanted& wanted = one.replica.wanted().at(at("a.py"));
  CHECK(wanted.record == change.record);
  CHECK(wanted.sources == std::set<NodeName>{kB});

  const Actions actions = one.publish("a.py");
  REQUIRE(only<SaveEntry>(actions).size() == 1);
  CHECK(broadcast_by(actions).empty());
  CHECK(one.entry("a.py").record == change.record);
  CHECK(one.entry("a.py").id == change.id);
  CHECK(one.replica.known().covers(change.id));
  CHECK(one.replica.wanted().empty());
  CHECK(one.replica.sequence() == 0);
}

TEST_CASE("a change that was heard before is nothing new") {
  OneReplica one;
  const Change change = theirs(1, "x", 10);
  (void)one.hear(kB, {change});
  CHECK(one.hear(kC, {change}).empty());
  (void)one.publish("a.py");
  CHECK(one.hear(kB, {change}).empty());
}

TEST_CASE("a younger change takes the place of one that is still wanted") {
  OneReplica one;
  const Change first = theirs(1, "x", 10);
  const Change second = theirs(2, "y", 20, &first.record);
  (void)one.hear(kB, {first});
  CHECK(wanted_by(one.hear(kB, {second})) == kOnlyA);
  CHECK(one.replica.wanted().at(at("a.py")).record == second.record);
  CHECK(one.replica.wanted().at(at("a.py")).id == second.id);
  (void)one.publish("a.py");
  CHECK(one.replica.known() == knowing(author_of("b"), 2));
  CHECK(one.entry("a.py").id == second.id);
}

TEST_CASE("an older change that comes late is known, and changes no file") {
  OneReplica one;
  const Change first = theirs(1, "x", 10);
  const Change second = theirs(2, "y", 20, &first.record);
  (void)one.hear_and_publish(kB, second);
  CHECK(one.hear(kC, {first}).empty());
  CHECK(one.replica.known().covers(first.id));
  CHECK(one.entry("a.py").record == second.record);
}

TEST_CASE("equal contents made by two need no publishing, only a merge") {
  OneReplica one;
  const Change mine = one.write("a.py", file_content("same", 10), 100);
  const Actions actions = one.hear(kB, {theirs(1, "same", 10)});
  CHECK(wanted_by(actions).empty());
  const auto merges = broadcast_by(actions);
  REQUIRE(merges.size() == 1);
  CHECK(merges[0].id == ChangeId{author_of("a"), 2});
  CHECK(merges[0].record.version.at(author_of("b")) == 1);
  CHECK(merges[0].record.version.at(author_of("a")) == 1);  // no entry of the merger's own
  CHECK(one.entry("a.py").disk.has_value());
  CHECK(mine.id.sequence == 1);
}

TEST_CASE("a conflict is merged under our own next sequence, whichever side is younger") {
  OneReplica one;
  const Change mine = one.write("a.py", file_content("mine", 50), 100);
  SUBCASE("theirs") {
    const Actions heard = one.hear(kB, {theirs(1, "theirs", 60)});
    CHECK(wanted_by(heard) == kOnlyA);
    CHECK(broadcast_by(heard).empty());
    const auto merges = broadcast_by(one.publish("a.py"));
    REQUIRE(merges.size() == 1);
    CHECK(merges[0].id.sequence == 2);
    CHECK(merges[0].record.content.digest == digest_of("theirs"));
    CHECK(merges[0].record.origin.author.node() == kB);
  }
  SUBCASE("ours") {
    const Actions heard = one.hear(kB, {theirs(1, "theirs", 40)});
    CHECK(wanted_by(heard).empty());
    const auto merges = broadcast_by(heard);
    REQUIRE(merges.size() == 1);
    CHECK(merges[0].id.sequence == 2);
    CHECK(merges[0].record.content.digest == digest_of("mine"));
    CHECK(merges[0].record.origin == mine.id);
  }
  CHECK(one.record("a.py").version.at(author_of("b")) == 1);
  CHECK(one.replica.known().covers({author_of("b"), 1}));
}

TEST_CASE("two that exchange merges of a conflict come to rest") {
  OneReplica one;
  OneReplica other({.self = kB});
  other.replica.configure_peer(kA, true, true, true);
  std::vector<Change> to_other{one.write("a.py", file_content("1", 50), 100)};
  std::vector<Change> to_one{other.write("a.py", file_content("2", 60), 100)};
  int rounds = 0;
  while (!to_one.empty() || !to_other.empty()) {
    REQUIRE(++rounds < 10);
    std::vector<Change> next_to_other;
    std::vector<Change> next_to_one;
    for (const Change& change : to_one) {
      for (const Change& back : broadcast_by(one.hear_and_publish(kB, change)))
        next_to_other.push_back(back);
    }
    for (const Change& change : to_other) {
      for (const Change& back : broadcast_by(other.hear_and_publish(kA, change)))
        next_to_one.push_back(back);
    }
    to_one = next_to_one;
    to_other = next_to_other;
  }
  CHECK(one.record("a.py") == other.record("a.py"));
  CHECK(one.record("a.py").content.digest == digest_of("2"));
  CHECK(one.replica.known() == other.replica.known());
}

TEST_CASE("an edit while a change is wanted: the younger one stays") {
  OneReplica one;
  const Change change = theirs(1, "theirs", 50);
  (void)one.hear(kB, {change});
  SUBCASE("the edit is younger: the change is wanted no longer") {
    const Actions actions = one.look({seen("a.py", file_content("mine", 60), 100)});
    REQUIRE(only<Unwant>(actions).size() == 1);
    CHECK(one.replica.wanted().empty());
    CHECK(one.record("a.py").content.digest == digest_of("mine"));
    CHECK(one.record("a.py").version.at(author_of("b")) == 1);
    CHECK(one.replica.known().covers(change.id));
    // The edit and its merge with what it beat: both are told.
    CHECK(broadcast_by(actions).size() == 2);
  }
  SUBCASE("the change is younger: it is still wanted, over the edit") {
    const Actions actions = one.look({seen("a.py", file_content("mine", 40), 100)});
    CHECK(only<Unwant>(actions).empty());
    CHECK(wanted_by(actions) == kOnlyA);
    CHECK(one.record("a.py").content.digest == digest_of("mine"));
    CHECK_FALSE(one.replica.known().covers(change.id));
    CHECK(broadcast_by(one.publish("a.py")).size() == 1);
    CHECK(one.record("a.py").content.digest == digest_of("theirs"));
    CHECK(one.record("a.py").version.at(author_of("a")) == 1);
  }
}

TEST_CASE("what arrives for a path that is being published waits for the end of that") {
  OneReplica one;
  const Change first = theirs(1, "x", 10);
  const Change second = theirs(2, "y", 20, &first.record);
  const Change third = theirs(3, "z", 30, &second.record);
  (void)one.hear(kB, {first});
  one.begin_publishing("a.py");
  CHECK(one.hear(kB, {second}).empty());
  CHECK(one.hear(kB, {third}).empty());
  CHECK(one.replica.wanted().at(at("a.py")).record == first.record);

  SUBCASE("when it succeeds") {
    CHECK(wanted_by(one.publish("a.py")) == kOnlyA);
    CHECK(one.record("a.py") == first.record);
    CHECK(one.replica.known() == knowing(author_of("b"), 1));
  }
  SUBCASE("when it does not") {
    CHECK(wanted_by(one.replica.not_published(at("a.py"))) == kOnlyA);
    CHECK(one.replica.index().find(at("a.py")) == nullptr);
    CHECK(one.replica.known().authors().at(author_of("b")).intervals().empty());
  }
  CHECK(one.replica.wanted().at(at("a.py")).record == third.record);
  one.begin_publishing("a.py");
  (void)one.publish("a.py");
  CHECK(one.replica.known() == knowing(author_of("b"), 3));
  CHECK(one.record("a.py") == third.record);
}

TEST_CASE("what could not be published stays wanted, and is not known") {
  OneReplica one;
  const Change change = theirs(1, "x", 10);
  (void)one.hear(kB, {change});
  one.begin_publishing("a.py");
  CHECK(one.replica.not_published(at("a.py")).empty());
  CHECK(one.replica.wanted().contains(at("a.py")));
  CHECK_FALSE(one.replica.known().covers(change.id));
}

TEST_CASE("a delete of what was never here is known at once") {
  OneReplica one;
  const Change change = change_of("a.py", edit("b", 5, {}, 10));
  CHECK(wanted_by(one.hear(kB, {change})).empty());
  CHECK(one.entry("a.py").record == change.record);
  CHECK(one.replica.known().covers(change.id));
}

TEST_CASE("a remote delete is published like anything else") {
  OneReplica one;
  const Change change = theirs(1, "x", 10);
  (void)one.hear_and_publish(kB, change);
  const Change erased = change_of("a.py", edit("b", 2, {}, 20, &change.record));
  CHECK(wanted_by(one.hear(kB, {erased})) == kOnlyA);
  (void)one.publish("a.py");
  CHECK_FALSE(one.record("a.py").is_live());
  CHECK_FALSE(one.entry("a.py").disk.has_value());
}

TEST_CASE("what is ignored here is known, but not offered") {
  OneReplica one;
  const Change change = theirs(1, "x", 10);
  const auto all_ignored = [](const RelPath&, Kind) { return true; };
  CHECK(one.replica.announced(kB, {change}, all_ignored).empty());
  CHECK(one.replica.known().covers(change.id));
  CHECK_FALSE(one.replica.offered().covers(change.id));
  CHECK(one.replica.withheld().covers(change.id));
  CHECK(one.replica.wanted().empty());
  CHECK(one.replica.refused().empty());

  SUBCASE("until the rules change: then it may come again") {
    one.replica.reconfigure({.self = kA});
    CHECK_FALSE(one.replica.received().covers(change.id));
    CHECK(wanted_by(one.hear(kB, {change})) == kOnlyA);
  }
}

TEST_CASE("what is too large here is withheld, and named") {
  Replica::Settings settings{.self = kA};
  settings.max_file_size = 3;
  OneReplica one(settings);
  const Change change = theirs(1, "1234", 10);
  CHECK(one.hear(kB, {change}).empty());
  CHECK(one.replica.known().covers(change.id));
  CHECK_FALSE(one.replica.offered().covers(change.id));
  CHECK(one.replica.refused().at(at("a.py")).starts_with("from b: "));
  settings.max_file_size = 4;
  one.replica.reconfigure(settings);
  CHECK(one.replica.refused().empty());
  CHECK(wanted_by(one.hear(kB, {change})) == kOnlyA);
}

TEST_CASE("nothing comes into a send-only folder: it is drift") {
  Replica::Settings settings{.self = kA};
  settings.remote_may_enter = false;
  OneReplica one(settings);
  const Change change = theirs(1, "x", 10);
  CHECK(one.hear(kB, {change}).empty());
  CHECK(one.replica.kept_out().contains(at("a.py")));
  CHECK(one.replica.known().covers(change.id));
  CHECK_FALSE(one.replica.offered().covers(change.id));
  CHECK(one.write("a.py", file_content("mine", 5), 100).record.content.digest == digest_of("mine"));
}

TEST_CASE(
    "the next change of a send-only folder replaces what did not come in, whatever the times") {
  Replica::Settings settings{.self = kA};
  settings.remote_may_enter = false;
  OneReplica one(settings);
  const Change before = one.write("a.py", file_content("before", 5), 100);
  const Record theirs = edit("b", 1, file_content("theirs", 900), 900, &before.record);
  const Record more = edit("c", 1, file_content("more", 950), 950, &before.record);
  (void)one.hear(kB, {change_of("a.py", theirs)});
  (void)one.hear(kC, {change_of("a.py", more)});

  SUBCASE("an edit") {
    const Change mine = one.write("a.py", file_content("mine", 6), 200);
    for (const Record& other : {theirs, more}) {
      CHECK(mine.record.version.has_seen(other.version));
      CHECK(reconcile(mine.record, other).content == mine.record.content);
      CHECK_FALSE(is_conflict(mine.record, other));
    }
    CHECK(one.replica.kept_out().empty());
    // Heard again, as after a reconnection: it is no drift any more.
    settings.max_file_size += 1;
    one.replica.reconfigure(settings);
    (void)one.hear(kB, {change_of("a.py", theirs)});
    CHECK(one.replica.kept_out().empty());
  }
  SUBCASE("a delete") {
    const Change mine = one.erase("a.py", 200);
    CHECK_FALSE(reconcile(mine.record, theirs).is_live());
  }
  SUBCASE("what others made of it in turn is drift again") {
    const Change mine = one.write("a.py", file_content("mine", 6), 200);
    const Record next = edit("b", 2, file_content("next", 7), 7, &mine.record);
    CHECK(one.hear(kB, {change_of("a.py", next)}).empty());
    CHECK(one.replica.kept_out().contains(at("a.py")));
  }
}

TEST_CASE("a send-only folder adopts versions of what it has already: they are no drift") {
  Replica::Settings settings{.self = kA};
  settings.remote_may_enter = false;
  OneReplica one(settings);
  const Change mine = one.write("a.py", file_content("x", 5), 100);
  const Record same = edit("b", 1, mine.record.content, 900);
  const Actions actions = one.hear(kB, {change_of("a.py", same)});
  CHECK(wanted_by(actions).empty());
  CHECK(one.replica.kept_out().empty());
  CHECK(one.record("a.py").version.has_seen(same.version));
}

TEST_CASE("a peer that may not send, and a halted folder, take no changes") {
  OneReplica one;
  const Change change = theirs(1, "x", 10);
  SUBCASE("may not") {
    one.replica.configure_peer(kB, false, true, true);
    CHECK(one.hear(kB, {change}).empty());
    (void)one.replica.snapshot_ended(kB, knowing(author_of("b"), 5));
  }
  SUBCASE("halted") {
    one.replica.halt("gone");
    CHECK(one.hear(kB, {change}).empty());
    (void)one.replica.snapshot_ended(kB, knowing(author_of("b"), 5));
  }
  CHECK(one.replica.received() == Knowledge());
}

TEST_CASE(
    "the end of a snapshot that began in a halted folder is not believed, and the next one is") {
  OneReplica one;
  one.replica.halt("gone");
  one.replica.connected(kB);
  CHECK(one.hear(kB, {theirs(1, "x", 10)}).empty());
  one.replica.resume();
  (void)one.replica.snapshot_ended(kB, knowing(author_of("b"), 1));
  CHECK(one.replica.received() == Knowledge());
  (void)one.hear(kB, {theirs(1, "x", 10)});
  CHECK(one.replica.wanted().contains(at("a.py")));
  (void)one.replica.snapshot_ended(kB, knowing(author_of("b"), 1));
  CHECK(one.replica.received() == knowing(author_of("b"), 1));
}

TEST_CASE("only who announced a content is named as its source") {
  OneReplica one;
  const Change first = theirs(1, "x", 10);
  const Change same = change_of("a.py", edit("c", 1, file_content("x", 10), 10));
  const Change other = change_of("a.py", edit("c", 2, file_content("y", 20), 20, &same.record));
  (void)one.hear(kB, {first});
  (void)one.hear(kC, {same});
  CHECK(one.replica.wanted().at(at("a.py")).sources == std::set<NodeName>{kB, kC});
  CHECK_FALSE(one.replica.wanted().at(at("a.py")).id.has_value());  // a merge of both
  (void)one.hear(kC, {other});
  CHECK(one.replica.wanted().at(at("a.py")).sources == std::set<NodeName>{kC});
  (void)one.publish("a.py");
  CHECK(one.replica.known().covers(first.id));
  CHECK(one.replica.known().covers(other.id));
}

TEST_CASE(
    "what nobody has is as if nobody had told of it, and what it was merged with comes again") {
  OneReplica one;
  one.connect(kB);
  const Change lost = theirs(1, "lost", 200);
  const Change other = change_of("a.py", edit("c", 1, file_content("other", 100), 100));
  (void)one.hear(kB, {lost});
  (void)one.hear(kC, {other});
  REQUIRE(one.replica.wanted().at(at("a.py")).record.content == lost.record.content);
  (void)one.replica.unobtainable(at("a.py"));
  CHECK(one.replica.wanted().empty());
  CHECK_FALSE(one.replica.received().covers(lost.id));
  CHECK_FALSE(one.replica.known().covers(other.id));
  (void)one.hear(kC, {other});
  REQUIRE(one.replica.wanted().contains(at("a.py")));
  CHECK(one.replica.wanted().at(at("a.py")).record.content == other.record.content);
}

TEST_CASE("what was claimed along with what nobody has is doubted, but not what came") {
  OneReplica one;
  one.connect(kB);
  const Change lost = theirs(1, "lost", 200);
  const Change came = change_of("b.py", edit("b", 2, file_content("came", 100), 100));
  const ChangeId claimed{came.id.author, 3};
  (void)one.hear(kB, {lost, came});
  Knowledge all;
  for (const ChangeId& id : {lost.id, came.id, claimed})
    all.add(id);
  (void)one.replica.snapshot_ended(kB, all);
  (void)one.publish("b.py");
  REQUIRE_FALSE(
      one.replica.known().covers(came.id));  // until it is clear what the claims are worth
  (void)one.replica.unobtainable(at("a.py"));
  CHECK(one.replica.known().covers(came.id));
  CHECK_FALSE(one.replica.received().covers(claimed));
}
