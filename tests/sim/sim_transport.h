// Byte streams between simulated machines: in order, in pieces, after a delay, until somebody
// closes them or the network has had enough. Who is at the other end is always known.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dagsync/ports/transport.h"
#include "events.h"

namespace dagsync::sim {

// One stream: two ends, and the bytes between them.
struct Wire {
  struct End {
    std::string node;
    LifePtr life;
    Connection::Handlers handlers;
    bool started = false;
    bool gone = false;       // destroyed, or told that it is closed
    bool finishing = false;  // closes when all is delivered
    std::string sent;        // on its way to the other end
    bool moving = false;     // an event will deliver some of it
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
  };
  std::array<End, 2> ends;
};

class Network {
 public:
  struct Route {
    Duration delay = std::chrono::microseconds(300);
    bool blocked = false;
    std::uint64_t bytes_per_ms = 0;  // 0: as fast as can be
  };
  // A defect between the nodes: may change, drop or delay what the sender sends.
  using Rewrite = std::function<std::string(const std::string& from, std::string_view bytes)>;
  using MakeRewrite = std::function<Rewrite()>;  // one for each direction of a stream

  explicit Network(Events& events) : events_(events) {}

  [[nodiscard]] Route& route(const std::string& from, const std::string& to) {
    return routes_[{from, to}];
  }
  void block(const std::string& from, const std::string& to);
  void unblock(const std::string& from, const std::string& to);
  void heal();
  void reset_one(Seeded& seeded);  // a stream breaks
  // A life has ended: the other ends hear of it, unless the machine lost its power.
  void ended(const LifePtr& life, bool silently);
  // A machine without power is back: it knows nothing of the old streams.
  void rebooted(const std::string& node);
  [[nodiscard]] std::size_t queued_bytes() const;
  void rewrite_with(MakeRewrite make) { make_rewrite_ = std::move(make); }

 private:
  friend class SimTransport;
  friend class SimConnection;
  struct Listener {
    LifePtr life;
    Transport::OnAccept on_accept;
  };
  using WirePtr = std::shared_ptr<Wire>;

  void send(const WirePtr& wire, std::size_t side, std::string_view bytes);
  void move_soon(const WirePtr& wire, std::size_t side);
  void move(const WirePtr& wire, std::size_t side);
  void close(const WirePtr& wire, std::size_t side);  // tells this end, later
  void forget_dead();
  [[nodiscard]] bool is_open(const std::string& from, const std::string& to) {
    return !route(from, to).blocked;
  }

  Events& events_;
  std::map<std::pair<std::string, std::string>, Route> routes_;
  std::map<std::string, Listener> listeners_;
  std::vector<WirePtr> wires_;
  std::map<std::pair<Wire*, std::size_t>, Rewrite> rewrites_;
  MakeRewrite make_rewrite_;
};

class SimTransport final : public Transport {
 public:
  SimTransport(Network& network, std::string node, LifePtr life)
      : network_(network), node_(std::move(node)), life_(std::move(life)) {}
  ~SimTransport() override;

  Status listen(const std::vector<std::string>& addresses, OnAccept on_accept) override;
  std::unique_ptr<Dialing> dial(const std::string& address, const NodeName& expected,
                                OnDialed on_dialed) override;

 private:
  void connect(const std::string& to, const std::shared_ptr<OnDialed>& call);

  Network& network_;
  std::string node_;
  LifePtr life_;
};

}  // namespace dagsync::sim
