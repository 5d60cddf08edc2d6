// The half of the replica that looks at this node's disk: local changes, and what was published.
#include <algorithm>
#include <unordered_map>

#include "dagsync/base/assert.h"
#include "dagsync/core/reconcile.h"
#include "dagsync/core/replica.h"

namespace dagsync {
namespace {

bool is_tombstone(const Content& content) {
  return content.kind == Kind::kTombstone;
}

// What can hide records below it.
bool is_leaf(Kind kind) {
  return kind == Kind::kFile || kind == Kind::kSymlink;
}

void append_to(Actions& actions, Actions more) {
  actions.insert(actions.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
}

// The files that the batch deletes, without those whose bytes appear in it under another name: a
// renamed directory is no mass delete.
std::vector<RelPath> lost_files(const std::vector<const Observation*>& deletes, const Index& index,
                                const std::vector<const Observation*>& edits) {
  std::unordered_map<Digest, std::size_t> appeared;
  for (const Observation* edit : edits) {
    if (edit->content.kind == Kind::kFile) ++appeared[edit->content.digest];
  }
  std::vector<RelPath> lost;
  for (const Observation* gone : deletes) {
    const Content& content = index.find(gone->path)->record.content;
    if (content.kind == Kind::kDirectory) continue;
    const auto it = appeared.find(content.digest);
    if (content.kind == Kind::kFile && it != appeared.end() && it->second > 0) {
      --it->second;
    } else {
      lost.push_back(gone->path);
    }
  }
  return lost;
}

}  // namespace

// Others, like "d-1" beside "d", sort between a path and what lies below it.
void Replica::visit_wanted(const RelPath& top,
                           const std::function<bool(const RelPath&, const Wanted&)>& visit) const {
  for (auto it = wanted_.lower_bound(top); it != wanted_.end(); ++it) {
    const RelPath& path = it->first;
    if (!path.bytes().starts_with(top.bytes())) return;
    if (path != top && !path.is_below(top)) continue;
    if (!visit(path, it->second)) return;
  }
}

bool Replica::will_be_directory(const RelPath& path) const {
  bool will_be = false;
  visit_wanted(path, [&](const RelPath& at, const Wanted& wanted) {
    const Record& record = wanted.record;
    will_be = at == path ? record.content.kind == Kind::kDirectory : record.is_live();
    return !will_be;
  });
  return will_be;
}

bool Replica::will_be_shadowed(const RelPath& path) const {
  for (auto above = path.parent_bytes(); !above.empty(); above = RelPath::parent_of(above)) {
    const auto wanted = wanted_.find(above);
    const IndexEntry* entry = index_.find(above);
    Kind kind = entry != nullptr ? entry->record.content.kind : Kind::kTombstone;
    if (wanted != wanted_.end()) kind = wanted->second.record.content.kind;
    if (is_leaf(kind)) return true;
  }
  return false;
}

// True where the disk shows what it should; then only the disk state may be news.
bool Replica::refreshes(const Observation& seen, Actions& actions) {
  const Content expected = index_.expected_at(seen.path);
  const IndexEntry* entry = index_.find(seen.path);
  const bool recorded = entry != nullptr && entry->record.is_live();
  const bool is_directory = seen.content.kind == Kind::kDirectory;
  // A directory that is on its way, or that only its children imply, is nobody's change, whatever
  // its mode.
  const bool implied =
      !recorded && (expected.kind == Kind::kDirectory || will_be_directory(seen.path));
  if (implied && (is_directory || is_tombstone(seen.content))) return true;
  if (seen.content != expected) return false;
  drift_.erase(seen.path);
  if (is_tombstone(seen.content)) refused_.erase(seen.path);
  // Where a file stands above, the record stays and has no disk state any more.
  if (recorded && entry->disk != seen.disk) {
    IndexEntry fresh = *entry;
    fresh.disk = seen.disk;
    index_.put(seen.path, fresh);
    actions.push_back(SaveEntry{seen.path, std::move(fresh)});
  }
  return true;
}

// What is on its way back is not deleted again, and what stands there instead stays nobody's edit
// until somebody changes it.
bool Replica::is_on_its_way_back(const Observation& seen) {
  const auto wanted = wanted_.find(seen.path);
  if (wanted == wanted_.end() || !wanted->second.again) return false;
  if (is_tombstone(seen.content)) {
    drift_.erase(seen.path);
    return true;
  }
  const auto drift = drift_.find(seen.path);
  return drift != drift_.end() && drift->second.disk && seen.disk &&
         is_unchanged_since(*drift->second.disk, *seen.disk);
}

Actions Replica::observe(const std::vector<Observation>& batch, DeletePolicy policy,
                         MonoNanos now) {
  Actions actions;
  if (halted_) return actions;
  std::vector<const Observation*> edits;
  std::vector<const Observation*> deletes;
  std::vector<Change> ours;
  for (const Observation& seen : batch) {
    DAGSYNC_ASSERT(!publishing_.contains(seen.path));
    if (refreshes(seen, actions)) continue;
    const IndexEntry* entry = index_.find(seen.path);
    const bool was_live = entry != nullptr && entry->record.is_live();
    if (is_on_its_way_back(seen)) continue;
    // A deleted file that has come back with the disk, too.
    if (entry != nullptr && seen.went_back) {
      want_again(seen, actions, ours);
      continue;
    }
    if (!is_tombstone(seen.content)) {
      edits.push_back(&seen);
    } else if (was_live && !entry->disk) {
      // It was hidden by a file above, and never stood here.
      if (!index_.is_shadowed(seen.path)) want_again(seen, actions, ours);
    } else if (was_live) {
      deletes.push_back(&seen);
    }
  }
  if (policy == DeletePolicy::kGuard && settings_.local_may_leave) {
    const std::vector<RelPath> lost = lost_files(deletes, index_, edits);
    if (!guard_.allows(lost.size(), index_.totals().files, now)) {
      actions.push_back(Halt{lost.size(), guard_.gone()});
      return actions;
    }
    guard_.passed(lost, now);
  }
  for (const Observation* seen : edits)
    author(*seen, actions, ours);
  for (const Observation* seen : deletes) {
    if (policy == DeletePolicy::kRestore) {
      want_again(*seen, actions, ours);
    } else {
      author(*seen, actions, ours);
    }
  }
  if (!ours.empty()) actions.push_back(Broadcast{std::move(ours)});
  return actions;
}

Actions Replica::reclaim(const std::vector<Observation>& wrong) {
  Actions actions;
  std::vector<Change> ours;
  for (const Observation& seen : wrong) {
    const IndexEntry* entry = index_.find(seen.path);
    const bool recorded = entry != nullptr && entry->record.is_live();
    if (recorded && !publishing_.contains(seen.path)) want_again(seen, actions, ours);
  }
  if (!ours.empty()) actions.push_back(Broadcast{std::move(ours)});
  return actions;
}

// The index is right, and the disk has to show it again; what it shows now is kept like drift.
void Replica::want_again(const Observation& seen, Actions& actions, std::vector<Change>& ours) {
  if (!seen.disk)
    append_to(actions, evicted(seen.path));  // or the next start takes it for a delete
  const IndexEntry* entry = index_.find(seen.path);
  if (seen.disk) drift_.insert_or_assign(seen.path, seen);
  adjudicate(seen.path, Wanted{entry->record, entry->id, {}, {}, true}, actions, ours);
}

void Replica::author(const Observation& seen, Actions& actions, std::vector<Change>& ours) {
  if (!settings_.local_may_leave) {
    drift_.insert_or_assign(seen.path, seen);
    return;
  }
  if (seen.content.kind == Kind::kFile && seen.content.size > settings_.max_file_size) {
    refused_[seen.path] = "larger than max_file_size: raise it in dagsync.toml, or ignore the file";
    return;
  }
  refused_.erase(seen.path);
  drift_.erase(seen.path);
  const IndexEntry* entry = index_.find(seen.path);
  const bool was_leaf = entry != nullptr && is_leaf(entry->record.content.kind);
  Record record;
  record.content = seen.content;
  // A future mtime counts as the moment at which the file was given it.
  const UnixNanos moment = seen.disk ? std::min(seen.moment, seen.disk->ctime) : seen.moment;
  UnixNanos replaced = entry != nullptr ? entry->record.stamp : floor_;
  record.origin = next_change();
  if (entry != nullptr) record.version = entry->record.version;
  if (const auto theirs = kept_out_.extract(seen.path)) {
    replaced = std::max(replaced, theirs.mapped().stamp);
    record.version.join(theirs.mapped().version);
  }
  record.stamp = make_stamp(seen.content, moment, replaced);
  record.version.raise(record.origin.author, record.origin.sequence);
  record.seen = record.version;
  const DiskState disk = seen.disk ? *seen.disk : seen_gone(seen.moment, standing(entry));
  std::optional<IndexEntry> old;
  if (entry != nullptr && entry->record.is_live() && record.is_live()) old = *entry;
  save(seen.path, std::move(record), std::nullopt, disk, actions, ours);
  std::get<SaveEntry>(actions.back()).replaced = std::move(old);
  look_again(seen.path, actions, ours);
  if (was_leaf) unshadow(seen.path, actions, ours);
}

// The index has moved under a change that is still wanted: is it still wanted?
void Replica::look_again(const RelPath& path, Actions& actions, std::vector<Change>& ours) {
  const auto it = wanted_.find(path);
  if (it == wanted_.end()) return;
  Wanted wanted = it->second;
  wanted.again = false;
  adjudicate(path, std::move(wanted), actions, ours);
}

const Wanted& Replica::publishing(const RelPath& path) {
  const auto wanted = wanted_.find(path);
  DAGSYNC_ASSERT(wanted != wanted_.end());
  publishing_.insert(path);
  return wanted->second;
}

void Replica::end_publishing(const RelPath& path) {
  publishing_.erase(path);
  if (publishing_.empty()) publishing_ = {};  // with its buckets, which a burst made many
}

Actions Replica::published(const RelPath& path, const Record& record,
                           const std::optional<ChangeId>& id, const std::vector<ChangeId>& settled,
                           std::optional<DiskState> disk) {
  Actions actions;
  std::vector<Change> ours;
  end_publishing(path);
  wanted_.erase(path);
  drift_.erase(path);
  const IndexEntry* entry = index_.find(path);
  Record joined = entry != nullptr ? reconcile(entry->record, record) : record;
  const bool as_it_came = id.has_value() && joined == record;
  const bool unchanged = entry != nullptr && joined == entry->record;
  const std::optional<ChangeId> under = unchanged    ? std::optional(entry->id)
                                        : as_it_came ? id
                                                     : std::nullopt;
  if (unchanged) {
    IndexEntry fresh = *entry;
    fresh.disk = std::move(disk);
    index_.put(path, fresh);
    actions.push_back(SaveEntry{path, std::move(fresh)});
  } else {
    save(path, std::move(joined), under, std::move(disk), actions, ours);
  }
  settle(settled);
  unshadow(path, actions, ours);
  appear(path, actions, ours);
  if (auto node = later_.extract(path)) adjudicate(path, std::move(node.mapped()), actions, ours);
  if (!ours.empty()) actions.push_back(Broadcast{std::move(ours)});
  return actions;
}

// A file that was to hide it may have gone before it came.
void Replica::appear(const RelPath& path, Actions& actions, std::vector<Change>& ours) {
  const IndexEntry* entry = index_.find(path);
  if (entry->disk || !entry->record.is_live() || later_.contains(path)) return;
  if (will_be_shadowed(path)) return;
  adjudicate(path, Wanted{entry->record, entry->id, {}, {}, true}, actions, ours);
}

Actions Replica::not_published(const RelPath& path) {
  Actions actions;
  std::vector<Change> ours;
  end_publishing(path);
  if (auto node = later_.extract(path)) adjudicate(path, std::move(node.mapped()), actions, ours);
  if (!ours.empty()) actions.push_back(Broadcast{std::move(ours)});
  return actions;
}

Actions Replica::unobtainable(const RelPath& path) {
  Actions actions;
  std::vector<Change> ours;
  const auto wanted = wanted_.extract(path);
  if (wanted.empty()) return actions;
  DAGSYNC_ASSERT(!publishing_.contains(path));
  unhear(wanted.mapped().waiting);
  actions.push_back(Unwant{path});
  const IndexEntry* entry = index_.find(path);
  if (wanted.mapped().again && entry != nullptr && !index_.is_shadowed(path)) {
    const auto drift = drift_.find(path);
    const Observation seen = drift != drift_.end()
                                 ? drift->second
                                 : Observation{path, {}, std::nullopt, entry->record.stamp};
    author(seen, actions, ours);
  }
  unshadow(path, actions, ours);
  if (!ours.empty()) actions.push_back(Broadcast{std::move(ours)});
  return actions;
}

Actions Replica::evicted(const RelPath& path) {
  Actions actions;
  const IndexEntry* entry = index_.find(path);
  if (entry == nullptr) return actions;
  IndexEntry fresh = *entry;
  fresh.disk.reset();
  index_.put(path, fresh);
  actions.push_back(SaveEntry{path, std::move(fresh)});
  return actions;
}

// No file stands above them any more, nor is one on its way: live records below stand on no disk
// here, so they are published again.
void Replica::unshadow(const RelPath& path, Actions& actions, std::vector<Change>& ours) {
  const IndexEntry* here = index_.find(path);
  if (here != nullptr && is_leaf(here->record.content.kind)) return;  // it is a shadow itself
  std::vector<std::pair<RelPath, Wanted>> back;
  index_.visit_below(path, [&](const RelPath& below, const IndexEntry& entry) {
    const bool stands = entry.disk.has_value() || index_.is_shadowed(below);
    if (entry.record.is_live() && !stands && !wanted_.contains(below)) {
      back.emplace_back(below, Wanted{entry.record, entry.id, {}, {}, true});
    }
    return true;
  });
  for (auto& [below, wanted] : back)
    adjudicate(below, std::move(wanted), actions, ours);
}

}  // namespace dagsync
