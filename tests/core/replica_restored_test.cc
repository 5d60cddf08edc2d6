// A replica that goes on from what an earlier run left, which may be older than its last word.
#include "core/one_replica.h"
#include "dagsync/core/reconcile.h"
#include "dagsync/core/replica.h"

using namespace dagsync;

namespace {

const AuthorId kNext{kA, {42}};  // as image_of() draws it

// Lets a peer say how much it has of the restored author.
void vouch(OneReplica& one, const NodeName& peer, Sequence known) {
  one.replica.connected(peer);
  (void)one.tell(peer, tell_of(peer, knowing(author_of("a"), known), {}));
}

OneReplica restored(Sequence issued) {
  OneReplica one;
  one.replica.restore(image_of(author_of("a"), issued));
  return one;
}

// Of this node in another epoch: its row is lost, but a peer has it.
Change lost_edit(std::uint64_t epoch, std::int64_t time) {
  Record lost = edit("a", 1, file_content("old", time), time);
  lost.origin = {{kA, {epoch}}, 1};
  lost.version = {};
  lost.version.raise(lost.origin.author, 1);
  lost.seen = lost.version;
  return change_of("a.py", lost);
}

}  // namespace

TEST_CASE("an author goes on when nobody knows more of it than it has issued") {
  OneReplica one = restored(3);
  vouch(one, kB, 3);
  vouch(one, kC, 2);
  CHECK(one.write("a.py", file_content("x", 10), 100).id == ChangeId{author_of("a"), 4});
}

TEST_CASE("the word of a peer that has left since counts") {
  OneReplica one = restored(3);
  vouch(one, kB, 3);
  one.replica.disconnected(kB);
  vouch(one, kC, 3);
  CHECK(one.write("a.py", file_content("x", 10), 100).id == ChangeId{author_of("a"), 4});
}

TEST_CASE("what is found before all peers have told is of another author") {
  OneReplica one = restored(3);
  SUBCASE("before any has") {}
  SUBCASE("while one is away") {
    vouch(one, kB, 3);
  }
  CHECK(one.write("a.py", file_content("x", 10), 100).id == ChangeId{kNext, 1});
  CHECK(one.write("b.py", file_content("x", 10), 100).id == ChangeId{kNext, 2});
  CHECK(one.record("a.py").origin == ChangeId{kNext, 1});
  CHECK(one.replica.known().covers(ChangeId{kNext, 2}));
  CHECK_FALSE(one.replica.known().covers(ChangeId{author_of("a"), 4}));
  // And stays so, whatever that one says: no sequence stands for two changes.
  vouch(one, kC, 9);
  CHECK(one.write("c.py", file_content("x", 10), 100).id == ChangeId{kNext, 3});
}

TEST_CASE("a peer to which nothing may go is not waited for") {
  OneReplica one = restored(3);
  one.replica.configure_peer(kC, true, false, false);
  vouch(one, kB, 3);
  CHECK(one.write("a.py", file_content("x", 10), 100).id == ChangeId{author_of("a"), 4});
}

TEST_CASE("a peer that knows more of us than we issued makes us another author") {
  OneReplica one = restored(1);
  vouch(one, kB, 1);
  CHECK(one.replica.author() == author_of("a"));
  SUBCASE("by what it tells") {
    vouch(one, kC, 2);
  }
  SUBCASE("by what it passes on") {
    Change later = change_of("late.py", edit("a", 2, file_content("x", 10), 10));
    (void)one.hear(kB, {later});
    CHECK(one.replica.wanted().contains(at("late.py")));
  }
  CHECK(one.replica.author() == kNext);
  CHECK(one.replica.sequence() == 0);
  CHECK(one.write("a.py", file_content("y", 20), 100).id == ChangeId{kNext, 1});
}

TEST_CASE("a merge is issued under another author, too, while one is away") {
  OneReplica one;
  (void)one.write("a.py", file_content("ours", 10), 100);
  Replica::Image image = image_of(author_of("a"), 1);
  image.index.put(at("a.py"), one.entry("a.py"));
  one.replica.restore(std::move(image));
  vouch(one, kB, 1);
  const Record theirs = edit("b", 1, file_content("ours", 10), 5);
  (void)one.hear_and_publish(kB, change_of("a.py", theirs));
  CHECK(one.entry("a.py").id == ChangeId{kNext, 1});
}

TEST_CASE("a peer that has forgotten what it issued is told of it again") {
  OneReplica one;
  one.replica.connected(kB);
  (void)one.tell(kB, tell_of(kB, knowing(author_of("b"), 2), {}));
  (void)one.hear_and_publish(kB, change_of("a.py", edit("b", 1, file_content("x", 10), 10)));
  (void)one.hear(kB, {change_of("b.py", edit("b", 2, file_content("x", 10), 10))});
  one.replica.disconnected(kB);
  one.replica.connected(kB);
  const Actions actions = one.tell(kB, tell_of(kB, {}, {}));
  CHECK(only<StartSnapshot>(actions).size() == 1);
  CHECK(one.replica.offered().covers(ChangeId{author_of("b"), 1}));
  // And what was on its way then is not lost either.
  (void)one.publish("b.py");
  CHECK(one.replica.offered().covers(ChangeId{author_of("b"), 2}));
}

