// The conversation with each receiver: hello, list, announce, serve the contents, wait for the
// acknowledgement. The runner is a peer without an index and without a folder of its own.
#include "daemon/one_shot.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "daemon/print_error.h"
#include "daemon/push_plan.h"
#include "daemon/scratch_directory.h"
#include "daemon/status_json.h"
#include "daemon/version.h"
#include "dagsync/core/reconcile.h"
#include "dagsync/engine/peers/link.h"
#include "dagsync/engine/transfer/content_server.h"
#include "dagsync/wire/codec.h"
#include "dagsync/wire/framing.h"
#include "net/address.h"
#include "net/system_random.h"
#include "net/tls_transport.h"
#include "net/uv_clock.h"
#include "net/uv_loop.h"
#include "net/uv_worker.h"
#include "posix/posix_disk.h"

namespace dagsync {
namespace {

using nlohmann::json;

constexpr std::size_t kMessageBytes = 1 << 20;
constexpr std::size_t kMaxQueuedBytes = 16 << 20;

struct Target {
  std::string address;
  NodeName name;
  std::unique_ptr<Transport::Dialing> dialing;
  std::unique_ptr<Link> link;
  bool listed = false;
  bool accepts = true;
  std::size_t next_change = 0;
  bool acknowledged = false;
  double seconds = 0;
  std::string error;
  [[nodiscard]] bool is_over() const { return acknowledged || !error.empty(); }
};

class OneShot final : public Outlet {
 public:
  explicit OneShot(const OneShotPush& options)
      : options_(options), clock_(loop_), worker_(std::make_unique<UvWorker>(loop_)) {}

  ~OneShot() override {
    clock_.cancel(deadline_);
    worker_.reset();
    targets_.clear();
    transport_.reset();
  }

  int run() {
    if (const Status ready = prepare(); !ready) {
      print_error(ready.error());
      return ready.error().code == ErrorCode::kInvalid ? 2 : 1;
    }
    began_ = clock_.mono();
    deadline_ = clock_.after(options_.timeout, [this] { give_up(); });
    for (Target& target : targets_)
      dial(target);
    loop_.run();
    return conclude();
  }

  // Outlet
  void send(std::span<const NodeName> peers, const Message& message) override {
    send_frame(peers, frame_message(message));
  }
  void send_frame(std::span<const NodeName> peers, std::string_view frame) override {
    for (const NodeName& name : peers) {
      if (Target* target = find(name); target != nullptr && target->link)
        target->link->send_frame(frame);
    }
  }
  void send_chunk(const NodeName& peer, const ChunkView& chunk) override {
    if (Target* target = find(peer); target != nullptr && target->link) {
      target->link->send_chunk(chunk);
    }
  }
  [[nodiscard]] std::size_t queued_bytes(const NodeName& peer) const override {
    for (const Target& target : targets_) {
      if (target.name == peer && target.link) return target.link->queued_bytes();
    }
    return 0;
  }
  [[nodiscard]] std::vector<NodeName> connected() const override { return {}; }
  [[nodiscard]] std::optional<Duration> round_trip(const NodeName&) const override { return {}; }
  [[nodiscard]] std::uint32_t minor(const NodeName&) const override { return 0; }
  [[nodiscard]] std::uint64_t next_request() override { return 1; }
  void refuse(const NodeName&, const std::string&) override {}
  void complain(const NodeName&, const std::string&) override {}

 private:
  Status prepare() {
    const TlsFiles files{options_.config.tls.ca, options_.config.tls.cert, options_.config.tls.key};
    auto transport = TlsTransport::open(loop_, clock_, files);
    if (!transport) return Unexpected(transport.error());
    transport_ = std::move(*transport);
    auto scratch = ScratchDirectory::make("push");
    if (!scratch) return Unexpected(scratch.error());
    scratch_.emplace(std::move(*scratch));
    PosixDisk::Options disk;
    disk.root = std::filesystem::absolute(options_.from).lexically_normal().string();
    if (disk.root.size() > 1 && disk.root.back() == '/') disk.root.pop_back();
    disk.state_dir = scratch_->path();
    auto opened = PosixDisk::open(std::move(disk));
    if (!opened) return Unexpected(opened.error());
    disk_ = std::move(*opened);
    std::vector<std::string> ignore;
    for (const FolderConfig& folder : options_.config.folders) {
      if (folder.name == options_.folder) ignore = folder.ignore;
    }
    auto tree = read_tree(*disk_, ignore, clock_.now());
    if (!tree) return Unexpected(tree.error());
    tree_ = std::move(*tree);
    if (options_.delete_missing) {
      if (const Status may = may_delete(tree_, options_.from); !may) return may;
    }
    for (const auto& [path, why] : tree_.troubles)
      print_error("not pushed: " + display(path) + ": " + why);
    author_ = {options_.config.node.name, {random_.next() | 1}};
    for (const std::string& address : options_.targets) {
      auto target = name_target(address);
      if (!target) return Unexpected(target.error());
      targets_.push_back(std::move(*target));
    }
    server_ = std::make_unique<ContentServer>(*worker_, *disk_, *this, index_,
                                              [](const Digest&) { return std::nullopt; });
    return {};
  }

