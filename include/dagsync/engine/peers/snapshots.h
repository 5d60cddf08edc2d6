// Catching up: sends a peer what it lacks of the index, page by page, then the knowledge that the
// index held when that began. Needs no queue: a page is read from the index when the peer has room
// for it, and sent when its rows would survive our end, as every change is. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "dagsync/core/replica.h"
#include "dagsync/engine/peers/outlet.h"

namespace dagsync {

class Snapshots {
 public:
  static constexpr std::size_t kPageItems = 1024;
  static constexpr std::uint64_t kPagesAhead = 2;  // sent and not answered

  // `when_written` calls back, in order, when the rows of all changes until now are in the store.
  using WhenWritten = std::function<void(std::function<void()>)>;

  Snapshots(std::string folder, Replica& replica, Outlet& outlet, WhenWritten when_written);

  // Called with every change that goes to a peer.
  void on_sent(std::function<void(const NodeName&, const Change&)> call) {
    sent_ = std::move(call);
  }
  void start(const NodeName& peer);  // what it lacks
  void list(const NodeName& peer);   // everything that is live, for a one-shot push
  void on_page_done(const NodeName& peer, std::uint64_t page);
  void peer_lost(const NodeName& peer) { running_.erase(peer); }
  [[nodiscard]] bool idle() const { return running_.empty(); }

 private:
  struct Run {
    bool list = false;
    Knowledge offered;              // when it began
    std::optional<RelPath> cursor;  // the last path that was sent or passed over
    std::uint64_t page = 0;
    std::uint64_t done = 0;
    bool ended = false;
    // Goes with the run: what was still to be sent then is not for the peer's next connection.
    std::shared_ptr<bool> token = std::make_shared<bool>(true);
  };
  void send_pages(const NodeName& peer, Run& run);
  bool send_page(const NodeName& peer, Run& run);
  void send_end(const NodeName& peer, Run& run);
  [[nodiscard]] bool lacks(const NodeName& peer, const Run& run, const IndexEntry& entry) const;

  std::string folder_;
  Replica& replica_;
  Outlet& outlet_;
  WhenWritten when_written_;
  std::function<void(const NodeName&, const Change&)> sent_;
  std::map<NodeName, Run> running_;
};

}  // namespace dagsync
