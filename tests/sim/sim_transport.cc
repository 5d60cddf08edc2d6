#include "sim_transport.h"

#include <algorithm>

namespace dagsync::sim {
namespace {

constexpr Duration kDialTimeout = std::chrono::seconds(3);
constexpr std::size_t kMostAtOnce = 64 << 10;  // delivered by one event

}  // namespace

class SimConnection final : public Connection {
 public:
  SimConnection(Network& network, std::shared_ptr<Wire> wire, std::size_t side)
      : network_(network), wire_(std::move(wire)), side_(side) {
    const std::string& other = wire_->ends[1 - side].node;
    identity_.names = {NodeName{other}};
    identity_.certificate_expires = {2'000'000'000'000'000'000};
    identity_.address = other + ":7411";
  }
  ~SimConnection() override {
    Wire::End& end = wire_->ends[side_];
    end.gone = true;
    end.handlers = {};
    if (!end.life->alive) return;
    if (!end.finishing) end.sent.clear();
    end.finishing = true;
    network_.move_soon(wire_, side_);
  }

  void start(Handlers handlers) override {
    Wire::End& end = wire_->ends[side_];
    end.handlers = std::move(handlers);
    end.started = true;
    network_.move_soon(wire_, 1 - side_);
  }
  void send(std::span<const std::string_view> parts) override {
    for (const std::string_view part : parts)
      network_.send(wire_, side_, part);
  }
  void finish() override {
    wire_->ends[side_].finishing = true;
    network_.move_soon(wire_, side_);
  }
  std::size_t queued_bytes() const override { return wire_->ends[side_].sent.size(); }
  const PeerIdentity& identity() const override { return identity_; }
  std::uint64_t bytes_sent() const override { return wire_->ends[side_].bytes_sent; }
  std::uint64_t bytes_received() const override { return wire_->ends[side_].bytes_received; }

 private:
  Network& network_;
  std::shared_ptr<Wire> wire_;
  std::size_t side_;
  PeerIdentity identity_;
};

// -- the network ---------------------------------------------------------------------------------

void Network::send(const WirePtr& wire, std::size_t side, std::string_view bytes) {
  Wire::End& end = wire->ends[side];
  if (end.gone || end.finishing) return;
  end.bytes_sent += bytes.size();
  const auto rewrite = rewrites_.find({wire.get(), side});
  if (rewrite != rewrites_.end()) {
    end.sent += rewrite->second(end.node, bytes);
  } else {
    end.sent.append(bytes);
  }
  move_soon(wire, side);
}

void Network::move_soon(const WirePtr& wire, std::size_t side) {
  Wire::End& from = wire->ends[side];
  if (from.moving) return;
  from.moving = true;
  const Duration delay = route(from.node, wire->ends[1 - side].node).delay;
  events_.after(delay + events_.seeded().between(Duration(0), delay), nullptr,
                [this, wire, side] { move(wire, side); });
}

void Network::move(const WirePtr& wire, std::size_t side) {
  Wire::End& from = wire->ends[side];
  Wire::End& to = wire->ends[1 - side];
  const Route& path = route(from.node, to.node);
  from.moving = false;
  if (path.blocked || to.gone) return;
  if (!to.started || !to.life->alive) return;
  if (!from.sent.empty()) {
    std::size_t most = std::min(from.sent.size(), kMostAtOnce);
    if (path.bytes_per_ms > 0) most = std::min<std::size_t>(most, path.bytes_per_ms);
    if (events_.seeded().chance(0.2)) most = 1 + events_.seeded().index(most);
    const std::string piece = from.sent.substr(0, most);
    from.sent.erase(0, most);
    to.bytes_received += most;
    const auto on_data = to.handlers.on_data;
    on_data(piece);
    if (to.gone) return;
  }
  if (!from.sent.empty()) {
    from.moving = true;
    const Duration pause =
        path.bytes_per_ms > 0 ? std::chrono::milliseconds(1) : std::chrono::microseconds(20);
    events_.after(pause, nullptr, [this, wire, side] { move(wire, side); });
  } else if (from.finishing) {
    close(wire, 1 - side);
  }
}

void Network::close(const WirePtr& wire, std::size_t side) {
  Wire::End& end = wire->ends[side];
  if (end.gone || !end.life->alive) return;
  events_.after(Duration(0), end.life, [wire, side] {
    Wire::End& closed = wire->ends[side];
    if (closed.gone || !closed.started) return;
    closed.gone = true;
    const auto on_closed = closed.handlers.on_closed;
    on_closed({ErrorCode::kUnavailable, "the connection was closed"});
  });
}

void Network::forget_dead() {
  std::erase_if(wires_, [this](const WirePtr& wire) {
    const bool dead = std::all_of(wire->ends.begin(), wire->ends.end(),
                                  [](const auto& end) { return end.gone || !end.life->alive; });
    for (std::size_t side = 0; dead && side < 2; ++side)
      rewrites_.erase({wire.get(), side});
    return dead;
  });
}

void Network::block(const std::string& from, const std::string& to) {
  route(from, to).blocked = true;
}

void Network::unblock(const std::string& from, const std::string& to) {
  Route& path = route(from, to);
  if (!std::exchange(path.blocked, false)) return;
  for (const WirePtr& wire : wires_) {
    for (std::size_t side = 0; side < 2; ++side) {
      if (wire->ends[side].node == from && wire->ends[1 - side].node == to) move_soon(wire, side);
    }
  }
}

void Network::heal() {
  for (auto& [ends, path] : routes_) {
    unblock(ends.first, ends.second);
    path.bytes_per_ms = 0;
    path.delay = std::chrono::microseconds(300);
  }
}

void Network::reset_one(Seeded& seeded) {
  forget_dead();
  if (wires_.empty()) return;
  const WirePtr wire = wires_[seeded.index(wires_.size())];
  for (std::size_t side = 0; side < 2; ++side) {
    wire->ends[side].sent.clear();
    wire->ends[side].finishing = true;
    close(wire, side);
  }
}

void Network::ended(const LifePtr& life, bool silently) {
  std::erase_if(listeners_, [&](const auto& entry) { return entry.second.life == life; });
  for (const WirePtr& wire : std::vector(wires_)) {
    for (std::size_t side = 0; side < 2; ++side) {
      Wire::End& end = wire->ends[side];
      if (end.life != life) continue;
      end.gone = true;
      end.handlers = {};
      if (!silently) close(wire, 1 - side);
    }
  }
  forget_dead();
}

void Network::rebooted(const std::string& node) {
  for (const WirePtr& wire : std::vector(wires_)) {
    for (std::size_t side = 0; side < 2; ++side) {
      const Wire::End& end = wire->ends[side];
      if (end.node == node && !end.life->alive) close(wire, 1 - side);
    }
  }
}

std::size_t Network::queued_bytes() const {
  std::size_t bytes = 0;
  for (const WirePtr& wire : wires_)
    bytes += wire->ends[0].sent.size() + wire->ends[1].sent.size();
  return bytes;
}

// -- one node's transport
// ---------------------------------------------------------------------------

SimTransport::~SimTransport() {
  const auto it = network_.listeners_.find(node_);
  if (it != network_.listeners_.end() && it->second.life == life_) network_.listeners_.erase(it);
}

Status SimTransport::listen(const std::vector<std::string>&, OnAccept on_accept) {
  network_.listeners_[node_] = {life_, std::move(on_accept)};
  return {};
}

namespace {

class SimDialing final : public Transport::Dialing {
 public:
  explicit SimDialing(std::shared_ptr<Transport::OnDialed> call) : call_(std::move(call)) {}
  ~SimDialing() override { *call_ = nullptr; }

