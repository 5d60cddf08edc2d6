// A complete batch goes into the lane, and what became of it comes back.
#include <algorithm>
#include <utility>

#include "dagsync/base/log.h"
#include "dagsync/core/reconcile.h"
#include "dagsync/engine/publisher.h"
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

}  // namespace

std::optional<KeptVersion> Publisher::keep(const RelPath& path, const IndexEntry& old,
                                           const Record& by) {
  if (!holds_bytes(old) || same_bytes(old.record.content, by.content)) return std::nullopt;
  KeptVersion kept;
  kept.id = versions_.new_id();
  kept.path = path;
  kept.content = old.record.content;
  kept.origin = old.record.origin.author.node;
  kept.kept_at = clock_.now();
  kept.reason = is_conflict(old.record, by) ? KeptVersion::Reason::kConflict
                : by.is_live()              ? KeptVersion::Reason::kReplaced
                                            : KeptVersion::Reason::kDeleted;
  return kept;
}

std::optional<PublishItem> Publisher::make_item(Batch& batch, const RelPath& path, Item& item) {
  const Wanted& wanted = replica_.wanted().at(path);
  PublishItem made;
  made.path = path;
  made.change = {path, wanted.id.value_or(ChangeId{}), wanted.record};
  if (const IndexEntry* entry = replica_.index().find(path)) {
    made.old = *entry;
  }
  // A change that may come in replaces what was changed here and may not leave.
  const auto drift = replica_.drift().find(path);
  const bool drifted = drift != replica_.drift().end();
  if (drifted) {
    if (!made.old) made.old.emplace();
    made.old->record.content = drift->second.content;
    made.old->disk = drift->second.disk;
  }
  if (made.old) made.kept = keep(path, *made.old, wanted.record);
  const bool shows_other = drifted && drift->second.disk;
  if (wanted.again && made.old && !shows_other)
    made.old->record.content = {};  // nothing stands there
  made.attributes_only = item.attributes_only;
  made.nothing_to_do = wanted.record.is_live() && will_be_shadowed(path);
  if (item.linked) {
    const auto source = batch.items.find(*item.linked);
    const bool source_goes =
        source != batch.items.end() && source->second.content.kind == Kind::kTombstone;
    if (!source_goes) return std::nullopt;  // two names of one inode would remain
    made.linked = true;
  }
  if (item.bytes) {
    made.bytes = std::move(*item.bytes);
  } else if (item.staged) {
    made.bytes = std::move(item.staged);
  }
  return made;
}