TEST_CASE("an edit that is made again replaces both, and is no younger than it must be") {
  OneReplica one;
  one.replica.begin_epoch({7});
  const Change edited = one.write("a.py", file_content("new", 50), 100);
  Change lost;
  SUBCASE("the younger of the two") {
    lost = lost_edit(6, 10);
    (void)one.hear(kB, {lost});
    CHECK(one.record("a.py").stamp == edited.record.stamp);
  }
  SUBCASE("the older") {
    lost = lost_edit(6, 200);
    (void)one.hear(kB, {lost});
    CHECK(one.record("a.py").stamp == lost.record.stamp + Duration(1));
  }
  const Record made = one.record("a.py");
  CHECK(made.content == edited.record.content);
  CHECK(made.origin == ChangeId{{kA, {7}}, 2});
  CHECK(reconcile(edited.record, made) == made);
  CHECK(reconcile(lost.record, made) == made);
}

TEST_CASE(
    "an edit is made again on top of one of an earlier epoch, though another has begun since") {
  OneReplica one;
  one.replica.begin_epoch({7});
  const Change edited = one.write("a.py", file_content("new", 50), 100);
  one.replica.begin_epoch({8});
  SUBCASE("of an earlier one") {
    (void)one.hear(kB, {lost_edit(6, 200)});
    CHECK(one.replica.wanted().empty());
    CHECK(one.record("a.py").content == edited.record.content);
    CHECK(one.record("a.py").origin.author == AuthorId{kA, {8}});
  }
  SUBCASE("but not of a later one, that was made in sight of it") {
    (void)one.hear(kB, {lost_edit(9, 200)});
    CHECK(one.replica.wanted().contains(at("a.py")));
  }
  SUBCASE("of an earlier one that others have merged with it already") {
    Change merged = lost_edit(6, 200);
    merged.id = {author_of("b"), 1};
    merged.record.version.join(edited.record.version);
    (void)one.hear(kB, {merged});
    CHECK(one.replica.wanted().empty());
    CHECK(one.record("a.py").content == edited.record.content);
  }
  SUBCASE("of one with a greater number, if it was made in the epoch that this run has begun") {
    const Change again = one.write("a.py", file_content("newer", 60), 110);
    (void)one.hear(kB, {lost_edit(9, 200)});
    CHECK(one.replica.wanted().empty());
    CHECK(one.record("a.py").content == again.record.content);
  }
}

TEST_CASE("a merge of the last run that has no number is told under one of ours") {
  OneReplica one;
  Replica::Image image;
  const Record merged = edit("b", 1, file_content("1", 10), 100);
  image.index.put(at("a.py"), {merged, ChangeId{}, state_of(merged.content, 100)});
  one.replica.restore(std::move(image));
  one.replica.begin_epoch({7});
  const auto changes = broadcast_by(one.replica.number_merges());
  REQUIRE(changes.size() == 1);
  CHECK(changes.front().record == merged);
  CHECK(changes.front().id == ChangeId{{kA, {7}}, 1});
  CHECK(one.entry("a.py").id == changes.front().id);
  CHECK(broadcast_by(one.replica.number_merges()).empty());
}

TEST_CASE(
    "what a power cut took is wanted again, and what it left is nobody's edit until touched") {
  OneReplica one;
  const Record whole = edit("b", 1, file_content("whole", 10), 10);
  (void)one.hear_and_publish(kB, change_of("a.py", whole));
  Observation torn = seen("a.py", file_content("wh", 10), 10);
  torn.went_back = true;
  CHECK(wanted_by(one.look({torn})) == std::vector<std::string>{"a.py"});
  CHECK(one.replica.wanted().at(at("a.py")).again);
  torn.went_back = false;  // it was told once, and its content has not come yet
  torn.disk->racy = true;
  CHECK(one.look({torn}).empty());
  CHECK(one.record("a.py") == whole);

  SUBCASE("its content comes") {
    CHECK(broadcast_by(one.publish("a.py")).empty());
    CHECK(one.record("a.py") == whole);
  }
  SUBCASE("somebody deletes it") {
    CHECK(one.look({gone("a.py", 200)}).empty());
    CHECK(one.replica.wanted().contains(at("a.py")));
  }
  SUBCASE("somebody edits it") {
    const Actions edited = one.look({seen("a.py", file_content("edited", 200), 200)});
    CHECK(broadcast_by(edited).size() == 1);
    CHECK(one.record("a.py").content == file_content("edited", 200));
  }
}
