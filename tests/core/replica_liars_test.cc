// Peers that lie about who has what, or tell more than anybody can remember.
#include "core/one_replica.h"
#include "dagsync/core/replica.h"

using namespace dagsync;

namespace {

constexpr Sequence kFar = INT64_MAX;

Change of_author(const AuthorId& author, Sequence sequence, const std::string& path) {
  Change change = change_of(path, edit(author.node().value, sequence, file_content(path, 10), 10));
  change.id = change.record.origin = {author, sequence};
  change.record.seen = {};
  change.record.seen.raise(author, sequence);
  change.record.version = change.record.seen;
  return change;
}

AuthorId made_up(std::uint64_t number) {
  return {{"made-up"}, {number}};
}

// Lets a peer say what it has of itself.
void introduce(OneReplica& one, const NodeName& peer, Sequence issued) {
  one.replica.connected(peer);
  (void)one.tell(peer, tell_of(peer, knowing(author_of(peer.value), issued), {}));
}

}  // namespace

TEST_CASE("nobody is believed to have what was not made yet") {
  OneReplica one;
  (void)one.write("a.py", file_content("x", 10), 100);
  one.replica.connected(kB);
  (void)one.tell(kB, tell_of(kB, knowing(author_of("a"), kFar), knowing(author_of("a"), kFar)));
  const auto& peer = one.replica.peers().at(kB);
  CHECK(peer.durable == knowing(author_of("a"), 1));
  CHECK(peer.received == knowing(author_of("a"), 1));
  CHECK(one.replica.author() == author_of("a"));  // an epoch of this run is known to us alone
}

TEST_CASE("a lie makes no more than one new epoch, however often it is told") {
  OneReplica one;
  one.replica.restore(image_of(author_of("a"), 3));
  one.replica.connected(kB);
  (void)one.tell(kB, tell_of(kB, knowing(author_of("a"), kFar), {}));
  CHECK(one.replica.author() == AuthorId{kA, {42}});
  (void)one.tell(kB, tell_of(kB, knowing({kA, {42}}, kFar), {}));
  CHECK(one.replica.author() == AuthorId{kA, {42}});
}

TEST_CASE("a snapshot cannot keep the changes of others from us") {
  OneReplica one;
  (void)one.write("ours.py", file_content("x", 10), 100);
  introduce(one, kC, 2);
  one.replica.connected(kB);
  Knowledge all = knowing(author_of("a"), kFar);
  all.add(author_of("c"), {1, kFar});
  (void)one.replica.snapshot_ended(kB, all);
  SUBCASE("not those to come") {
    CHECK(one.replica.received().last(author_of("a")) == 1);
    CHECK(one.replica.received().last(author_of("c")) == 2);
    (void)one.hear(kC, {of_author(author_of("c"), 3, "new.py")});
    CHECK(one.replica.wanted().contains(at("new.py")));
  }
  SUBCASE("and not one that its author itself sends") {
    (void)one.hear(kC, {of_author(author_of("c"), 2, "old.py")});
    CHECK(one.replica.wanted().contains(at("old.py")));
  }
}

TEST_CASE("what was claimed of an author that was away is put right when it comes") {
  OneReplica one;
  one.replica.connected(kB);
  (void)one.replica.snapshot_ended(kB, knowing(author_of("c"), kFar));
  CHECK(one.replica.received().last(author_of("c")) == kFar);
  introduce(one, kC, 2);
  CHECK(one.replica.received() == knowing(author_of("c"), 2));
}

TEST_CASE("authors without end are left out, and what tells of them is not believed") {
  OneReplica one;
  one.replica.connected(kB);
  for (std::uint64_t number = 1; number <= Replica::kMostAuthors + 10; ++number)
    (void)one.hear(kB, {of_author(made_up(number), 1, std::to_string(number))});
  CHECK(one.replica.received().authors().size() == Replica::kMostAuthors);
  CHECK(one.replica.wanted().size() == Replica::kMostAuthors);
  CHECK(one.replica.peers().at(kB).left_out);
  (void)one.replica.snapshot_ended(kB, knowing(made_up(1), 9));
  CHECK(one.replica.received().last(made_up(1)) == 1);
  // Of the next snapshot nothing was left out, but there is no room for new authors in it.
  Knowledge knowledge = knowing(made_up(1), 9);
  knowledge.add(knowing(made_up(1'000'000), 9));
  (void)one.replica.snapshot_ended(kB, knowledge);
  CHECK(one.replica.received().last(made_up(1)) == 9);
  CHECK(one.replica.received().last(made_up(1'000'000)) == 0);
  // A node that speaks for itself is heard all the same, for so many lives.
  for (std::uint64_t life = 1; life <= Replica::kMostEpochs + 10; ++life)
    (void)one.hear(kC, {of_author({kC, {life}}, 1, "own")});
  CHECK(one.replica.received().authors().size() == Replica::kMostAuthors + Replica::kMostEpochs);
}

TEST_CASE("knowledge full of holes is forgotten where it is full of them, and nowhere else") {
  OneReplica one;
  one.replica.connected(kB);
  introduce(one, kC, 1);
  (void)one.hear_and_publish(kC, of_author(author_of("c"), 1, "c.py"));
  std::vector<Change> changes;
  const Change pattern = of_author(author_of("b"), 1, "holes.py");
  Sequence sequence = 0;
  for (std::size_t i = 0; i < Replica::kMostIntervals + 10; ++i) {
    changes.push_back(pattern);
    changes.back().id.sequence = sequence += 2;
    if (changes.size() == 4096) (void)one.hear(kB, std::exchange(changes, {}));
  }
  (void)one.hear(kB, changes);
  CHECK(one.replica.received().intervals() <= Replica::kMostIntervals);
  CHECK(one.replica.received().covers(ChangeId{author_of("c"), 1}));
  CHECK(one.replica.known().covers(ChangeId{author_of("c"), 1}));
}
