// The half of the replica that listens to peers: their changes, and what they have.
#include <algorithm>
#include <iterator>
#include <utility>

#include "dagsync/base/assert.h"
#include "dagsync/core/reconcile.h"
#include "dagsync/core/replica.h"

namespace dagsync {
namespace {

// How long a peer's knowledge may lag behind before we send what it lacks, though its author could.
constexpr Duration kLagTolerance = std::chrono::seconds(3);

Wanted combine(Wanted a, Wanted b) {
  Wanted both;
  both.record = reconcile(a.record, b.record);
  both.id = both.record == a.record ? a.id : both.record == b.record ? b.id : std::nullopt;
  both.waiting = std::move(a.waiting);
  both.waiting.insert(both.waiting.end(), b.waiting.begin(), b.waiting.end());
  // Only who announced this content can be asked for it.
  if (same_bytes(both.record.content, a.record.content)) both.sources.merge(a.sources);
  if (same_bytes(both.record.content, b.record.content)) both.sources.merge(b.sources);
  both.again = a.again || b.again;
  return both;
}

// Whether taking the change in would alter nothing but what is known of the path.
bool is_as_here(const Index& index, const Change& change) {
  const IndexEntry* entry = index.find(change.path);
  const Content& content = change.record.content;
  return entry != nullptr ? entry->record.content == content : content.kind == Kind::kTombstone;
}

}  // namespace

void Replica::configure_peer(const NodeName& name, bool may_send, bool may_receive, bool counted) {
  Peer& peer = peers_[name];
  peer.may_send = may_send;
  peer.may_receive = may_receive;
  peer.counted = counted;
}

void Replica::forget_peer(const NodeName& name) {
  peers_.erase(name);
}

void Replica::connected(const NodeName& name) {
  Peer& peer = peers_[name];
  peer.connected = true;
  peer.told = false;
  peer.snapshot = false;
  peer.left_out = false;
  peer.lagging_since = {};
}

void Replica::disconnected(const NodeName& name) {
  Peer& peer = peers_[name];
  peer.connected = false;
  peer.told = false;
  peer.snapshot = false;
}

Actions Replica::announced(const NodeName& from, const std::vector<Change>& changes,
                           const std::function<bool(const RelPath&, Kind)>& ignored) {
  Actions actions;
  std::vector<Change> ours;
  Peer& peer = peers_[from];
  // It is not heard, so the end of a snapshot that it is part of must not pass for it.
  if (halted_ && !changes.empty()) peer.left_out = true;
  if (halted_ || !peer.may_send) return actions;
  for (const Change& change : changes) {
    if (is_ahead_of_us(change.id)) begin_epoch(next_epoch_);
    peer.received.add(change.id);
    if (is_known(from, change)) continue;
    if (!has_room_for(from, change.id.author)) {
      peer.left_out = true;
      continue;
    }
    receive(change.id);
    const Content& content = change.record.content;
    if (ignored(change.path, content.kind)) {
      withhold(from, change, "");
    } else if (!settings_.remote_may_enter && !is_as_here(index_, change)) {
      keep_out(change);
      withhold(from, change, "");
    } else if (content.kind == Kind::kFile && content.size > settings_.max_file_size) {
      withhold(from, change, "larger than max_file_size: raise it in dagsync.toml on this node");
    } else {
      refused_.erase(change.path);
      if (is_made_after(index_.find(change.path), change.record)) {
        make_again(change.path, change, actions, ours);
        continue;
      }
      wait_for(change.id);
      adjudicate(change.path, {change.record, change.id, {change.id}, {from}}, actions, ours);
    }
  }
  forget_some();
  peer.received = std::move(peer.received).at_most(kMostIntervals);
  if (!ours.empty()) actions.push_back(Broadcast{std::move(ours)});
  return actions;
}

// An author is believed against what others claimed to know of it: nobody can keep its changes from
// us by saying that we have them.
bool Replica::is_known(const NodeName& from, const Change& change) const {
  if (!received_.covers(change.id)) return false;
  if (from != change.id.author.node() || waiting_.contains(change.id)) return true;
  const IndexEntry* entry = index_.find(change.path);
  return withheld_.covers(change.id) ||
         (entry != nullptr && entry->record.version.has_seen(change.record.version));
}

bool Replica::has_room_for(const NodeName& from, const AuthorId& author) const {
  const auto& authors = received_.authors();
  if (authors.contains(author)) return true;
  if (from != author.node()) return authors.size() < kMostAuthors;
  const auto first = authors.lower_bound({author.node(), {}});
  const auto end = std::find_if(
      first, authors.end(), [&](const auto& other) { return other.first.node() != author.node(); });
  return static_cast<std::size_t>(std::distance(first, end)) < kMostEpochs;
}

// Without what nobody can know: changes that their author has not made yet, as far as we hear the
// author itself.
void Replica::believe(const NodeName& from, const Knowledge& knowledge) {
  Knowledge believable = knowledge;
  believable.remove_beyond(author_, sequence_);
  for (const auto& [name, peer] : peers_) {
    if (peer.told) believable.remove_beyond(peer.author, peer.received.last(peer.author));
  }
  for (const auto& [author, sequences] : believable.authors()) {
    if (has_room_for(from, author)) received_.add(author, sequences);
  }
  known_.reset();
}

// What others claimed of an author that has issued less by its own word. Not what is here: then it
// is the author that has forgotten, and is to have it back.
void Replica::disbelieve(const AuthorId& author, Sequence issued) {
  const Sequence last = received_.last(author);
  if (last <= issued) return;
  Knowledge claims;
  claims.add(author, {issued + 1, last});
  claims = mere_claims(std::move(claims));
  received_.remove(claims);
  durable_.remove(claims);
  known_.reset();
}

Knowledge Replica::mere_claims(Knowledge knowledge) const {
  knowledge.remove(withheld_);
  std::vector<ChangeId> came(waiting_.begin(), waiting_.end());
  for (const auto& [path, entry] : index_.entries())
    came.push_back(entry.id);
  std::sort(came.begin(), came.end());  // each removal is next to the one before
  for (const ChangeId& id : came)
    knowledge.remove(id);
  return knowledge;
}

// Keeps what is known of changes within its bounds. What is forgotten of `received_` is heard
// again, and found to be there; what is forgotten of `withheld_` must not be offered, so it goes
// from both.
void Replica::forget_some() {
  if (withheld_.intervals() > kMostWithheld) {
    Knowledge forgotten = withheld_;
    withheld_ = std::move(withheld_).at_most(kMostWithheld);
    forgotten.remove(withheld_);
    received_.remove(forgotten);
    known_.reset();
  }
  if (received_.intervals() <= kMostIntervals) return;
  received_ = std::move(received_).at_most(kMostIntervals);
  known_.reset();
}

// A power cut may take the row of a change that peers have heard of. What a person does on this
// disk after that, he does in sight of it, in an epoch that came later; only the index had
// forgotten. The epoch that this run has begun is the last, also where a lost index and a clock
// that was set back have given it a lesser number; others may then have merged the two by their
// stamps. Not so where the mtime is the same: then it is that very change, or what the power cut
// left of it.
bool Replica::is_made_after(const IndexEntry* entry, const Record& of_before) const {
  if (entry == nullptr) return false;
  const AuthorId& before = of_before.origin.author;
  const AuthorId& after = entry->record.origin.author;
  const bool both_ours = before.node() == settings_.self && after.node() == settings_.self;
  const bool is_latest = after == author_ && !is_restored_;
  if (!both_ours || before == after || !(is_latest || before.epoch() < after.epoch())) return false;
  const bool is_it = entry->record.content.kind == of_before.content.kind &&
                     entry->record.content.mtime == of_before.content.mtime;
  return !is_it && !entry->record.version.has_seen(of_before.version);
}

// The content of the index once more, on top of both, and no younger than it must be: others may
// have replaced it meanwhile. Of equal stamps the later origin decides.
void Replica::make_again(const RelPath& path, const Change& of_before, Actions& actions,
                         std::vector<Change>& ours) {
  const IndexEntry entry = *index_.find(path);
  Record record = entry.record;
  record.stamp = std::max(record.stamp, of_before.record.stamp + Duration(1));
  record.origin = next_change();
  record.version.join(of_before.record.version);
  record.version.raise(record.origin.author, record.origin.sequence);
  record.seen = record.version;
  save(path, std::move(record), std::nullopt, entry.disk, actions, ours);
  look_again(path, actions, ours);
}

void Replica::withhold(const NodeName& from, const Change& change, std::string why) {
  withheld_.add(change.id);
  if (!why.empty()) refused_[change.path] = "from " + from.value + ": " + why;
}

// What others have is seen, though it does not come in: the next change of this node replaces it.
void Replica::keep_out(const Change& change) {
  const auto [it, is_new] = kept_out_.try_emplace(change.path, change.record);
  if (!is_new) it->second = reconcile(it->second, change.record);
  const IndexEntry* entry = index_.find(change.path);
  const bool replaced = entry != nullptr && entry->record.version.has_seen(it->second.version);
  if (replaced) kept_out_.erase(it);
}

// Where a remote change (or the merge of several) meets the index.
void Replica::adjudicate(const RelPath& path, Wanted combined, Actions& actions,
                         std::vector<Change>& ours) {
  if (publishing_.contains(path)) {
    const auto it = later_.find(path);
    if (it == later_.end()) {
      later_.emplace(path, std::move(combined));
    } else {
      it->second = combine(std::move(it->second), std::move(combined));
    }
    return;
  }
  const auto wanted = wanted_.find(path);
  const bool was_wanted = wanted != wanted_.end();
  if (was_wanted && wanted->second.waiting != combined.waiting) {
    combined = combine(std::move(wanted->second), std::move(combined));
  }
  const IndexEntry* entry = index_.find(path);
  const bool nothing_stands = entry == nullptr && !combined.record.is_live();
  const Record joined =
      entry != nullptr ? reconcile(entry->record, combined.record) : combined.record;
  // A file that hid it has gone, while something else was wanted here.
  const bool is_missing = entry != nullptr && joined.is_live() && !entry->disk &&
                          joined.content == entry->record.content && !index_.is_shadowed(path);
  if (is_missing) {
    if (joined != combined.record) combined.id.reset();
    if (joined == entry->record) combined.id = entry->id;
    if (!same_bytes(joined.content, combined.record.content)) combined.sources.clear();
    combined.record = joined;
    combined.again = true;
  }
  const bool needs_disk =
      combined.again ||
      !(nothing_stands || (entry != nullptr && joined.content == entry->record.content));
  if (needs_disk) {
    wanted_[path] = std::move(combined);
    actions.push_back(Want{path});
    return;
  }
  if (entry == nullptr || joined != entry->record) {
    const bool as_it_came = combined.id.has_value() && joined == combined.record;
    save(path, joined, as_it_came ? combined.id : std::nullopt,
         entry != nullptr ? entry->disk : std::nullopt, actions, ours);
  }
  settle(combined.waiting);
  if (was_wanted) {
    wanted_.erase(path);
    actions.push_back(Unwant{path});
    unshadow(path, actions, ours);
  }
}

void Replica::relay(const Change& change, Actions& actions) const {
  for (const auto& [name, peer] : peers_) {
    const bool takes = peer.connected && peer.told && peer.may_receive && peer.accepts;
    if (!takes || name == change.id.author.node()) continue;
    if (peer.sees.contains(change.id.author.node()) || peer.received.covers(change.id)) continue;
    actions.push_back(Relay{name, change});
  }
}

Actions Replica::told(const NodeName& from, const Tell& tell, MonoNanos now) {
  Actions actions;
  Peer& peer = peers_[from];
  const bool is_new = !peer.told;
  const bool first = is_new || (tell.accepts && !peer.accepts);
  peer.told = peer.vouched = true;
  peer.author = tell.author;
  if (is_ahead_of_us({author_, tell.received.last(author_)})) begin_epoch(next_epoch_);
  peer.received = tell.received;
  peer.durable = tell.durable;
  peer.received.remove_beyond(author_, sequence_);
  peer.durable.remove_beyond(author_, sequence_);
  peer.sees = {tell.connected.begin(), tell.connected.end()};
  peer.unpublished = tell.unpublished;
  peer.accepts = tell.accepts;
  if (is_new) disbelieve(peer.author, peer.received.last(peer.author));
  if (!peer.may_receive || !peer.accepts || peer.snapshot || halted_) return actions;
  if (peer.received.covers(offered())) {
    peer.lagging_since = {};
    return actions;
  }
  if (peer.lagging_since == MonoNanos{}) peer.lagging_since = now;
  if (first || now - peer.lagging_since >= kLagTolerance) {
    peer.snapshot = true;
    peer.lagging_since = {};
    actions.push_back(StartSnapshot{from});
  }
  return actions;
}

Actions Replica::snapshot_ended(const NodeName& from, const Knowledge& knowledge) {
  Peer& peer = peers_[from];
  const bool left_out = std::exchange(peer.left_out, false);
  if (halted_ || !peer.may_send || left_out) return {};
  if (!waiting_.empty()) {
    Gain gain{knowledge, waiting_};
    gain.knowledge.remove(known());
    gains_.push_back(std::move(gain));
  }
  believe(from, knowledge);
  forget_some();
  return {};
}

void Replica::sent(const NodeName& to, const ChangeId& id) {
  peers_[to].received.add(id);
}

void Replica::snapshot_sent(const NodeName& to, const Knowledge& knowledge) {
  Peer& peer = peers_[to];
  peer.received.add(knowledge);
  peer.snapshot = false;
}

void Replica::snapshot_broken(const NodeName& to) {
  Peer& peer = peers_[to];
  peer.snapshot = false;
  peer.told = false;
}

bool Replica::sees_everybody() const {
  return std::all_of(peers_.begin(), peers_.end(), [](const auto& entry) {
    const Peer& peer = entry.second;
    return !peer.counted || (peer.connected && peer.told && peer.accepts);
  });
}

bool Replica::in_sync_with(const Peer& peer) const {
  if (!peer.connected || !peer.told || !peer.accepts) return false;
  if (peer.may_receive && !peer.durable.covers(known())) return false;
  return !peer.may_send || durable_.covers(peer.received);
}

Replica::Behind Replica::behind(const Peer& peer) const {
  Behind behind;
  for (const auto& [path, entry] : index_.entries()) {
    if (peer.durable.covers(entry.id)) continue;
    ++behind.files;
    behind.bytes += entry.record.content.size;
  }
  return behind;
}

}  // namespace dagsync
