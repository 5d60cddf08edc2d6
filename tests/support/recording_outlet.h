// A mesh that remembers what was said to whom.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dagsync/engine/peers/outlet.h"

namespace dagsync {

class RecordingOutlet final : public Outlet {
 public:
  using Outlet::send;
  struct Said {
    NodeName to;
    Message message;
  };

  void send(std::span<const NodeName> to, const Message& message) override {
    for (const NodeName& peer : to)
      said.push_back({peer, message});
  }
  void send_frame(std::span<const NodeName>, std::string_view) override {
    FAIL("nothing here frames its messages before");
  }
  void send_chunk(const NodeName&, const ChunkView&) override { ++chunks; }
  std::size_t queued_bytes(const NodeName&) const override { return 0; }
  std::vector<NodeName> connected() const override { return peers; }
  std::optional<Duration> round_trip(const NodeName&) const override { return {}; }
  std::uint32_t minor(const NodeName&) const override { return kProtocolMinor; }
  std::uint64_t next_request() override { return ++requests_; }
  void refuse(const NodeName& peer, const std::string& why) override {
    refused.push_back(peer.value + ": " + why);
  }
  void complain(const NodeName& peer, const std::string& why) override {
    complaints.push_back(peer.value + ": " + why);
  }

  // What was said since the last call.
  [[nodiscard]] std::vector<Said> take() { return std::exchange(said, {}); }

  std::vector<Said> said;
  std::vector<NodeName> peers;
  std::size_t chunks = 0;
  std::vector<std::string> refused;
  std::vector<std::string> complaints;

 private:
  std::uint64_t requests_ = 0;
};

}  // namespace dagsync
