// What this folder tells peers about itself, and what they tell.
#include <algorithm>
#include <utility>

#include "dagsync/engine/folder.h"

namespace dagsync {

Hello::Folder Folder::hello() const {
  return {config_.name, replica_.author(), replica_.sequence()};
}

void Folder::configure_peers(const std::vector<PeerConfig>& peers) {
  std::vector<NodeName> gone;
  for (const auto& [name, known] : replica_.peers()) {
    const bool stays =
        std::any_of(peers.begin(), peers.end(),
                    [&peer = name](const PeerConfig& config) { return config.name == peer; });
    if (!stays) gone.push_back(name);
  }
  for (const NodeName& name : gone) {
    behind_since_.erase(name);
    replica_.forget_peer(name);
  }
  for (const PeerConfig& peer : peers) {
    replica_.configure_peer(peer.name, peer.may_send, peer.may_receive, peer.counted());
  }
  note_lag();
}

void Folder::peer_connected(const NodeName& peer) {
  replica_.connected(peer);
  // Who sees whom has changed: everybody's question whether to relay.
  tell_soon();
  tell({peer});
  publisher_.retry_now();
}

void Folder::peer_lost(const NodeName& peer) {
  if (!replica_.peers().contains(peer)) return;
  replica_.disconnected(peer);
  inboxes_.erase(peer);
  std::erase_if(unanswered_pages_, [&](const auto& page) { return page.first == peer; });
  snapshots_.peer_lost(peer);
  server_.peer_lost(peer);
  fetcher_.peer_lost(peer);
  verifier_.peer_lost(peer);
  note_lag();
  tell_soon();
  changed();
}

void Folder::on_tell(const NodeName& from, const Tell& tell) {
  const AuthorId before = replica_.author();
  perform(replica_.told(from, tell, {ports_.random.next() | 1}, ports_.clock.mono()));
  if (replica_.author() != before) {
    journal_.touch();
    tell_soon();
  }
  note_lag();
  changed();
}

void Folder::tell_soon() {
  if (tell_timer_ != TimerId{}) return;
  tell_timer_ = ports_.clock.after(Duration(0), [this] {
    tell_timer_ = {};
    std::vector<NodeName> connected;
    for (const auto& [name, peer] : replica_.peers()) {
      if (peer.connected) connected.push_back(name);
    }
    tell(connected);
  });
}

void Folder::tell(const std::vector<NodeName>& peers) {
  Tell tell;
  tell.folder = config_.name;
  tell.author = replica_.author();
  tell.received = replica_.received();
  tell.durable = replica_.durable();
  tell.connected = outlet_.connected();
  tell.unpublished = replica_.wanted().size();
  for (const NodeName& peer : peers) {
    const auto it = replica_.peers().find(peer);
    if (it == replica_.peers().end()) continue;
    tell.accepts = it->second.may_send && !replica_.halted();
    outlet_.send(peer, tell);
  }
}

bool Folder::has_durably(const NodeName& peer, const Knowledge& knowledge) const {
  const auto it = replica_.peers().find(peer);
  return it != replica_.peers().end() && it->second.durable.covers(knowledge);
}

void Folder::note_lag() {
  const Knowledge known = replica_.known();
  for (const auto& [name, peer] : replica_.peers()) {
    if (peer.durable.covers(known)) {
      behind_since_.erase(name);
    } else {
      behind_since_.try_emplace(name, ports_.clock.mono());
    }
  }
}

}  // namespace dagsync
