// The replica and what its peers have: gaps, lag, snapshots, relays, being in sync.
#include "core/one_replica.h"
#include "dagsync/core/replica.h"

using namespace dagsync;

namespace {

std::vector<NodeName> snapshots_in(const Actions& actions) {
  std::vector<NodeName> peers;
  for (const StartSnapshot& start : only<StartSnapshot>(actions))
    peers.push_back(start.peer);
  return peers;
}

}  // namespace

TEST_CASE("a gap stays a gap until a snapshot's end covers it") {
  OneReplica one;
  (void)one.hear_and_publish(kB, theirs(1, "x", 10));
  (void)one.hear_and_publish(kB, change_of("c.py", edit("b", 4, file_content("y", 20), 20)));
  Knowledge with_gap = knowing(author_of("b"), 1);
  with_gap.add(ChangeId{author_of("b"), 4});
  CHECK(one.replica.known() == with_gap);
  CHECK_FALSE(one.replica.known().covers(knowing(author_of("b"), 4)));

  const Change waiting = change_of("d.py", edit("b", 6, file_content("z", 30), 30));
  (void)one.hear(kB, {waiting});
  (void)one.replica.snapshot_ended(kB, knowing(author_of("b"), 7));
  CHECK(one.replica.received() == knowing(author_of("b"), 7));
  // Of what was replaced nothing younger is here yet, as long as that is not published.
  CHECK(one.replica.known() == with_gap);
  (void)one.publish("d.py");
  CHECK(one.replica.known() == knowing(author_of("b"), 7));
}

TEST_CASE("a peer that lacks something when it connects is sent a snapshot at once") {
  OneReplica one;
  (void)one.write("a.py", file_content("x", 10), 100);
  one.replica.connected(kB);
  CHECK(snapshots_in(one.tell(kB, tell_of(kB, {}, {}))) == std::vector{kB});
  // One at a time, however long it takes.
  for (int i = 0; i < 3; ++i) {
    CHECK(snapshots_in(one.tell(kB, tell_of(kB, {}, {}))).empty());
    one.now = one.now + std::chrono::seconds(5);
  }
}

TEST_CASE("a peer that has all is sent nothing") {
  OneReplica one;
  (void)one.write("a.py", file_content("x", 10), 100);
  one.replica.connected(kB);
  CHECK(one.tell(kB, tell_of(kB, knowing(author_of("a"), 1), {})).empty());
}

TEST_CASE("a peer that lags may hear from the author, for a while") {
  OneReplica one;
  one.connect(kB);
  const Change change = one.write("a.py", file_content("x", 10), 100);
  one.replica.sent(kB, change.id);
  const auto tells_nothing = [&] { return snapshots_in(one.tell(kB, tell_of(kB, {}, {}))); };
  CHECK(tells_nothing().empty());
  one.now = one.now + std::chrono::milliseconds(2999);
  CHECK(tells_nothing().empty());

  SUBCASE("then it is sent a snapshot") {
    one.now = one.now + std::chrono::milliseconds(1);
    CHECK(tells_nothing() == std::vector{kB});
    SUBCASE("and another, when that one broke") {
      one.replica.snapshot_broken(kB);
      CHECK(tells_nothing() == std::vector{kB});
    }
    SUBCASE("and when it still lags after that one, again after a while") {
      one.replica.snapshot_sent(kB, one.replica.offered());
      CHECK(tells_nothing().empty());
      one.now = one.now + std::chrono::seconds(3);
      CHECK(tells_nothing() == std::vector{kB});
    }
  }
  SUBCASE("the time begins anew when it has caught up") {
    (void)one.tell(kB, tell_of(kB, one.replica.known(), {}));
    (void)one.write("a.py", file_content("y", 20), 100);
    one.now = one.now + std::chrono::seconds(2);
    CHECK(tells_nothing().empty());
  }
}

TEST_CASE("who may not receive, or does not accept, is sent no snapshot") {
  OneReplica one;
  (void)one.write("a.py", file_content("x", 10), 100);
  SUBCASE("may not") {
    one.replica.configure_peer(kB, true, false, true);
    one.replica.connected(kB);
    CHECK(one.tell(kB, tell_of(kB, {}, {})).empty());
  }
  SUBCASE("does not accept, until it does") {
    one.replica.connected(kB);
    Tell tell = tell_of(kB, {}, {});
    tell.accepts = false;
    CHECK(one.tell(kB, tell).empty());
    tell.accepts = true;
    CHECK(snapshots_in(one.tell(kB, tell)) == std::vector{kB});
  }
  SUBCASE("and nobody from a halted folder") {
    one.replica.halt("gone");
    one.replica.connected(kB);
    CHECK(one.tell(kB, tell_of(kB, {}, {})).empty());
  }
}