void Publisher::submit(const BatchPtr& batch) {
  auto publish_batch = std::make_shared<PublishBatch>();
  std::vector<RelPath> again;
  for (auto& [path, item] : batch->items) {
    batches_.erase(path);
    auto made = make_item(*batch, path, item);
    if (!made) {
      again.push_back(path);
      continue;
    }
    publish_batch->items.push_back(std::move(*made));
  }
  if (!again.empty()) {
    clock_.after(Duration(0), [this, again] { want(again, {}); });
  }
  if (publish_batch->items.empty()) return;
  std::set<RelPath> linked;
  for (const auto& [path, item] : batch->items) {
    if (item.linked) linked.insert(*item.linked);
  }
  const std::set<RelPath> deleted = deleted_by(*publish_batch);
  const std::set<RelPath> going = going_with(*publish_batch);
  std::erase_if(publish_batch->items, [&](PublishItem& item) {
    if (item.change.record.is_live()) return false;
    // Only a directory is kept by what lives below it: a file that stands there goes.
    const bool is_file = item.old && item.old->disk && item.old->disk->type != FileType::kDirectory;
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
    if (!item.nothing_to_do) item.mark = journal_.open_intent(item.path);
    in_lane_.emplace(item.path, replica_.wanted().at(item.path));
    replica_.publishing(item.path);
    hooks_.touched(item.path);
  }
  add_evictions(*publish_batch);
  add_prunes(*publish_batch);
  const Disk::Disposable disposable = [rules = rules_](const RelPath& path, FileType type) {
    return rules.is_built_in_ignored(path, type == FileType::kDirectory);
  };
  worker_.compute(
      journal_.lane(),
      [this, publish_batch, disposable] {
        return publish(disk_, store_, disposable, *publish_batch);
      },
      [this, publish_batch](PublishResults results) {
        finished(publish_batch, std::move(results));
      });
}

// What stands below a directory that a file replaces is kept; its records stay, shadowed.
void Publisher::add_evictions(PublishBatch& batch) {
  for (const PublishItem& item : batch.items) {
    const Kind kind = item.change.record.content.kind;
    if (item.nothing_to_do || (kind != Kind::kFile && kind != Kind::kSymlink)) continue;
    std::vector<Eviction> below;
    replica_.index().visit_below(item.path, [&](const RelPath& path, const IndexEntry& entry) {
      if (!entry.record.is_live() || !entry.disk || deletes(batch, path)) return true;
      below.push_back({path, *entry.disk, keep(path, entry, item.change.record)});
      hooks_.touched(path);
      return true;
    });
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
  for (auto it = replica_.wanted().upper_bound(directory); it != replica_.wanted().end(); ++it) {
    if (it->first.bytes().compare(0, directory.bytes().size(), directory.bytes()) != 0) break;
    if (!it->second.record.is_live()) deletes.insert(it->first);
  }
  return deletes;
}

void Publisher::add_prunes(PublishBatch& batch) {
  const std::set<RelPath> deleted = deleted_by(batch);
  const std::set<RelPath> going = going_with(batch);
  std::set<RelPath> prunes;
  for (const RelPath& path : deleted) {
    for (RelPath above = path.parent(); !above.is_root(); above = above.parent()) {
      if (deleted.contains(above) || prunes.contains(above)) continue;
      const IndexEntry* entry = replica_.index().find(above);
      const bool live = entry != nullptr && entry->record.is_live();
      if (live || keeps_live_below(replica_.index(), going, above)) break;
      prunes.insert(above);
    }
  }
  batch.prunes = {prunes.rbegin(), prunes.rend()};
}

void Publisher::finished(std::shared_ptr<PublishBatch> batch, PublishResults results) {
  for (std::size_t i = 0; i < batch->evictions.size(); ++i) {
    const Eviction& eviction = batch->evictions[i];
    const auto result =
        std::find_if(results.evictions.begin(), results.evictions.end(),
                     [&](const PublishResult& evicted) { return evicted.path == eviction.path; });
    const bool done = result != results.evictions.end() && result->published &&
                      result->published->outcome == PublishOutcome::kDone;
    if (done && eviction.kept) versions_.add(*eviction.kept);
    if (done) hooks_.perform(replica_.evicted(eviction.path));
  }
  for (std::size_t i = 0; i < batch->items.size(); ++i) {
    if (!results.intents) {
      settle_item(batch->items[i], Unexpected(results.intents.error()));
    } else {
      settle_item(batch->items[i], results.items[i].published);
    }
  }
}

void Publisher::settle_item(PublishItem& item, const Result<Published>& result) {
  const RelPath& path = item.path;
  const Wanted wanted = std::move(in_lane_.extract(path).mapped());
  hooks_.touched(path);
  if (result && result->outcome == PublishOutcome::kDone) {
    retries_.erase(path);
    hooks_.trouble(path, "");
    if (item.kept && result->kept) versions_.add(*item.kept);
    if (!item.nothing_to_do) journal_.sync_later(item.mark);
    hooks_.perform(replica_.published(path, wanted.record, wanted.id, wanted.waiting, result->now));
    hooks_.published(path, wanted.record, item.change.id.author.node);
    return;
  }
  if (!item.nothing_to_do) journal_.withdraw(item.mark);
  hooks_.perform(replica_.not_published(path));
  if (!replica_.wanted().contains(path)) return;  // something younger has come meanwhile
  if (!result) {
    failed(path, result.error());
    return;
  }
  log::debug("{}: not published yet: {}", display(path),
             result->outcome == PublishOutcome::kChanged ? "it shows something unexpected"
                                                         : "a writer has it open");
  if (result->outcome == PublishOutcome::kChanged) hooks_.look_at(path);
  retry_later(path);
}

}  // namespace dagsync
