// What a node says to its peers, says of them, and has against them.
#include "dagsync/base/log.h"
#include "dagsync/engine/peers.h"

namespace dagsync {
namespace {

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

void Peers::send(std::span<const NodeName> peers, const Message& message) {
  std::string frame;
  for (const NodeName& name : peers) {
    const auto it = peers_.find(name);
    if (it == peers_.end() || !it->second.link) continue;
    if (frame.empty()) frame = frame_message(message);
    it->second.link->send_frame(frame);
  }
}

void Peers::send_frame(std::span<const NodeName> peers, std::string_view frame) {
  for (const NodeName& name : peers) {
    const auto it = peers_.find(name);
    if (it != peers_.end() && it->second.link) it->second.link->send_frame(frame);
  }
}

void Peers::send_chunk(const NodeName& peer, const ChunkView& chunk) {
  const auto it = peers_.find(peer);
  if (it != peers_.end() && it->second.link) it->second.link->send_chunk(chunk);
}

void Peers::refuse(const NodeName& peer, const std::string& why) {
  const auto it = peers_.find(peer);
  if (it != peers_.end() && it->second.link) it->second.link->condemn(why);
}

void Peers::complain(const NodeName& peer, const std::string& why) {
  if (!told_.allows(peer.value + " " + why, clock_.mono())) return;
  log::warning({{}, {}, peer.value}, "refused of peer {}: {}", peer.value, why);
}

std::size_t Peers::queued_bytes(const NodeName& peer) const {
  const auto it = peers_.find(peer);
  return it != peers_.end() && it->second.link ? it->second.link->queued_bytes() : 0;
}

std::vector<NodeName> Peers::connected() const {
  std::vector<NodeName> names;
  for (const auto& [name, peer] : peers_) {
    if (peer.link) names.push_back(name);
  }
  return names;
}

std::optional<Duration> Peers::round_trip(const NodeName& peer) const {
  const auto it = peers_.find(peer);
  return it != peers_.end() && it->second.link ? it->second.link->round_trip() : std::nullopt;
}

std::uint32_t Peers::minor(const NodeName& peer) const {
  const auto it = peers_.find(peer);
  return it != peers_.end() && it->second.link ? it->second.minor : 0;
}

std::vector<PeerStatus> Peers::status() const {
  std::vector<PeerStatus> all;
  for (const auto& [name, peer] : peers_) {
    PeerStatus status;
    status.name = name;
    status.address = peer.address;
    if (status.address.empty() && !peer.config.addresses.empty()) {
      status.address = peer.config.addresses.front();
    }
    status.connected = peer.link != nullptr;
    status.version = peer.version;
    status.bytes_sent = peer.sent_before;
    status.bytes_received = peer.received_before;
    status.last_seen = peer.last_seen;
    status.certificate_expires = peer.certificate_expires;
    const bool refused = clock_.mono() < peer.refused_at + kRefusalCounts;
    status.trouble = refused && !peer.refusal.empty() ? peer.refusal : peer.trouble;
    if (peer.link) {
      status.bytes_sent += peer.link->connection().bytes_sent();
      status.bytes_received += peer.link->connection().bytes_received();
      status.queued_bytes = peer.link->queued_bytes();
      status.last_seen = peer.link->last_heard();
      if (const auto rtt = peer.link->round_trip()) status.rtt_ms = milliseconds(*rtt);
      if (const auto offset = peer.link->clock_offset()) {
        status.clock_offset_ms = milliseconds(*offset);
      }
    }
    all.push_back(std::move(status));
  }
  return all;
}

}  // namespace dagsync
