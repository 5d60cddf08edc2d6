#include "dagsync/engine/peers/rights.h"

#include <doctest/doctest.h>

#include <set>

using namespace dagsync;

namespace {

// The numbers of the kinds of message that such a peer may not say.
template <std::size_t... kIndex>
std::set<std::size_t> forbidden(const PeerConfig& peer, std::index_sequence<kIndex...>) {
  std::set<std::size_t> kinds;
  const auto look = [&](const Message& message) {
    if (!why_may_not(peer, message).empty()) kinds.insert(message.index());
  };
  (look(Message(std::in_place_index<kIndex>)), ...);
  return kinds;
}

std::set<std::size_t> forbidden(bool may_send, bool may_receive) {
  PeerConfig peer;
  peer.may_send = may_send;
  peer.may_receive = may_receive;
  return forbidden(peer, std::make_index_sequence<std::variant_size_v<Message>>());
}

template <typename... T>
std::set<std::size_t> kinds() {
  return {Message(T()).index()...};
}

}  // namespace

TEST_CASE("what a peer may say follows from what it may do") {
  CHECK(forbidden(true, true).empty());
  CHECK(forbidden(true, false) == kinds<Fetch, Verify>());
  CHECK(forbidden(false, true) == kinds<Announce, SnapshotEnd, List>());
  CHECK(forbidden(false, false) == kinds<Fetch, Verify, Announce, SnapshotEnd, List>());
}

TEST_CASE("the reason names what was said, and the setting") {
  PeerConfig peer;
  peer.may_send = peer.may_receive = false;
  CHECK(why_may_not(peer, Announce()) == "changes, which it may not send here ([[peer]] may)");
  CHECK(why_may_not(peer, Verify()) ==
        "a question what stands here: it may not receive here ([[peer]] may)");
}