  // Who must answer there: the [[peer]] with that address, or the host itself.
  Result<Target> name_target(const std::string& address) const {
    Target target;
    target.address = address;
    for (const PeerConfig& peer : options_.config.peers) {
      const auto& known = peer.addresses;
      if (std::find(known.begin(), known.end(), address) != known.end()) target.name = peer.name;
    }
    if (!target.name.value.empty()) return target;
    const auto host = parse_host_port(address);
    if (!host) return Unexpected(host.error());
    if (numeric_address(*host)) {
      return fail(ErrorCode::kInvalid, address +
                                           ": which node is it? Add a [[peer]] with its name "
                                           "and this address to dagsync.toml, or use a name");
    }
    target.name = {host->host};
    return target;
  }

  Target* find(const NodeName& name) {
    const auto it = std::find_if(targets_.begin(), targets_.end(),
                                 [&](const Target& target) { return target.name == name; });
    return it == targets_.end() ? nullptr : &*it;
  }

  void dial(Target& target) {
    target.dialing = transport_->dial(
        target.address, target.name, [this, &target](Result<std::unique_ptr<Connection>> made) {
          if (!made) return failed(target, made.error().message);
          target.link = std::make_unique<Link>(
              std::move(*made), clock_, true,
              Link::Handlers{
                  [this, &target](const Hello& hello) { return greeted(target, hello); },
                  [this, &target](Message message) { heard(target, std::move(message)); },
                  [](const Chunk&) {}, [this, &target] { server_->drained(target.name); },
                  [this, &target](const Error& error) {
                    const bool greeted = target.link && target.link->greeted();
                    failed(target, greeted ? error.message
                                           : target.address + " refused us: is " +
                                                 author_.node().value + " a [[peer]] there? (" +
                                                 error.message + ")");
                  }});
          target.link->start();
          Hello hello;
          hello.name = author_.node();
          hello.program_version = dagsync_version();
          hello.one_shot = true;
          target.link->say_hello(std::move(hello));
        });
  }

  Status greeted(Target& target, const Hello& hello) {
    std::string names;
    bool found = false;
    for (const Hello::Folder& folder : hello.folders) {
      names += (names.empty() ? "" : ", ") + folder.name;
      found = found || folder.name == options_.folder;
    }
    if (folder_.empty()) folder_ = options_.folder;
    if (folder_.empty() && hello.folders.size() == 1) folder_ = hello.folders.front().name;
    const bool known = std::any_of(hello.folders.begin(), hello.folders.end(),
                                   [&](const auto& folder) { return folder.name == folder_; });
    if (!known) {
      failed(target, target.name.value + " has these folders: " + names + ": choose with --folder");
      return fail(ErrorCode::kRefused, "no such folder");
    }
    // After the hello was taken in: the link is trusted then.
    clock_.after(Duration(0), [this, &target] {
      if (target.link) target.link->send(List{folder_});
    });
    return {};
  }

  void heard(Target& target, Message message) {
    if (auto* announce = std::get_if<Announce>(&message)) {
      for (Announce::Item& item : announce->items) {
        Record& record = item.change.record;
        const auto [it, added] = listing_.try_emplace(item.change.path, record);
        if (!added) it->second = reconcile(it->second, record);
      }
      if (announce->page != 0) target.link->send(PageDone{folder_, announce->page});
    } else if (std::holds_alternative<SnapshotEnd>(message)) {
      target.listed = true;
      look_whether_all_listed();
    } else if (const auto* tell = std::get_if<Tell>(&message)) {
      if (tell->folder == folder_) told(target, *tell);
    } else if (auto* fetch = std::get_if<Fetch>(&message)) {
      server_->on_fetch(target.name, std::move(*fetch));
    } else if (const auto* credit = std::get_if<Credit>(&message)) {
      server_->on_credit(target.name, *credit);
    } else if (const auto* cancel = std::get_if<Cancel>(&message)) {
      server_->on_cancel(target.name, *cancel);
    }
  }

  void told(Target& target, const Tell& tell) {
    if (!tell.accepts) {
      failed(target, target.name.value + " takes nothing from " + author_.node().value +
                         ": its folder is halted, or its [[peer]] entry lacks may = [\"send\"]");
      return;
    }
    if (!planned_ || target.is_over()) return;
    if (changes_.empty() || covers_all(tell.durable)) acknowledge(target);
  }

  [[nodiscard]] bool covers_all(const Knowledge& durable) const {
    return std::all_of(changes_.begin(), changes_.end(),
                       [&](const Change& change) { return durable.covers(change.id); });
  }

