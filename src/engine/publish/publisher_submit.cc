// A complete batch goes into the lane, and what became of it comes back.
#include <algorithm>
#include <utility>

#include "dagsync/base/log.h"
#include "dagsync/core/reconcile.h"
#include "dagsync/engine/publish/publisher.h"
#include "publisher_batch.h"

namespace dagsync {
namespace {

bool holds_bytes(const IndexEntry& entry) {
  const Kind kind = entry.record.content.kind;
  return (kind == Kind::kFile || kind == Kind::kSymlink) && entry.disk.has_value();
}

bool deletes(const PublishBatch& batch, const RelPath& path) {
  return std::any_of(batch.items.begin(), batch.items.end(), [&](const PublishItem& item) {
    return item.path == path && !item.change.record.is_live();
  });
}

// Whether anything live below is not among what goes.
bool keeps_live_below(const Index& index, const std::set<RelPath>& going, const RelPath& path) {
  bool live = false;
  index.visit_below(path, [&](const RelPath& below, const IndexEntry& entry) {
    live = entry.record.is_live() && !going.contains(below);
    return !live;
  });
  return live;
}

std::set<RelPath> deleted_by(const PublishBatch& batch) {
  std::set<RelPath> deleted;
  for (const PublishItem& item : batch.items) {
    if (!item.change.record.is_live()) deleted.insert(item.path);
  }
  return deleted;
}

KnownDirectories directories_above(const Index& index, const PublishBatch& batch) {
  KnownDirectories known;
  std::set<RelPath> seen;
  std::string_view last;
  for (const PublishItem& item : batch.items) {
    const std::string_view parent = item.path.parent_bytes();
    if (std::exchange(last, parent) == parent) continue;  // it is beside the item before
    for (RelPath above = item.path.parent(); !above.is_root(); above = above.parent()) {
      if (!seen.insert(above).second) break;
      const IndexEntry* entry = index.find(above);
      if (entry != nullptr && entry->record.content.kind == Kind::kDirectory)
        known.emplace(above, attributes_of(entry->record.content));
    }
  }
  return known;
}

void append(Actions& actions, Actions more) {
  actions.insert(actions.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
}

}  // namespace

std::optional<KeptVersion> Publisher::keep(const RelPath& path, const IndexEntry& old,
                                           const Record& by) {
  if (!holds_bytes(old)) return std::nullopt;
  KeptVersion kept;
  kept.id = versions_.new_id();
  kept.path = path;
  kept.content = old.record.content;
  kept.origin = old.record.origin.author.node();
  kept.kept_at = clock_.now();
  kept.reason = is_conflict(old.record, by) ? KeptVersion::Reason::kConflict
                : by.is_live()              ? KeptVersion::Reason::kReplaced
                                            : KeptVersion::Reason::kDeleted;
  return kept;
}

std::optional<PublishItem> Publisher::make_item(Batch& batch, const RelPath& path, Item& item,
                                                const Wanted& wanted) {
  PublishItem made;
  made.path = path;
  made.change = {path, wanted.id.value_or(ChangeId{}), wanted.record};
  if (const IndexEntry* entry = replica_.index().find(path)) {
    made.old = *entry;
    made.there = *entry;
  }
  // A change that may come in replaces what was changed here and may not leave.
  const auto drift = replica_.drift().find(path);
  const bool drifted = drift != replica_.drift().end();
  if (drifted) {
    if (!made.there) made.there.emplace();
    made.there->record.content = drift->second.content;
    made.there->disk = drift->second.disk;
  }
  const bool lives_on = made.there && same_bytes(made.there->record.content, wanted.record.content);
  if (made.there && !lives_on) made.kept = keep(path, *made.there, wanted.record);
  const bool shows_other = drifted && drift->second.disk;
  if (wanted.again && !shows_other) made.there.reset();
  made.attributes_only = item.attributes_only;
  made.nothing_to_do = wanted.record.is_live() && replica_.will_be_shadowed(path);
  if (item.linked) {
    const auto source = batch.items.find(*item.linked);
    const bool source_goes =
        source != batch.items.end() && source->second.content.kind == Kind::kTombstone;
    if (!source_goes) return std::nullopt;  // two names of one inode would remain
    made.linked = true;
  }
  if (item.bytes) {
    made.bytes = std::move(*item.bytes);
    made.held = std::move(item.held);
  } else if (item.staged) {
    made.bytes = std::move(item.staged);
  }
  return made;
}

// One batch runs and another one waits for it, so the lane is never idle. What is complete
// meanwhile goes together, for each job syncs the intents once.
void Publisher::submit_complete() {
  while (!suspended_ && jobs_ < kMostJobs && !complete_.empty()) {
    std::vector<BatchPtr> together;
    std::size_t items = 0;
    while (!complete_.empty() && (together.empty() || items < kEnoughItems)) {
      together.push_back(std::move(complete_.front()));
      complete_.pop_front();
      items += together.back()->items.size();
    }
    submit(together);
  }
}

std::vector<PublishItem> Publisher::take_items(const std::vector<BatchPtr>& batches) {
  std::vector<PublishItem> items;
  std::size_t most = 0;
  for (const BatchPtr& batch : batches)
    most += batch->items.size();
  items.reserve(most);
  std::vector<RelPath> again;
  for (const BatchPtr& batch : batches) {
    for (auto& [path, item] : batch->items) {
      batches_.erase(path);
      // What has become of it since is wanted anew, or not at all, in the next moment.
      const auto wanted = replica_.wanted().find(path);
      const bool is_stale =
          wanted == replica_.wanted().end() || wanted->second.record.content != item.content;
      if (is_stale) continue;
      if (auto made = make_item(*batch, path, item, wanted->second)) {
        items.push_back(std::move(*made));
      } else {
        again.push_back(path);
      }
    }
  }
  if (batches_.empty()) batches_ = {};  // with its buckets, which a burst made many
  if (!again.empty()) {
    clock_.after(Duration(0), [this, again] { want(again, {}, {}); });
  }
  return items;
}

void Publisher::submit(const std::vector<BatchPtr>& batches) {
  auto publish_batch = std::make_shared<PublishBatch>();
  publish_batch->items = take_items(batches);
  if (publish_batch->items.empty()) return;
  std::set<RelPath> linked;
  for (const BatchPtr& batch : batches) {
    for (const auto& [path, item] : batch->items)
      if (item.linked) linked.insert(*item.linked);
  }
  const std::set<RelPath> deleted = deleted_by(*publish_batch);
  const std::set<RelPath> going = going_with(*publish_batch);
  std::erase_if(publish_batch->items, [&](PublishItem& item) {
    if (item.change.record.is_live()) return false;
    // Only a directory is kept by what lives below it: a file that stands there goes.
    const bool is_file = item.there && item.there->record.is_live() && item.there->disk &&
                         item.there->disk->type != FileType::kDirectory;
    if (is_file) return false;
    if (!keeps_live_below(replica_.index(), going, item.path)) return false;
    // What lives on below implies the directory; what is only waiting for its own delete does not.
    item.nothing_to_do = keeps_live_below(replica_.index(), wanted_deletes(item.path), item.path);
    if (!item.nothing_to_do) retry_later(item.path);
    return !item.nothing_to_do;
  });
  if (publish_batch->items.empty()) return;
  for (PublishItem& item : publish_batch->items) {
    item.moved_away = linked.contains(item.path) && deleted.contains(item.path);
    if (!item.nothing_to_do) {
      item.sync_first = journal_.has_intent(item.path);
      item.mark = journal_.open_intent(item.path);
    }
    in_lane_.emplace(item.path, replica_.publishing(item.path));
    hooks_.touched(item.path);
  }
  publish_batch->above = directories_above(replica_.index(), *publish_batch);
  add_evictions(*publish_batch);
  ++jobs_;
  worker_.compute(
      journal_.lane(),
      [this, publish_batch, disposable = disposable_by(rules_)] {
        return publish(disk_, store_, disposable, *publish_batch);
      },
      [this, publish_batch](PublishResults results) {
        --jobs_;
        finished(publish_batch, std::move(results));
        submit_complete();
      });
}

// Directories that only what stands in them implies have no record, and go after it. In the order
// of paths.
void Publisher::add_implied_directories(const RelPath& top, std::vector<Eviction>& below) {
  std::set<RelPath> known;
  std::set<RelPath> implied;
  for (const Eviction& eviction : below)
    known.insert(eviction.path);
  for (const RelPath& path : known) {
    for (RelPath above = path.parent(); above.is_below(top); above = above.parent()) {
      if (!known.contains(above)) implied.insert(above);
    }
  }
  DiskState directory;
  directory.type = FileType::kDirectory;
  for (const RelPath& path : implied) {
    below.push_back({path, directory, std::nullopt});
  }
  std::sort(below.begin(), below.end(),
            [](const Eviction& a, const Eviction& b) { return a.path < b.path; });
}

// What stands below a directory that a file replaces is kept, be it with the bytes of that file: it
// goes before that one is there. Its records stay, shadowed.
void Publisher::add_evictions(PublishBatch& batch) {
  for (const PublishItem& item : batch.items) {
    const Kind kind = item.change.record.content.kind;
    if (item.nothing_to_do || (kind != Kind::kFile && kind != Kind::kSymlink)) continue;
    std::vector<Eviction> below;
    replica_.index().visit_below(item.path, [&](const RelPath& path, const IndexEntry& entry) {
      if (!entry.record.is_live() || !entry.disk || deletes(batch, path)) return true;
      below.push_back({path, *entry.disk, keep(path, entry, item.change.record)});
      return true;
    });
    add_implied_directories(item.path, below);
    for (const Eviction& eviction : below) {
      removing_.insert(eviction.path);
      hooks_.touched(eviction.path);
    }
    batch.evictions.insert(batch.evictions.end(), below.rbegin(), below.rend());
  }
}

// Deleted by this batch, or by one before it in the lane.
std::set<RelPath> Publisher::going_with(const PublishBatch& batch) const {
  std::set<RelPath> going = deleted_by(batch);
  for (const auto& [path, wanted] : in_lane_) {
    if (!wanted.record.is_live()) going.insert(path);
  }
  return going;
}

std::set<RelPath> Publisher::wanted_deletes(const RelPath& directory) const {
  std::set<RelPath> deletes;
  replica_.visit_wanted(directory, [&](const RelPath& path, const Wanted& wanted) {
    if (path != directory && !wanted.record.is_live()) deletes.insert(path);
    return true;
  });
  return deletes;
}

void Publisher::removed(const RelPath& path) {
  removing_.erase(removing_.find(path));
  hooks_.touched(path);
}

void Publisher::finished(std::shared_ptr<PublishBatch> batch, PublishResults results) {
  Actions actions;
  for (std::size_t i = 0; i < batch->evictions.size(); ++i) {
    const Eviction& eviction = batch->evictions[i];
    const auto result =
        std::find_if(results.evictions.begin(), results.evictions.end(),
                     [&](const PublishResult& evicted) { return evicted.path == eviction.path; });
    const bool done = result != results.evictions.end() && result->published &&
                      result->published->outcome == PublishOutcome::kDone;
    if (done && eviction.kept) versions_.add(*eviction.kept);
    removed(eviction.path);
    if (done) append(actions, replica_.evicted(eviction.path));
    if (done) continue;
    if (eviction.kept) journal_.write(Transaction::DropKept{eviction.kept->id});
    hooks_.look_at(eviction.path);
  }
  std::vector<RelPath> directories;
  std::vector<Journal::Mark> to_sync;
  std::vector<Journal::Mark> to_withdraw;
  for (std::size_t i = 0; i < batch->items.size(); ++i) {
    PublishItem& item = batch->items[i];
    const Result<Published> result = results.intents ? std::move(results.items[i].published)
                                                     : Unexpected(results.intents.error());
    const bool is_done = result && result->outcome == PublishOutcome::kDone;
    if (!item.nothing_to_do) (is_done ? to_sync : to_withdraw).push_back(item.mark);
    append(actions, settle_item(item, result));
    // A directory that something was to keep may have lost that meanwhile; as may one that only
    // what stands in it implies, and that a file is to replace.
    const bool is_live = item.change.record.is_live();
    const bool may_stand = item.nothing_to_do ? !is_live : !is_done && is_live;
    if (may_stand) {
      directories.push_back(item.path);
    } else if (directories.empty() || directories.back().bytes() != item.path.parent_bytes()) {
      directories.push_back(item.path.parent());  // once for all that stand beside each other
    }
  }
  if (in_lane_.empty()) in_lane_ = {};  // with its buckets, too
  for (const Journal::Mark& mark : to_withdraw)
    journal_.withdraw(mark);
  // Together: what arrived for these paths meanwhile is a batch, too.
  hooks_.perform(std::move(actions));
  // After their rows: an intent must not go before the row that takes its place has come.
  prune_from(directories, std::move(to_sync));
}

Actions Publisher::settle_item(PublishItem& item, const Result<Published>& result) {
  const RelPath& path = item.path;
  const Wanted wanted = std::move(in_lane_.extract(path).mapped());
  hooks_.touched(path);
  const IndexEntry* entry = replica_.index().find(path);
  const bool still_stands = item.nothing_to_do && wanted.record.is_live() && entry != nullptr &&
                            entry->record.is_live() && entry->disk &&
                            wanted.record.content.kind != Kind::kDirectory;
  if (result && still_stands) {
    // What is to hide it is not published yet, and what stands here not kept.
    Actions actions = replica_.not_published(path);
    if (replica_.wanted().contains(path)) retry_later(path);
    return actions;
  }
  if (result && result->outcome == PublishOutcome::kDone) {
    retries_.erase(path);
    hooks_.trouble(path, "");
    if (item.kept && result->kept) versions_.add(*item.kept);
    const bool is_live = wanted.record.is_live();
    const auto disk =
        is_live ? result->now : std::optional(seen_gone(clock_.now(), standing(entry)));
    Actions actions = replica_.published(path, wanted.record, wanted.id, wanted.waiting, disk);
    hooks_.published(item, wanted);
    return actions;
  }
  Actions actions = replica_.not_published(path);
  if (!replica_.wanted().contains(path)) return actions;  // something younger has come meanwhile
  if (!result) {
    failed(path, result.error());
    return actions;
  }
  log::debug("{}: not published yet: {}", display(path),
             result->outcome == PublishOutcome::kChanged ? "it shows something unexpected"
                                                         : "a writer has it open");
  if (result->outcome == PublishOutcome::kChanged) hooks_.look_at(path);
  retry_later(path);
  return actions;
}

}  // namespace dagsync
