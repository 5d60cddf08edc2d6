// Admission control: how much of what peers announce and tell one folder takes, and when a peer
// that catches it up may go on. So no peer, and nobody whose changes it passes on, fills the memory
// of this node or keeps its loop busy. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dagsync/core/replica.h"
#include "dagsync/engine/peers/allowance.h"
#include "dagsync/engine/peers/outlet.h"
#include "dagsync/ports/clock.h"

namespace dagsync {

class Admission {
 public:
  using Items = std::vector<Announce::Item>;

  // All of them outlive this.
  Admission(std::string folder, Clock& clock, Replica& replica, Outlet& outlet)
      : folder_(std::move(folder)), clock_(clock), replica_(replica), outlet_(outlet) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  ~Admission();

  // What is to be done of an announcement now: a page of a snapshot at once, any other batch when
  // the last of it has come; none before. Where there is no room, or a change cannot be, it is left
  // out: the replica then does not know of it, and the peer will send it again.
  [[nodiscard]] std::optional<Items> announced(const NodeName& from, Announce announce);
  // After announced(): answers the pages that were taken in, as soon as there is room for more.
  void answer_pages();
  // A change of these sources stands on the disk, and is in nobody's hand any more. So an honest
  // copy of a million files is as fast as the disk, and a flood that changes nothing is not.
  void published(const Change& change, const std::set<NodeName>& sources);
  // Comparing knowledge is work for the loop, too; what is not listened to is told again.
  [[nodiscard]] bool may_tell(const NodeName& from, std::size_t intervals);
  void peer_lost(const NodeName& peer);

 private:
  // A batch that goes on.
  struct Inbox {
    Items items;
    std::size_t bytes = 0;
  };
  // Bytes of records in hand, also over several connections. Apart for what it passes on: a flood
  // that it heard must not keep its own changes from us.
  struct InHand {
    Allowance own;
    Allowance of_others;
  };
  [[nodiscard]] bool has_room(const NodeName& from, bool is_page, bool is_spent);
  [[nodiscard]] InHand& in_hand_of(const NodeName& peer);
  void leave_out_far_future(const NodeName& from, Items& items);
  void leave_out(const NodeName& from, const std::string& why);

  std::string folder_;
  Clock& clock_;
  Replica& replica_;
  Outlet& outlet_;
  std::map<NodeName, Inbox> inboxes_;
  std::vector<std::pair<NodeName, std::uint64_t>> unanswered_pages_;
  std::map<NodeName, InHand> in_hand_;
  std::map<NodeName, Allowance> told_;  // intervals of knowledge
  TimerId pages_timer_;
};

}  // namespace dagsync
