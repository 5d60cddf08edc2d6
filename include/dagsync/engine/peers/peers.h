// The links of a node: dials every configured peer that is not connected, accepts those that dial
// it, resolves duplicates, refuses strangers. Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dagsync/base/rate_limit.h"
#include "dagsync/engine/config.h"
#include "dagsync/engine/peers/allowance.h"
#include "dagsync/engine/peers/link.h"
#include "dagsync/engine/peers/outlet.h"
#include "dagsync/engine/status.h"
#include "dagsync/ports/transport.h"

namespace dagsync {

class Peers : public Outlet {
 public:
  struct Hooks {
    std::function<Hello()> hello;  // ours, now
    std::function<void(const NodeName&, const Hello&)> connected;
    std::function<void(const NodeName&)> lost;
    std::function<void(const NodeName&, Message)> message;
    std::function<void(const NodeName&, Chunk&&)> chunk;
    std::function<void(const std::string&, const std::string&)> refused = {};  // whom, and why
    std::function<void(const NodeName&)> drained = {};  // it has taken what was queued for it
    std::function<void(const NodeName&, const Hello&)> hello_again = {};  // other folders
  };
  static constexpr Duration kFirstRetry = std::chrono::milliseconds(50);  // with jitter: < 100 ms
  static constexpr Duration kLastRetry = std::chrono::milliseconds(4500);
  static constexpr std::size_t kMaxStrangers = 64;     // accepted, hello not heard yet
  static constexpr std::size_t kStrangersPerPeer = 4;  // of these, with one certificate's names
  static constexpr double kMostGreetings = 20;         // of one peer at once; then one a second
  static constexpr Duration kBarred = std::chrono::seconds(10);  // after a breach of the protocol
  // It dials more often than that: where it was refused later, that is why it is not connected.
  static constexpr Duration kRefusalCounts = std::chrono::seconds(15);
  static constexpr Duration kToldAgain = std::chrono::minutes(1);  // the log, of the same thing

  Peers(NodeName self, Clock& clock, Random& random, Transport& transport, Hooks hooks);
  ~Peers() override;

  void configure(const std::vector<PeerConfig>& peers);  // closes links to those that are gone
  void accept(std::unique_ptr<Connection> connection);
  void start_dialing();
  void stop();                                                   // says goodbye to all
  void reconnect(const NodeName& name, const std::string& why);  // where it is connected

  [[nodiscard]] std::vector<PeerStatus> status() const;
  [[nodiscard]] const PeerConfig* config_of(const NodeName& name) const;

  // Outlet
  void send(std::span<const NodeName> peers, const Message& message) override;
  void send_frame(std::span<const NodeName> peers, std::string_view frame) override;
  void send_chunk(const NodeName& peer, const ChunkView& chunk) override;
  [[nodiscard]] std::size_t queued_bytes(const NodeName& peer) const override;
  [[nodiscard]] std::vector<NodeName> connected() const override;
  [[nodiscard]] std::optional<Duration> round_trip(const NodeName& peer) const override;
  [[nodiscard]] std::uint32_t minor(const NodeName& peer) const override;
  [[nodiscard]] std::uint64_t next_request() override { return next_request_++; }
  void refuse(const NodeName& peer, const std::string& why) override;
  void complain(const NodeName& peer, const std::string& why) override;

 private:
  struct Peer {
    PeerConfig config;
    std::unique_ptr<Link> link;  // established
    std::unique_ptr<Transport::Dialing> dialing;
    std::unique_ptr<Link> greeting;  // dialed, hello not answered yet
    TimerId timer;
    int failures = 0;
    std::size_t next_address = 0;
    std::string trouble;  // why it is not connected
    std::string refusal;  // why we refused it when it last dialed us, until it is connected
    MonoNanos refused_at;
    Allowance greetings{kMostGreetings, 1};
    MonoNanos barred_until;
    std::string version;
    std::uint32_t minor = 0;  // of the protocol, there
    std::optional<UnixNanos> last_seen;
    std::uint64_t sent_before = 0;  // bytes of earlier links
    std::uint64_t received_before = 0;
    std::string address;
    std::optional<UnixNanos> certificate_expires;
  };

  // What the handlers of a link know of it.
  struct LinkEnd {
    Link* link = nullptr;
    NodeName peer;  // of an accepted one: known from its hello on
  };

  void dial(const NodeName& name);
  void dialed(const NodeName& name, Result<std::unique_ptr<Connection>> connection);
  void dial_failed(const NodeName& name, const std::string& why);
  void retry(const NodeName& name);
  [[nodiscard]] std::unique_ptr<Link> make_link(std::unique_ptr<Connection> connection, bool dialed,
                                                NodeName name);
  [[nodiscard]] Status identify(const Link& link, const Hello& hello) const;
  [[nodiscard]] Status answered(const LinkEnd& end, const Hello& hello);
  [[nodiscard]] Status stranger(LinkEnd& end, const Hello& hello);
  void note_refusal(const Link& link, const Hello& hello, const std::string& why);
  [[nodiscard]] Status admit(Peer& peer);
  [[nodiscard]] Status greeted_again(const LinkEnd& end, const Hello& hello);
  [[nodiscard]] bool is_tiresome(const PeerIdentity& identity) const;
  [[nodiscard]] bool keeps_link(const Peer& peer, bool new_one_dialed) const;
  void log_refusal(const std::string& address, const std::string& kind, const std::string& why);
  void establish(const NodeName& name, std::unique_ptr<Link> link, const Hello& hello);
  void link_closed(const LinkEnd& end, const Error& error);
  void drop_link(Peer& peer);
  void bury(std::unique_ptr<Link> link);

  NodeName self_;
  Clock& clock_;
  Random& random_;
  Transport& transport_;
  Hooks hooks_;
  std::map<NodeName, Peer> peers_;
  std::map<Link*, std::unique_ptr<Link>> strangers_;  // accepted, hello not heard yet
  RateLimit told_{kToldAgain};                        // of what is logged for outsiders' sake
  std::vector<std::unique_ptr<Link>> buried_;  // closed; destroyed from the loop, not from within
  TimerId burial_;
  std::uint64_t next_request_ = 1;
  bool stopping_ = false;
};

}  // namespace dagsync
