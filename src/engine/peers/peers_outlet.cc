// What a node says to its peers, says of them, and has against them.
#include <algorithm>

#include "dagsync/base/log.h"
#include "dagsync/engine/peers/peers.h"

namespace dagsync {
namespace {

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// None: not connected, or not configured.
template <typename Map>
Link* link_of(const Map& peers, const NodeName& name) {
  const auto it = peers.find(name);
  return it == peers.end() ? nullptr : it->second.link.get();
}

}  // namespace

void Peers::send(std::span<const NodeName> peers, const Message& message) {
  const bool anybody = std::any_of(peers.begin(), peers.end(), [this](const NodeName& name) {
    return link_of(peers_, name) != nullptr;
  });
  if (anybody) send_frame(peers, frame_message(message));
}

void Peers::send_frame(std::span<const NodeName> peers, std::string_view frame) {
  for (const NodeName& name : peers)
    if (Link* link = link_of(peers_, name)) link->send_frame(frame);
}

void Peers::send_chunk(const NodeName& peer, const ChunkView& chunk) {
  if (Link* link = link_of(peers_, peer)) link->send_chunk(chunk);
}

void Peers::refuse(const NodeName& peer, const std::string& why) {
  if (Link* link = link_of(peers_, peer)) link->condemn(why);
}

void Peers::complain(const NodeName& peer, const std::string& why) {
  if (!told_.allows(peer.value + " " + why, clock_.mono())) return;
  log::warning({{}, {}, peer.value}, "refused of peer {}: {}", peer.value, why);
}

std::size_t Peers::queued_bytes(const NodeName& peer) const {
  const Link* link = link_of(peers_, peer);
  return link == nullptr ? 0 : link->queued_bytes();
}

std::vector<NodeName> Peers::connected() const {
  std::vector<NodeName> names;
  for (const auto& [name, peer] : peers_) {
    if (peer.link) names.push_back(name);
  }
  return names;
}

std::optional<Duration> Peers::round_trip(const NodeName& peer) const {
  const Link* link = link_of(peers_, peer);
  return link == nullptr ? std::nullopt : link->round_trip();
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
