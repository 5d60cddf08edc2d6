// What peers may still send of requests that were taken back: a Cancel takes its time to get there.
// Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>

#include "dagsync/core/names.h"

namespace dagsync {

class TakenBack {
 public:
  static constexpr std::size_t kMostRequests = 512;      // of one peer; the latest
  static constexpr std::uint64_t kMostBytes = 64 << 20;  // of one peer, in all of them

  // `bytes`: what the peer was allowed to send and has not.
  void note(const NodeName& peer, std::uint64_t request, std::uint64_t bytes) {
    std::deque<Request>& requests = requests_[peer];
    requests.push_back({request, bytes});
    std::uint64_t sum = 0;
    for (const Request& each : requests)
      sum += each.bytes;
    while (requests.size() > kMostRequests || sum > kMostBytes) {
      sum -= requests.front().bytes;
      requests.pop_front();
    }
  }
  // Whether so many bytes are of such a request; they are taken off what it may still send.
  [[nodiscard]] bool covers(const NodeName& peer, std::uint64_t request, std::uint64_t bytes) {
    const auto of_peer = requests_.find(peer);
    if (of_peer == requests_.end()) return false;
    for (Request& each : of_peer->second) {
      if (each.number != request || each.bytes < bytes) continue;
      each.bytes -= bytes;
      return true;
    }
    return false;
  }
  void forget(const NodeName& peer) { requests_.erase(peer); }

 private:
  struct Request {
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
  };
  std::map<NodeName, std::deque<Request>> requests_;
};

}  // namespace dagsync
