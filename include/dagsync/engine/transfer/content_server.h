// The answering side of a transfer: sends contents of this folder to peers that ask, within their
// credit, so one slow peer holds up nobody. Loop thread only; files are read, compared and
// compressed in the pool.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dagsync/core/index.h"
#include "dagsync/core/messages.h"
#include "dagsync/engine/peers/outlet.h"
#include "dagsync/ports/disk.h"
#include "dagsync/ports/worker.h"

namespace dagsync {

class ContentServer {
 public:
  static constexpr std::size_t kRequestsPerPeer = 512;  // more are refused
  static constexpr std::size_t kSessionsPerPeer = 64;   // of those, at work; the others wait
  static constexpr std::size_t kSignatureBytesPerPeer = 16 << 20;  // beyond, contents go whole
  static constexpr std::uint64_t kMostCredit = 64 << 20;           // of one content
  static constexpr std::size_t kMostQueuedBytes = 4 << 20;  // for a peer; then it has to read first
  // Looks for a content that the index does not have under any path: a kept version. Its id, or
  // nothing.
  using FindKept = std::function<std::optional<KeptId>(const Digest&)>;

  ContentServer(Worker& worker, Disk& disk, Outlet& outlet, const Index& index, FindKept find_kept);

  void on_fetch(const NodeName& from, Fetch fetch);
  void on_credit(const NodeName& from, const Credit& credit);
  void on_cancel(const NodeName& from, const Cancel& cancel);
  void drained(const NodeName& peer);  // it has read what was sent
  void peer_lost(const NodeName& peer);
  // How much less was sent than asked for, thanks to deltas.
  [[nodiscard]] std::uint64_t saved_bytes() const { return saved_bytes_; }

 private:
  struct Session;
  using Key = std::pair<NodeName, std::uint64_t>;
  struct Asker {
    std::size_t requests = 0;
    std::size_t sessions = 0;  // of those, at work
    std::deque<Key> waiting;   // the others, in the order in which they came
  };
  void start_more(const NodeName& peer);
  void start(const Key& key, const std::shared_ptr<Session>& session);
  void end(const Key& key, std::string why);  // says so: "" is a good end
  void drop(const Key& key);
  void step(const Key& key, const std::shared_ptr<Session>& session);
  void refuse(const NodeName& peer, std::uint64_t request, std::string why);
  [[nodiscard]] bool has_room_for(const NodeName& peer, std::size_t signature_bytes) const;

  Worker& worker_;
  Disk& disk_;
  Outlet& outlet_;
  const Index& index_;
  FindKept find_kept_;
  std::uint64_t saved_bytes_ = 0;
  std::map<Key, std::shared_ptr<Session>> sessions_;
  std::map<NodeName, Asker> askers_;
};

}  // namespace dagsync