 private:
  std::shared_ptr<Transport::OnDialed> call_;
};

// The callback may destroy its own handle.
void answer(const std::shared_ptr<Transport::OnDialed>& call,
            Result<std::unique_ptr<Connection>> result) {
  if (const auto on_dialed = std::exchange(*call, nullptr)) on_dialed(std::move(result));
}

}  // namespace

std::unique_ptr<Transport::Dialing> SimTransport::dial(const std::string& address, const NodeName&,
                                                       OnDialed on_dialed) {
  auto call = std::make_shared<OnDialed>(std::move(on_dialed));
  const std::string to = address.substr(0, address.find(':'));
  const Duration round_trips = 4 * network_.route(node_, to).delay;
  network_.events_.after(round_trips, life_, [this, to, call] { connect(to, call); });
  return std::make_unique<SimDialing>(call);
}

void SimTransport::connect(const std::string& to, const std::shared_ptr<OnDialed>& call) {
  if (!*call) return;
  if (!network_.is_open(node_, to) || !network_.is_open(to, node_)) {
    network_.events_.after(kDialTimeout, life_, [call] {
      answer(call, fail(ErrorCode::kUnavailable, "connect: it does not answer"));
    });
    return;
  }
  const auto listener = network_.listeners_.find(to);
  if (listener == network_.listeners_.end() || !listener->second.life->alive) {
    answer(call, fail(ErrorCode::kUnavailable, "connect: connection refused"));
    return;
  }
  network_.forget_dead();
  auto wire = std::make_shared<Wire>();
  wire->ends[0].node = node_;
  wire->ends[0].life = life_;
  wire->ends[1].node = to;
  wire->ends[1].life = listener->second.life;
  network_.wires_.push_back(wire);
  for (std::size_t side = 0; network_.make_rewrite_ && side < 2; ++side)
    network_.rewrites_[{wire.get(), side}] = network_.make_rewrite_();
  Network& network = network_;
  network_.events_.after(network_.route(node_, to).delay, listener->second.life,
                         [&network, wire, on_accept = listener->second.on_accept] {
                           on_accept(std::make_unique<SimConnection>(network, wire, 1));
                         });
  answer(call, std::make_unique<SimConnection>(network_, wire, 0));
}

}  // namespace dagsync::sim
