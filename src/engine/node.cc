#include "dagsync/engine/node.h"

#include <algorithm>
#include <utility>

#include "dagsync/base/log.h"

namespace dagsync {
namespace {

constexpr Duration kTick = std::chrono::seconds(3);
constexpr double kClockOffsetWarningMs = 2000;

}  // namespace

Node::Node(NodeName name, std::string version, Ports ports)
    : name_(std::move(name)),
      version_(std::move(version)),
      ports_(ports),
      events_(ports.clock),
      peers_(
          name_, ports.clock, ports.random, ports.transport,
          {[this] { return hello(); },
           [this](const NodeName& peer, const Hello& hello) { connected(peer, hello); },
           [this](const NodeName& peer) { lost(peer); },
           [this](const NodeName& peer, Message message) { on_message(peer, std::move(message)); },
           [this](const NodeName& peer, Chunk&& chunk) { on_chunk(peer, std::move(chunk)); },
           [this](const std::string& whom, const std::string& why) {
             event(Event::Kind::kRefused, {whom}, why);
           },
           [this](const NodeName& peer) {
             for (const auto& [key, folder] : folders_)
               folder->server().drained(peer);
           },
           [this](const NodeName& peer, const Hello& hello) { hello_again(peer, hello); }}),
      born_(ports.clock.mono()) {}

Node::~Node() {
  ports_.clock.cancel(tick_timer_);
  ports_.clock.cancel(change_timer_);
  ports_.clock.cancel(leaving_timer_);
  for (const Wait& wait : waits_)
    ports_.clock.cancel(wait.timer);
}

void Node::add_folder(const FolderConfig& config, FolderAdapters adapters) {
  Adapters& kept = adapters_[config.name];
  kept.ports = std::move(adapters);
  folders_[config.name] = make_folder(config, kept);
}

std::unique_ptr<Folder> Node::make_folder(const FolderConfig& config, Adapters& kept) {
  kept.worker = std::make_unique<CountingWorker>(ports_.worker);
  auto folder = std::make_unique<Folder>(
      config, name_,
      FolderPorts{ports_.clock, ports_.random, *kept.worker, *kept.ports.disk, *kept.ports.store,
                  *kept.ports.watcher},
      peers_);
  folder->on_change([this] { changed(); });
  folder->on_event([this](Event event) { events_.add(std::move(event)); });
  folder->configure_peers(peer_configs_);
  return folder;
}

Hello Node::hello() {
  Hello hello;
  hello.name = name_;
  hello.program_version = version_;
  hello.clock = ports_.clock.now();
  for (const auto& [key, folder] : folders_)
    hello.folders.push_back(folder->hello());
  return hello;
}

void Node::configure_peers(const std::vector<PeerConfig>& peers) {
  peer_configs_ = peers;
  peers_.configure(peers);
  for (const auto& [name, folder] : folders_)
    folder->configure_peers(peers);
  for (const auto& [name, folder] : arriving_)
    folder->configure_peers(peers);
  if (starting_ == 0 && tick_timer_ != TimerId{}) peers_.start_dialing();
}

void Node::configure_folder(const FolderConfig& config) {
  if (Folder* found = folder(config.name)) found->configure(config);
}

void Node::certificate_is(UnixNanos expires, std::vector<std::string> warnings) {
  certificate_expires_ = expires;
  certificate_warnings_ = std::move(warnings);
}

void Node::start(const std::vector<std::string>& listen, std::function<void(Status)> started) {
  started_ = std::move(started);
  listen_ = listen;
  starting_ = folders_.size();
  for (const auto& [name, folder] : folders_) {
    folder->start([this, listen](const Status& status) { folder_started(status, listen); });
  }
}

void Node::folder_started(const Status& status, const std::vector<std::string>& listen) {
  if (!started_) return;
  if (!status) {
    std::exchange(started_, nullptr)(status);
    return;
  }
  if (--starting_ > 0) return;
  const Status listening = ports_.transport.listen(
      listen,
      [this](std::unique_ptr<Connection> connection) { peers_.accept(std::move(connection)); });
  listening_ = listening.has_value();
  if (listening) {
    tick_timer_ = ports_.clock.about(kTick, [this] { tick(); });
    peers_.start_dialing();
  }
  std::exchange(started_, nullptr)(listening);
}

void Node::stop(std::function<void()> stopped) {
  stopping_ = true;
  peers_.stop();
  auto left = std::make_shared<std::size_t>(folders_.size() + arriving_.size());
  auto call = std::make_shared<std::function<void()>>(std::move(stopped));
  for (const auto* folders : {&folders_, &arriving_}) {
    for (const auto& [name, folder] : *folders) {
      folder->stop([left, call] {
        if (--*left == 0) (*call)();
      });
    }
  }
}

Folder* Node::folder(const std::string& name) {
  const auto it = folders_.find(name);
  return it == folders_.end() ? nullptr : it->second.get();
}

// -- peers --------------------------------------------------------------------------------------

void Node::connected(const NodeName& peer, const Hello& hello) {
  Meeting& meeting = meetings_[peer];
  const bool runner = hello.one_shot;  // it has no folder of its own, and chooses among ours
  meeting = {{}, {}, {}, hello.program_version, runner};
  for (const Hello::Folder& folder : hello.folders)
    meeting.theirs.insert(folder.name);
  event(Event::Kind::kConnected, peer, runner ? "a push without a daemon" : "");
  for (const auto& [name, folder] : folders_) {
    if (!runner && !meeting.theirs.contains(name)) {
      log::warning("peer {} has no folder {}: add it to its dagsync.toml, or take it out of ours",
                   peer.value, name);
      continue;
    }
    meeting.folders.insert(name);
    folder->peer_connected(peer);
  }
  changed();
}

void Node::lost(const NodeName& peer) {
  meetings_.erase(peer);
  event(Event::Kind::kDisconnected, peer, "");
  for (const auto& [name, folder] : folders_)
    folder->peer_lost(peer);
  changed();
}

void Node::event(Event::Kind kind, const NodeName& peer, std::string what) {
  Event event;
  event.kind = kind;
  event.peer = peer.value;
  event.what = std::move(what);
  events_.add(std::move(event));
}

// -- people -------------------------------------------------------------------------------------

void Node::tick() {
  tick_timer_ = ports_.clock.about(kTick, [this] { tick(); });
  for (const auto& [name, folder] : folders_)
    folder->tick();
  look_at_waits();
  const bool resting = std::all_of(folders_.begin(), folders_.end(),
                                   [](const auto& entry) { return entry.second->is_at_rest(); });
  if (resting && std::exchange(worked_, false)) ports_.at_rest();
}

std::vector<std::string> Node::warnings() const {
  std::vector<std::string> warnings = certificate_warnings_;
  for (const PeerStatus& peer : peers_.status()) {
    if (peer.clock_offset_ms && std::abs(*peer.clock_offset_ms) > kClockOffsetWarningMs) {
      warnings.push_back(fmt::format(
          "the clock of {} is {:+.1f} s off ours: the younger of two edits may be taken for the "
          "older; run chrony or systemd-timesyncd on both",
          peer.name.value, *peer.clock_offset_ms / 1000));
    }
  }
  for (const auto& [peer, meeting] : meetings_) {
    for (const auto& [name, folder] : folders_) {
      const auto& peers = folder->replica().peers();
      const auto known = peers.find(peer);
      if (known == peers.end() || !known->second.counted || meeting.theirs.contains(name)) continue;
      warnings.push_back(
          fmt::format("{} has no folder {}: add it to its dagsync.toml, or take it out of ours",
                      peer.value, name));
    }
  }
  return warnings;
}

NodeStatus Node::status() const {
  NodeStatus status;
  status.name = name_;
  status.uptime_seconds = to_seconds(ports_.clock.mono() - born_);
  status.in_sync = in_sync();
  for (const auto& [name, folder] : folders_)
    status.folders.push_back(folder->status());
  status.ready = listening_ && std::all_of(status.folders.begin(), status.folders.end(),
                                           [](const FolderStatus& each) { return each.ready; });
  for (const auto& [name, folder] : arriving_)
    status.folders.push_back(folder->status());
  status.peers = peers_.status();
  note_who_sees_whom(status.peers);
  if (hooks_) status.hooks = hooks_();
  status.warnings = warnings();
  status.certificate_expires = certificate_expires_;
  status.listen = listen_;
  return status;
}

// Of each peer, what it told to any of the folders.
void Node::note_who_sees_whom(std::vector<PeerStatus>& peers) const {
  for (PeerStatus& peer : peers) {
    std::set<NodeName> sees;
    for (const auto& [name, folder] : folders_) {
      const auto found = folder->replica().peers().find(peer.name);
      if (peer.connected && found != folder->replica().peers().end())
        sees.insert(found->second.sees.begin(), found->second.sees.end());
    }
    peer.sees.assign(sees.begin(), sees.end());
  }
}

void Node::notice(std::function<void()> done) {
  auto left = std::make_shared<std::size_t>(folders_.size());
  if (*left == 0) return done();
  for (const auto& [name, folder] : folders_) {
    folder->notice([left, done] {
      if (--*left == 0) done();
    });
  }
}

bool Node::in_sync() const {
  return arriving_.empty() && std::all_of(folders_.begin(), folders_.end(), [](const auto& entry) {
           return entry.second->in_sync();
         });
}

std::string Node::why_not_verified(const NodeName& peer, const std::string& folder) const {
  const auto it = meetings_.find(peer);
  if (it == meetings_.end()) return "not compared: it is not connected";
  if (!it->second.folders.contains(folder)) return "not compared: it has no such folder";
  if (peers_.minor(peer) >= kVerifyMinor) return "";
  return "not compared: its dagsync " + it->second.version + " does not know how: update it";
}

void Node::verify(Folder& folder, Verifier::Order order) {
  std::vector<VerifyReport::Difference> apart;
  for (const auto& [name, peer] : folder.replica().peers()) {
    if (!peer.counted) continue;
    std::string why = why_not_verified(name, folder.config().name);
    if (why.empty()) {
      order.peers.push_back(name);
    } else {
      apart.push_back({RelPath(), name, std::move(why)});
    }
  }
  order.done = [this, &folder, apart, done = std::move(order.done)](VerifyReport report) {
    report.differences.insert(report.differences.end(), apart.begin(), apart.end());
    for (const VerifyReport::Difference& repaired : report.repaired) {
      Event event;
      event.kind = Event::Kind::kRepaired;
      event.folder = folder.config().name;
      event.path = repaired.path;
      event.what = repaired.problem;
      events_.add(std::move(event));
    }
    done(report);
  };
  folder.verifier().verify(std::move(order));
}

std::uint64_t Node::wait_until(std::function<bool()> condition, Duration timeout,
                               std::function<void(bool)> done) {
  const std::uint64_t number = next_wait_++;
  waits_.push_back({number, std::move(condition), std::move(done), {}});
  waits_.back().timer = ports_.clock.after(timeout, [this, number] {
    const auto it = std::find_if(waits_.begin(), waits_.end(),
                                 [&](const Wait& wait) { return wait.number == number; });
    if (it == waits_.end()) return;
    const auto call = std::move(it->done);
    const bool holds = it->condition();
    waits_.erase(it);
    call(holds);
  });
  changed();
  return number;
}

void Node::cancel_wait(std::uint64_t number) {
  const auto it = std::find_if(waits_.begin(), waits_.end(),
                               [&](const Wait& wait) { return wait.number == number; });
  if (it == waits_.end()) return;
  ports_.clock.cancel(it->timer);
  waits_.erase(it);
}

// Conditions are looked at from the loop, once for many events, and only when somebody waits.
void Node::changed() {
  worked_ = true;
  if (waits_.empty() || change_timer_ != TimerId{}) return;
  change_timer_ = ports_.clock.after(Duration(0), [this] {
    change_timer_ = {};
    look_at_waits();
  });
}

void Node::look_at_waits() {
  std::vector<std::function<void(bool)>> met;
  for (auto it = waits_.begin(); it != waits_.end();) {
    if (!it->condition()) {
      ++it;
      continue;
    }
    ports_.clock.cancel(it->timer);
    met.push_back(std::move(it->done));
    it = waits_.erase(it);
  }
  for (const auto& call : met)
    call(true);
}

}  // namespace dagsync
