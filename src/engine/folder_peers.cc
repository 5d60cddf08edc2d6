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
    lag_.forget(name);
    traffic_.erase(name);
    replica_.forget_peer(name);
  }
  for (const PeerConfig& peer : peers) {
    traffic_.try_emplace(peer.name);
    if (peer.counted()) lag_.follow(peer.name);
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
  admission_.peer_lost(peer);
  snapshots_.peer_lost(peer);
  server_.peer_lost(peer);
  fetcher_.peer_lost(peer);
  verifier_.peer_lost(peer);
  publisher_.take_turns();
  journal_.reconsider();
  note_lag();
  tell_soon();
  changed();
}

void Folder::on_tell(const NodeName& from, const Tell& tell) {
  if (tell.author.node() != from) {
    outlet_.refuse(from, "it tells of itself under another's name");
    return;
  }
  if (!admission_.may_tell(from, tell.received.intervals() + tell.durable.intervals())) return;
  const AuthorId before = replica_.author();
  perform(replica_.told(from, tell, ports_.clock.mono()));
  if (replica_.author() != before) {
    journal_.touch();
    tell_soon();
  }
  const auto peer = replica_.peers().find(from);
  if (peer != replica_.peers().end()) {
    lag_.told(from, peer->second.durable, ports_.clock.mono());
  }
  publisher_.take_turns();
  journal_.reconsider();
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
    last_told_ = replica_.received();
    tell(connected);
  });
}

void Folder::tell(const std::vector<NodeName>& peers) {
  Tell tell;
  tell.folder = config_.name;
  tell.author = replica_.author();
  // Less than all where it is full of holes, which a snapshot under way makes: more follows.
  tell.received = Knowledge(replica_.received()).at_most(kMaxKnowledgeIntervals / 2);
  tell.durable = Knowledge(replica_.durable()).at_most(kMaxKnowledgeIntervals / 2);
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

void Folder::note_sent(const NodeName& peer, const Announce::Item& item) {
  const auto traffic = traffic_.find(peer);
  if (traffic == traffic_.end()) return;
  const Content& content = item.change.record.content;
  ++traffic->second.changes_sent;
  if (content.kind == Kind::kFile) traffic->second.bytes_sent += content.size;
  const auto* delta = std::get_if<Announce::Delta>(&item.content);
  if (delta != nullptr && content.size > delta->bytes.size())
    counts_.delta_saved_bytes += content.size - delta->bytes.size();
}

void Folder::note_received(const NodeName& author, const Record& record) {
  const auto traffic = traffic_.find(author);
  if (traffic == traffic_.end()) return;
  ++traffic->second.changes_received;
  if (record.content.kind == Kind::kFile) traffic->second.bytes_received += record.content.size;
}

bool Folder::is_spreading() const {
  if (intake_.busy()) return true;
  const Knowledge known = replica_.known();
  const auto mine = known.authors().find(replica_.author());
  if (mine == known.authors().end()) return false;
  Knowledge edits;
  edits.add(mine->first, mine->second);
  const std::vector<NodeName> peers = live_peers();
  return std::any_of(peers.begin(), peers.end(),
                     [&](const NodeName& peer) { return !has_durably(peer, edits); });
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
