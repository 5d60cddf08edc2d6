#include "dagsync/engine/peers/peers.h"

#include <algorithm>
#include <utility>

#include "dagsync/base/log.h"

namespace dagsync {
namespace {

constexpr const char* kDuplicate = "duplicate link";  // said to a peer, and understood

std::string joined(const std::vector<NodeName>& names) {
  std::string text;
  for (const NodeName& name : names)
    text += (text.empty() ? "" : ", ") + name.value;
  return text.empty() ? "no DNS name" : text;
}

}  // namespace

Peers::Peers(NodeName self, Clock& clock, Random& random, Transport& transport, Hooks hooks)
    : self_(std::move(self)),
      clock_(clock),
      random_(random),
      transport_(transport),
      hooks_(std::move(hooks)) {}

Peers::~Peers() {
  clock_.cancel(burial_);
  for (auto& [name, peer] : peers_)
    clock_.cancel(peer.timer);
}

void Peers::configure(const std::vector<PeerConfig>& configs) {
  std::vector<NodeName> gone;
  for (const auto& [name, known] : peers_) {
    const bool stays =
        std::any_of(configs.begin(), configs.end(),
                    [&peer = name](const PeerConfig& config) { return config.name == peer; });
    if (!stays) gone.push_back(name);
  }
  for (const NodeName& name : gone) {
    Peer& peer = peers_.at(name);
    clock_.cancel(peer.timer);
    if (peer.link) peer.link->close("you are no longer configured here");
    peers_.erase(name);
  }
  for (const PeerConfig& config : configs) {
    const bool is_new = !peers_.contains(config.name);
    peers_[config.name].config = config;
    if (is_new) peers_[config.name].trouble = "not connected yet";
  }
}

const PeerConfig* Peers::config_of(const NodeName& name) const {
  const auto it = peers_.find(name);
  return it == peers_.end() ? nullptr : &it->second.config;
}

// -- dialing ------------------------------------------------------------------------------------

void Peers::start_dialing() {
  for (auto& [name, peer] : peers_) {
    const bool idle = !peer.link && !peer.dialing && !peer.greeting && peer.timer == TimerId{};
    if (idle && !peer.config.addresses.empty()) dial(name);
  }
}

void Peers::dial(const NodeName& name) {
  Peer& peer = peers_.at(name);
  if (stopping_ || peer.link || peer.dialing || peer.greeting) return;
  const auto& addresses = peer.config.addresses;
  const std::string& address = addresses[peer.next_address++ % addresses.size()];
  peer.dialing =
      transport_.dial(address, name, [this, name](Result<std::unique_ptr<Connection>> connection) {
        dialed(name, std::move(connection));
      });
}

void Peers::dialed(const NodeName& name, Result<std::unique_ptr<Connection>> connection) {
  const auto it = peers_.find(name);
  if (it == peers_.end()) return;
  Peer& peer = it->second;
  peer.dialing.reset();
  if (!connection) {
    dial_failed(name, connection.error().message);
    return;
  }
  if (peer.link) return;  // it was faster
  peer.greeting = make_link(std::move(*connection), true, name);
  peer.greeting->start();
  if (peer.greeting) peer.greeting->say_hello(hooks_.hello());
}

// The handlers of a link name the link itself, which is known only after them: hence the slot.
std::unique_ptr<Link> Peers::make_link(std::unique_ptr<Connection> connection, bool dialed,
                                       NodeName name) {
  auto end = std::make_shared<LinkEnd>(LinkEnd{nullptr, std::move(name)});
  auto link = std::make_unique<Link>(
      std::move(connection), clock_, dialed,
      Link::Handlers{
          [this, end](const Hello& hello) {
            return end->link->dialed() ? answered(*end, hello) : stranger(*end, hello);
          },
          [this, end](Message message) { hooks_.message(end->peer, std::move(message)); },
          [this, end](Chunk&& chunk) { hooks_.chunk(end->peer, std::move(chunk)); },
          [this, end] {
            if (hooks_.drained) hooks_.drained(end->peer);
          },
          [this, end](const Error& error) { link_closed(*end, error); },
          [this, end](const Hello& hello) { return greeted_again(*end, hello); }});
  end->link = link.get();
  return link;
}

void Peers::dial_failed(const NodeName& name, const std::string& why) {
  Peer& peer = peers_.at(name);
  if (peer.trouble != why) log::warning({{}, {}, name.value}, "peer {}: {}", name.value, why);
  peer.trouble = why;
  retry(name);
}

// Doubling pauses with jitter, so that a mesh that comes back does not come back at once.
void Peers::retry(const NodeName& name) {
  Peer& peer = peers_.at(name);
  if (stopping_ || peer.config.addresses.empty() || peer.timer != TimerId{}) return;
  const int doublings = std::min(peer.failures++, 10);
  const Duration pause = std::max(std::min<Duration>(kFirstRetry * (1 << doublings), kLastRetry),
                                  peer.barred_until - clock_.mono());
  const Duration jitter(static_cast<std::int64_t>(
      random_.next() % static_cast<std::uint64_t>(std::max<std::int64_t>(1, pause.count() / 10))));
  peer.timer = clock_.after(pause + jitter, [this, name] {
    const auto it = peers_.find(name);
    if (it == peers_.end()) return;
    it->second.timer = {};
    dial(name);
  });
}

// -- hello --------------------------------------------------------------------------------------

Status Peers::identify(const Link& link, const Hello& hello) const {
  const PeerIdentity& identity = link.connection().identity();
  if (hello.major != kProtocolMajor) {
    return fail(ErrorCode::kRefused,
                fmt::format("it speaks protocol {}, we speak {}: install the same major version "
                            "of dagsync on both nodes",
                            hello.major, kProtocolMajor));
  }
  const auto& names = identity.names;
  if (std::find(names.begin(), names.end(), hello.name) == names.end()) {
    return fail(ErrorCode::kRefused,
                fmt::format("it calls itself {}, but its certificate bears {}: set [node] name "
                            "there to a name of its certificate, or issue another one",
                            hello.name.value, joined(names)));
  }
  if (!peers_.contains(hello.name)) {
    return fail(ErrorCode::kRefused,
                fmt::format("{} is not configured here: add a [[peer]] with name = \"{}\" to "
                            "dagsync.toml of {}, and send it SIGHUP",
                            hello.name.value, hello.name.value, self_.value));
  }
  return {};
}

// The answer to our hello.
Status Peers::answered(const LinkEnd& end, const Hello& hello) {
  Peer& peer = peers_.at(end.peer);
  if (peer.greeting.get() != end.link) return fail(ErrorCode::kUnavailable, kDuplicate);
  Status known = identify(*end.link, hello);
  if (known && hello.name != end.peer) {
    known = fail(ErrorCode::kRefused, "another node answers at this address: " + hello.name.value);
  }
  if (!known) return known;
  if (keeps_link(peer, true)) return fail(ErrorCode::kUnavailable, kDuplicate);
  establish(end.peer, std::move(peer.greeting), hello);
  return {};
}

// The hello of somebody who dialed us.
Status Peers::stranger(LinkEnd& end, const Hello& hello) {
  if (const Status known = identify(*end.link, hello); !known) {
    log_refusal(end.link->connection().identity().address, "hello", known.error().message);
    note_refusal(*end.link, hello, known.error().message);
    return known;
  }
  Peer& peer = peers_.at(hello.name);
  if (keeps_link(peer, false)) return fail(ErrorCode::kUnavailable, kDuplicate);
  if (const Status admitted = admit(peer); !admitted) {
    complain(hello.name, admitted.error().message);
    return admitted;
  }
  end.peer = hello.name;
  auto node = strangers_.extract(end.link);
  node.mapped()->say_hello(hooks_.hello());
  establish(hello.name, std::move(node.mapped()), hello);
  return {};
}

// By its certificate it is a peer of ours, which hangs up on us, too, and will not say why.
void Peers::note_refusal(const Link& link, const Hello& hello, const std::string& why) {
  const auto& names = link.connection().identity().names;
  auto bearer = std::find(names.begin(), names.end(), hello.name);
  if (bearer == names.end() || !peers_.contains(*bearer)) {
    bearer = std::find_if(names.begin(), names.end(),
                          [&](const NodeName& name) { return peers_.contains(name); });
  }
  if (bearer == names.end()) return;
  Peer& peer = peers_.at(*bearer);
  if (peer.link) return;
  peer.refusal = why;
  peer.refused_at = clock_.mono();
}

// Of a peer that is connected: it has other folders now.
Status Peers::greeted_again(const LinkEnd& end, const Hello& hello) {
  const auto it = peers_.find(end.peer);
  if (it == peers_.end() || it->second.link.get() != end.link) return {};
  if (hello.name != end.peer) return fail(ErrorCode::kInvalid, "it changes its name");
  Peer& peer = it->second;
  const MonoNanos now = clock_.mono();
  if (peer.greetings.is_spent(now)) return fail(ErrorCode::kInvalid, "it says hello without end");
  peer.greetings.take(1, now);
  if (hooks_.hello_again) hooks_.hello_again(end.peer, hello);
  return {};
}

void Peers::reconnect(const NodeName& name, const std::string& why) {
  const auto it = peers_.find(name);
  if (it != peers_.end() && it->second.link) it->second.link->close(why);
}

// Whether the peer may connect now, and counts that it did.
Status Peers::admit(Peer& peer) {
  const MonoNanos now = clock_.mono();
  if (peer.barred_until > now) {
    return fail(ErrorCode::kRefused, "it broke the protocol, and is not heard again for 10 s");
  }
  if (peer.greetings.is_spent(now)) {
    return fail(ErrorCode::kRefused, "it connects again and again: once a second is enough");
  }
  peer.greetings.take(1, now);
  return {};
}

// Of two links between two nodes both keep the one that the lesser name dialed; of two that the
// same side dialed, the newer. One that was dialed and waits for its answer counts: where both dial
// at the same moment, each would else take the other's, and give up its own, which the other took.
bool Peers::keeps_link(const Peer& peer, bool new_one_dialed) const {
  const bool is_answer = new_one_dialed && !peer.link;
  if (is_answer || (!peer.link && !peer.greeting)) return false;
  const bool old_one_dialed = !peer.link || peer.link->dialed();
  const bool we_are_less = self_ < peer.config.name;
  return old_one_dialed != new_one_dialed && old_one_dialed == we_are_less;
}

void Peers::accept(std::unique_ptr<Connection> connection) {
  if (stopping_ || strangers_.size() >= kMaxStrangers) return;
  // Whoever bears no configured name need not say hello first.
  const PeerIdentity& identity = connection->identity();
  const bool known = std::any_of(identity.names.begin(), identity.names.end(),
                                 [&](const NodeName& name) { return peers_.contains(name); });
  if (!known) {
    log_refusal(identity.address, "name",
                fmt::format("its certificate bears {}, which is not configured here: add a "
                            "[[peer]] with that name to dagsync.toml of {}, and send it SIGHUP",
                            joined(identity.names), self_.value));
    return;
  }
  if (is_tiresome(identity)) {
    log_refusal(identity.address, "silence",
                fmt::format("{} has {} connections without a hello already", joined(identity.names),
                            kStrangersPerPeer));
    return;
  }
  auto link = make_link(std::move(connection), false, {});
  Link* key = link.get();
  strangers_.emplace(key, std::move(link));
  key->start();
}

// One that connects and says nothing must not take the room of the others.
bool Peers::is_tiresome(const PeerIdentity& identity) const {
  const auto of_same = std::count_if(strangers_.begin(), strangers_.end(), [&](const auto& entry) {
    return entry.second->connection().identity().names == identity.names;
  });
  return static_cast<std::size_t>(of_same) >= kStrangersPerPeer;
}

// Whoever dials again and again is logged once a minute for each kind of trouble.
void Peers::log_refusal(const std::string& address, const std::string& kind,
                        const std::string& why) {
  const std::string host = address.substr(0, address.rfind(':'));
  if (told_.allows(host + " " + kind, clock_.mono())) {
    log::warning("refused {}: {}", address, why);
    if (hooks_.refused) hooks_.refused(address, why);
  }
}

// -- established links --------------------------------------------------------------------------

void Peers::establish(const NodeName& name, std::unique_ptr<Link> link, const Hello& hello) {
  Peer& peer = peers_.at(name);
  drop_link(peer);
  clock_.cancel(std::exchange(peer.timer, {}));
  peer.dialing.reset();
  if (peer.greeting) bury(std::move(peer.greeting));
  peer.failures = 0;
  peer.trouble.clear();
  peer.refusal.clear();
  peer.version = hello.program_version;
  peer.minor = hello.minor;
  const PeerIdentity& identity = link->connection().identity();
  peer.address = identity.address;
  peer.certificate_expires = identity.certificate_expires;
  peer.link = std::move(link);
  log::info({{}, {}, name.value}, "peer {} connected ({})", name.value, peer.address);
  hooks_.connected(name, hello);
}

void Peers::drop_link(Peer& peer) {
  if (!peer.link) return;
  peer.sent_before += peer.link->connection().bytes_sent();
  peer.received_before += peer.link->connection().bytes_received();
  peer.last_seen = peer.link->last_heard();
  bury(std::move(peer.link));
  hooks_.lost(peer.config.name);
}

void Peers::link_closed(const LinkEnd& end, const Error& error) {
  if (auto node = strangers_.extract(end.link)) {
    // Who hangs up may have looked whether somebody is there; of who was refused the log tells.
    const PeerIdentity& who = node.mapped()->connection().identity();
    constexpr const char* kWhat =
        "{}, before its hello: {}: is that a dagsync of our major version?";
    if (error.code == ErrorCode::kInvalid || error.message == Link::kSaidNothing)
      log_refusal(who.address, "breach", fmt::format(kWhat, joined(who.names), error.message));
    bury(std::move(node.mapped()));
    return;
  }
  const auto it = peers_.find(end.peer);
  if (it == peers_.end()) return;
  Peer& peer = it->second;
  if (peer.greeting.get() == end.link) {
    bury(std::move(peer.greeting));
    if (peer.link) return;
    if (error.message == said_by_peer(kDuplicate)) {  // its own call is on the way to us
      retry(end.peer);
      return;
    }
    if (error.code != ErrorCode::kUnavailable) {
      dial_failed(end.peer, error.message);
    } else if (!peer.refusal.empty()) {
      dial_failed(end.peer, std::string(peer.refusal));
    } else {
      dial_failed(end.peer, "it closed the connection without a hello: is " + self_.value +
                                " a [[peer]] in its dagsync.toml, and dagsync of the same major "
                                "version there? (" +
                                error.message + ")");
    }
    return;
  }
  if (peer.link.get() != end.link) return;
  if (error.code == ErrorCode::kInvalid) {
    peer.barred_until = clock_.mono() + kBarred;
    complain(end.peer, error.message);
  } else {
    log::info({{}, {}, end.peer.value}, "peer {} is gone: {}", end.peer.value, error.message);
  }
  peer.trouble = error.message;
  drop_link(peer);
  retry(end.peer);
}

// Links die from within their own handlers; their memory is freed from the loop. What still comes
// in until then is nobody's: their peer may have another link by now, or not be configured any
// more.
void Peers::bury(std::unique_ptr<Link> link) {
  if (!link) return;
  link->silence();
  buried_.push_back(std::move(link));
  if (burial_ != TimerId{}) return;
  burial_ = clock_.after(Duration(0), [this] {
    burial_ = {};
    const auto dead = std::exchange(buried_, {});
  });
}

void Peers::stop() {
  stopping_ = true;
  for (auto& [name, peer] : peers_) {
    clock_.cancel(std::exchange(peer.timer, {}));
    peer.dialing.reset();
    if (peer.greeting) bury(std::move(peer.greeting));
    if (peer.link) peer.link->close(self_.value + " is shutting down");
  }
}

}  // namespace dagsync
