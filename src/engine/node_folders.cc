// Folders that come and go while the node is at work.
#include <algorithm>
#include <utility>

#include "dagsync/base/log.h"
#include "dagsync/engine/node.h"

namespace dagsync {
namespace {

constexpr Duration kLookForEnd = std::chrono::milliseconds(10);

}  // namespace

bool Node::is_using(const std::string& name) const {
  return adapters_.contains(name) ||
         std::any_of(leaving_.begin(), leaving_.end(),
                     [&](const Leaving& leaving) { return leaving.name == name; });
}

void Node::bring_folder(const FolderConfig& config, FolderAdapters adapters) {
  Adapters& kept = adapters_[config.name];
  kept.ports = std::move(adapters);
  Folder& folder = *(arriving_[config.name] = make_folder(config, kept));
  folder.start([this, name = config.name](const Status& status) { arrived(name, status); });
}

void Node::arrived(const std::string& name, const Status& status) {
  auto found = arriving_.extract(name);
  if (found.empty() || stopping_) return;
  if (!status) {
    log::error("folder {} was not added: {}", name, status.error().message);
    leaving_.push_back(
        {name, std::move(adapters_.extract(name).mapped()), std::move(found.mapped()), true});
    let_go();
    return;
  }
  log::info("folder {} was added", name);
  folders_.insert(std::move(found));
  say_hello_again();
  changed();
}

void Node::remove_folder(const std::string& name) {
  Folder* going = folder(name);
  if (going == nullptr) return;
  // Whoever waits for what it takes in is answered first.
  going->take_in({}, false, [this, name] {
    auto found = folders_.extract(name);
    if (found.empty() || stopping_) return;
    for (auto& [peer, meeting] : meetings_) {
      meeting.folders.erase(name);
      meeting.former.insert(name);  // also where the peer is just about to share it
    }
    leaving_.push_back(
        {name, std::move(adapters_.extract(name).mapped()), std::move(found.mapped()), false});
    Leaving& leaving = leaving_.back();
    leaving.folder->verifier().end("the folder was taken out of dagsync.toml");
    leaving.folder->stop([this, &leaving] {
      leaving.stopped = true;
      let_go();
    });
    log::info("folder {} was removed; what stands there, and its index, stay", name);
    say_hello_again();
    changed();
  });
}

// From the loop, when no job of theirs is under way.
void Node::let_go() {
  if (leaving_timer_ != TimerId{}) return;
  leaving_timer_ = ports_.clock.after(kLookForEnd, [this] {
    leaving_timer_ = {};
    std::erase_if(leaving_, [](const Leaving& leaving) {
      return leaving.stopped && leaving.adapters.worker->idle();
    });
    const bool more = std::any_of(leaving_.begin(), leaving_.end(),
                                  [](const Leaving& leaving) { return leaving.stopped; });
    if (more) let_go();
  });
}

// A peer that does not know this hears of other folders when it connects again.
void Node::say_hello_again() {
  for (const auto& [peer, meeting] : meetings_) {
    if (meeting.one_shot) continue;
    if (peers_.minor(peer) >= kHelloAgainMinor) {
      peers_.send({&peer, 1}, hello());
    } else {
      log::warning(
          "peer {}: its dagsync {} hears of other folders only when it connects again: "
          "update it, or restart dagsync there",
          peer.value, meeting.version);
    }
  }
  std::vector<NodeName> all;
  for (const auto& [peer, meeting] : meetings_)
    all.push_back(peer);
  for (const NodeName& peer : all)
    share(peer);
}

void Node::hello_again(const NodeName& peer, const Hello& hello) {
  const auto it = meetings_.find(peer);
  if (it == meetings_.end() || it->second.one_shot) return;
  Meeting& meeting = it->second;
  meeting.theirs.clear();
  for (const Hello::Folder& folder : hello.folders)
    meeting.theirs.insert(folder.name);
  for (auto shared = meeting.folders.begin(); shared != meeting.folders.end();) {
    if (meeting.theirs.contains(*shared)) {
      ++shared;
      continue;
    }
    log::warning("peer {} has no folder {} any more", peer.value, *shared);
    folders_.at(*shared)->peer_lost(peer);
    meeting.former.insert(*shared);
    shared = meeting.folders.erase(shared);
  }
  share(peer);
  changed();
}

// Begins with what both have now. What is still under way of a folder that both had before would
// pass for the new one's: then the connection is made anew.
void Node::share(const NodeName& peer) {
  Meeting& meeting = meetings_.at(peer);
  if (meeting.one_shot || peers_.minor(peer) < kHelloAgainMinor) return;
  for (const auto& [name, folder] : folders_) {
    if (!meeting.theirs.contains(name) || meeting.folders.contains(name)) continue;
    if (meeting.former.contains(name)) {
      peers_.reconnect(peer, "folder " + name + " is back");
      return;
    }
    meeting.folders.insert(name);
    folder->peer_connected(peer);
  }
}

}  // namespace dagsync