TEST_CASE("what never entered here is not what a peer lacks") {
  OneReplica one;
  (void)one.replica.announced(kB, {theirs(1, "x", 10)}, [](auto&&...) { return true; });
  one.replica.connected(kC);
  CHECK(one.tell(kC, tell_of(kC, {}, {})).empty());
}

TEST_CASE("a change is relayed to those only that cannot see its author") {
  OneReplica one;
  one.connect(kB, {kA});
  one.connect(kC, {kA});
  const Change change = theirs(1, "x", 10);
  const auto relayed = [&](const Change& published) {
    std::vector<NodeName> to;
    for (const Relay& relay : only<Relay>(one.hear_and_publish(kB, published))) {
      CHECK(relay.change == published);
      to.push_back(relay.peer);
    }
    return to;
  };
  SUBCASE("c cannot") {
    CHECK(relayed(change) == std::vector{kC});
  }
  SUBCASE("c can") {
    one.connect(kC, {kA, kB});
    CHECK(relayed(change).empty());
  }
  SUBCASE("c has it already") {
    one.replica.sent(kC, change.id);
    CHECK(relayed(change).empty());
  }
  SUBCASE("c announced it too") {
    (void)one.hear(kB, {change});
    Knowledge known = knowing(author_of("b"), 1);
    (void)one.tell(kC, tell_of(kC, known, {}));
    CHECK(only<Relay>(one.publish("a.py")).empty());
  }
  SUBCASE("c is away") {
    one.replica.disconnected(kC);
    CHECK(relayed(change).empty());
  }
  SUBCASE("c may not receive") {
    one.replica.configure_peer(kC, true, false, true);
    CHECK(relayed(change).empty());
  }
  SUBCASE("c will be caught up by a snapshot") {
    one.replica.lagging(kC);
    CHECK(relayed(change).empty());
  }
  SUBCASE("a merge is ours, and told to everybody") {
    (void)one.write("a.py", file_content("mine", 5), 100);
    CHECK(relayed(change).empty());
  }
}

TEST_CASE("in sync is what both have durably") {
  OneReplica one;
  const auto in_sync = [&] { return one.replica.in_sync_with(one.replica.peers().at(kB)); };
  CHECK_FALSE(in_sync());  // not connected
  one.connect(kB);
  CHECK(in_sync());
  (void)one.write("a.py", file_content("12345", 10), 100);
  const Knowledge mine = knowing(author_of("a"), 1);
  CHECK(one.replica.behind(one.replica.peers().at(kB)).files == 1);
  CHECK(one.replica.behind(one.replica.peers().at(kB)).bytes == 5);

  (void)one.tell(kB, tell_of(kB, mine, {}));
  CHECK_FALSE(in_sync());  // received is not durable
  (void)one.tell(kB, tell_of(kB, mine, mine));
  CHECK_FALSE(in_sync());  // nor is it here
  one.replica.made_durable(mine);
  CHECK(in_sync());
  CHECK(one.replica.behind(one.replica.peers().at(kB)).files == 0);

  Knowledge more = mine;
  more.add(ChangeId{author_of("b"), 1});
  (void)one.tell(kB, tell_of(kB, more, mine));
  CHECK_FALSE(in_sync());  // it has something that we lack
  one.replica.configure_peer(kB, false, true, true);
  CHECK(in_sync());  // but may not send it
  one.replica.disconnected(kB);
  CHECK_FALSE(in_sync());
}

TEST_CASE("a commit that ends late makes nothing durable that is asked for again since") {
  OneReplica one;
  const Change change = theirs(1, "x", 10);
  one.replica.connected(kB);
  (void)one.replica.announced(kB, {change}, [](const RelPath&, Kind) { return true; });
  const Knowledge committing = one.replica.known();
  REQUIRE(committing.covers(change.id));
  one.replica.reconfigure({.self = kA});  // it is ignored no longer
  one.replica.made_durable(committing);
  CHECK_FALSE(one.replica.durable().covers(change.id));
}
