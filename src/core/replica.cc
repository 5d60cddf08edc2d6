#include "dagsync/core/replica.h"

#include <algorithm>

#include "dagsync/base/assert.h"
#include "dagsync/core/reconcile.h"

namespace dagsync {

Replica::Replica(Settings settings)
    : settings_(std::move(settings)), guard_(settings_.max_delete_percent) {}

void Replica::restore(Image image) {
  index_ = std::move(image.index);
  received_ = std::move(image.knowledge);
  withheld_ = std::move(image.withheld);
  known_.reset();
  durable_ = std::move(image.durable);
  author_ = std::move(image.author);
  sequence_ = image.sequence;
  is_restored_ = true;
  next_epoch_ = image.next_epoch;
  floor_ = image.floor;
}

void Replica::reconfigure(Settings settings) {
  settings_ = std::move(settings);
  guard_.set_max_percent(settings_.max_delete_percent);
  received_.remove(withheld_);
  known_.reset();
  durable_.remove(withheld_);
  withheld_ = {};
  refused_.clear();
  drift_.clear();
  kept_out_.clear();
}

void Replica::begin_epoch(Epoch epoch) {
  author_ = {settings_.self, epoch};
  sequence_ = 0;
  is_restored_ = false;
}

Actions Replica::number_merges() {
  std::vector<std::pair<RelPath, IndexEntry>> merges;
  for (const auto& [path, entry] : index_.entries()) {
    if (entry.id.sequence == 0) merges.emplace_back(path, entry);
  }
  Actions actions;
  std::vector<Change> ours;
  for (auto& [path, entry] : merges)
    save(path, std::move(entry.record), std::nullopt, std::move(entry.disk), actions, ours);
  if (!ours.empty()) actions.push_back(Broadcast{std::move(ours)});
  return actions;
}

// A state directory that came back from a backup has forgotten what was issued since, though its
// last stop was in order; a sequence that was issued once more would be taken for what the peers
// have already. Only their word tells, so until all who may know have given it nothing is issued
// under the restored author.
bool Replica::is_in_doubt() const {
  return is_restored_ && std::any_of(peers_.begin(), peers_.end(), [](const auto& entry) {
           return entry.second.may_receive && !entry.second.vouched;
         });
}

// Whether it is a change of ours that we do not know of: our state is older than our last word.
bool Replica::is_ahead_of_us(const ChangeId& id) const {
  return is_restored_ && id.author == author_ && id.sequence > sequence_;
}

// Under which the next change of this node travels; save() issues it.
ChangeId Replica::next_change() {
  if (is_in_doubt()) begin_epoch(next_epoch_);
  return {author_, sequence_ + 1};
}

void Replica::halt(std::string reason) {
  halted_ = std::move(reason);
}

void Replica::resume() {
  halted_.reset();
  guard_.forget();
}

void Replica::save(const RelPath& path, Record record, const std::optional<ChangeId>& id,
                   std::optional<DiskState> disk, Actions& actions, std::vector<Change>& ours) {
  Change change{path, id ? *id : next_change(), std::move(record)};
  if (!id) {
    sequence_ = change.id.sequence;
    receive(change.id);
  }
  if (change.record.is_live()) guard_.came_back(path);
  const bool is_ours = change.id.author == author_;
  IndexEntry entry{change.record, change.id, std::move(disk)};
  index_.put(path, entry);
  actions.push_back(SaveEntry{path, std::move(entry)});
  if (is_ours) {
    ours.push_back(std::move(change));
  } else {
    relay(change, actions);
  }
}

void Replica::receive(const ChangeId& id) {
  received_.add(id);
  if (known_ && !waiting_.contains(id)) known_->add(id);
}

void Replica::wait_for(const ChangeId& id) {
  waiting_.insert(id);
  if (known_) known_->remove(id);
}

void Replica::settle(const std::vector<ChangeId>& ids) {
  for (const ChangeId& id : ids) {
    waiting_.erase(id);
    if (known_ && received_.covers(id)) known_->add(id);
    for (Gain& gain : gains_)
      gain.waiting.erase(id);
  }
  const auto settled = std::erase_if(gains_, [](const Gain& gain) { return gain.waiting.empty(); });
  if (settled > 0 || !gains_.empty()) known_.reset();
}

void Replica::unhear(const std::vector<ChangeId>& ids) {
  for (const ChangeId& id : ids) {
    waiting_.erase(id);
    received_.remove(id);
    std::erase_if(gains_, [&](const Gain& gain) {
      if (!gain.waiting.contains(id)) return false;
      received_.remove(mere_claims(gain.knowledge));
      return true;
    });
  }
  known_.reset();
}

Knowledge Replica::known() const {
  if (known_) return *known_;
  known_ = received_;
  for (const ChangeId& id : waiting_)
    known_->remove(id);
  for (const Gain& gain : gains_)
    known_->remove(gain.knowledge);
  return *known_;
}

Knowledge Replica::offered() const {
  Knowledge offered = known();
  offered.remove(withheld_);
  return offered;
}

void Replica::made_durable(const Knowledge& knowledge) {
  Knowledge forgotten = knowledge;
  forgotten.remove(received_);
  durable_.add(knowledge);
  durable_.remove(forgotten);
  durable_ = std::move(durable_).at_most(kMostIntervals);
}

Actions Replica::collect(UnixNanos now) {
  std::vector<RelPath> old;
  for (const auto& [path, entry] : index_.entries()) {
    if (entry.record.is_live() || entry.record.stamp + settings_.tombstones_keep > now) continue;
    const auto has_it = [&id = entry.id](const auto& peer) {
      return !peer.second.counted || peer.second.durable.covers(id);
    };
    const bool everywhere = std::all_of(peers_.begin(), peers_.end(), has_it);
    if (everywhere && durable_.covers(entry.id)) old.push_back(path);
  }
  Actions actions;
  for (const RelPath& path : old) {
    floor_ = std::max(floor_, index_.find(path)->record.stamp);
    index_.drop(path);
    actions.push_back(DropEntry{path});
  }
  return actions;
}

}  // namespace dagsync