  void look_whether_all_listed() {
    if (planned_) return;
    for (const Target& target : targets_) {
      if (!target.listed && target.error.empty()) return;
    }
    planned_ = true;
    changes_ = plan_push(tree_, listing_, author_, clock_.now(), options_.delete_missing);
    for (const Change& change : changes_) {
      index_.put(change.path, {change.record, change.id, std::nullopt});
    }
    if (options_.dry_run) return loop_.stop();
    for (Target& target : targets_) {
      if (!target.listed || target.is_over()) continue;
      if (changes_.empty()) {
        acknowledge(target);
      } else {
        announce_more(target);
      }
    }
    look_whether_over();
  }

  // As much as the connection takes; the rest soon after.
  void announce_more(Target& target) {
    while (target.link && target.next_change < changes_.size() &&
           target.link->queued_bytes() < kMaxQueuedBytes) {
      Announce announce;
      announce.folder = folder_;
      std::size_t bytes = 0;
      while (target.next_change < changes_.size() && bytes < kMessageBytes &&
             announce.items.size() < kMaxChangesPerMessage) {
        const Change& change = changes_[target.next_change++];
        Announce::Item item{change, {}};
        const auto content = tree_.bytes.find(change.record.content.digest);
        if (change.record.content.kind == Kind::kFile && content != tree_.bytes.end()) {
          item.content = Announce::Whole{content->second};
        }
        bytes += encoded_bound(item);
        announce.items.push_back(std::move(item));
      }
      announce.more = target.next_change < changes_.size();
      target.link->send(announce);
    }
    if (!target.link || target.next_change >= changes_.size()) return;
    clock_.after(std::chrono::milliseconds(5), [this, &target] { announce_more(target); });
  }

  void acknowledge(Target& target) {
    target.acknowledged = true;
    target.seconds = to_seconds(clock_.mono() - began_);
    look_whether_over();
  }

  void failed(Target& target, const std::string& why) {
    if (target.is_over()) return;
    target.error = why;
    look_whether_all_listed();
    look_whether_over();
  }

  void look_whether_over() {
    const auto acknowledged = static_cast<std::size_t>(
        std::count_if(targets_.begin(), targets_.end(),
                      [](const Target& target) { return target.acknowledged; }));
    const bool all_over = std::all_of(targets_.begin(), targets_.end(),
                                      [](const Target& target) { return target.is_over(); });
    if (all_over || acknowledged >= wanted_acks()) loop_.stop();
  }

  [[nodiscard]] std::size_t wanted_acks() const {
    return std::min(options_.min_acks.value_or(targets_.size()), targets_.size());
  }

  void give_up() {
    deadline_ = {};
    for (Target& target : targets_) {
      if (!target.is_over()) target.error = target.address + ": timed out";
    }
    loop_.stop();
  }

  int conclude() const {
    if (options_.dry_run && planned_) {
      for (const Change& change : changes_)
        std::puts(describe(change, listing_).c_str());
    }
    std::size_t acknowledged = 0;
    json nodes = json::array();
    for (const Target& target : targets_) {
      acknowledged += target.acknowledged;
      if (options_.dry_run && target.error.empty()) {
        ++acknowledged;
        continue;
      }
      nodes.push_back({{"name", target.name.value},
                       {"acknowledged", target.acknowledged},
                       {"seconds", target.acknowledged ? json(target.seconds) : json()},
                       {"error", target.error}});
      if (!target.error.empty()) print_error(target.name.value + ": " + target.error);
      if (target.acknowledged && !options_.json) {
        std::printf("%s  acknowledged after %.3f s\n", target.name.value.c_str(), target.seconds);
      }
    }
    if (options_.json && !options_.dry_run) {
      const json answer = {{"folder", folder_},
                           {"sequence", changes_.size()},
                           {"nodes", nodes},
                           {"not_pushed", not_pushed_json(tree_.troubles)}};
      std::puts(answer.dump(2).c_str());
    }
    return acknowledged >= wanted_acks() && tree_.troubles.empty() ? 0 : 1;
  }

  const OneShotPush& options_;
  std::optional<ScratchDirectory> scratch_;  // staging needs a place, though nothing is staged
  UvLoop loop_;
  UvClock clock_;
  SystemRandom random_;
  std::unique_ptr<UvWorker> worker_;
  std::unique_ptr<TlsTransport> transport_;
  std::unique_ptr<PosixDisk> disk_;
  PushedTree tree_;
  AuthorId author_;
  std::string folder_;
  Listing listing_;
  Index index_;  // of what is pushed, for the server
  std::vector<Change> changes_;
  bool planned_ = false;
  MonoNanos began_;
  TimerId deadline_;
  std::unique_ptr<ContentServer> server_;
  std::vector<Target> targets_;
};

}  // namespace

int push_once(const OneShotPush& push) {
  log::start(log::Level::kWarning);
  return OneShot(push).run();
}

}  // namespace dagsync
