#include "dagsync/engine/recovery.h"

#include <algorithm>
#include <map>
#include <set>

#include "dagsync/base/log.h"
#include "dagsync/core/reconcile.h"
#include "dagsync/engine/observer.h"

namespace dagsync {
namespace {

enum class Shows { kIntended, kOld, kTorn, kEdit };

Shows judge(const Intent& intent, const LookResult& look) {
  const Content& seen = look.seen.content;
  const Content& intended = intent.intended.record.content;
  const bool had_old = intent.old && intent.old->record.is_live();
  const Content old = had_old ? intent.old->record.content : Content{};
  if (look.outcome != LookResult::Outcome::kSeen) return Shows::kEdit;
  if (seen == intended) return Shows::kIntended;
  // The bytes of one of the two, with attributes that were not all set yet.
  if (same_bytes(seen, intended) || same_bytes(seen, old)) return Shows::kOld;
  const bool torn =
      seen.kind == Kind::kFile && intended.kind == Kind::kFile && seen.mtime == intended.mtime;
  return torn ? Shows::kTorn : Shows::kEdit;
}

// The entry that agrees with what the disk shows. Where that is not the intended record, the peers
// will send it again, since our knowledge does not have it.
std::optional<IndexEntry> entry_after(const Intent& intent, Shows shows, const LookResult& look) {
  if (shows == Shows::kIntended) {
    Record record = intent.intended.record;
    if (intent.old) record = reconcile(intent.old->record, record);
    return IndexEntry{std::move(record), intent.intended.id, look.seen.disk};
  }
  std::optional<IndexEntry> entry = intent.old;
  if (entry && entry->record.is_live() && shows != Shows::kEdit) entry->disk = look.seen.disk;
  return entry;
}

void adopt_kept(const Intent& intent, const std::set<KeptId>& files, FolderImage& image,
                Transaction& writes) {
  if (!intent.kept || !files.contains(intent.kept->id)) return;
  const bool known = std::any_of(image.kept.begin(), image.kept.end(),
                                 [&](const auto& kept) { return kept.id == intent.kept->id; });
  if (known) return;
  image.kept.push_back(*intent.kept);
  writes.writes.push_back(Transaction::PutKept{*intent.kept});
}

// A torn write under a new name has no record that could say it is no edit. So it goes, until the
// intended content comes again, and is kept, should somebody have written it after all.
void take_away_torn(Disk& disk, const Intent& intent, const LookResult& look, FolderImage& image,
                    Transaction& writes) {
  const bool is_new_name = !intent.old || !intent.old->record.is_live();
  if (!is_new_name) return;
  KeptVersion torn;
  torn.id.value = fmt::format("{:016x}-{}", look.seen.moment.value,
                              to_hex(digest_of(intent.path.bytes())).substr(0, 8));
  torn.path = intent.path;
  torn.content = look.seen.content;
  torn.origin = intent.intended.record.origin.author.node;
  torn.kept_at = look.seen.moment;
  const auto removed = disk.remove(intent.path, *look.seen.disk, torn.id);
  if (!removed || !removed->kept) return;
  image.kept.push_back(torn);
  writes.writes.push_back(Transaction::PutKept{std::move(torn)});
}

}  // namespace

Transaction recover(Disk& disk, FolderImage& image, UnixNanos moment) {
  Transaction writes;
  if (image.intents.empty()) return writes;
  std::set<KeptId> files;
  if (const auto listed = disk.list_kept()) files = {listed->begin(), listed->end()};
  std::map<RelPath, IndexEntry> entries(std::make_move_iterator(image.entries.begin()),
                                        std::make_move_iterator(image.entries.end()));
  for (const Intent& intent : image.intents) {
    const LookResult look = look_at(disk, {intent.path, std::nullopt, {}}, moment, false);
    const Shows shows = judge(intent, look);
    if (shows == Shows::kTorn) take_away_torn(disk, intent, look, image, writes);
    const std::optional<IndexEntry> entry = entry_after(intent, shows, look);
    // Without a change's own id (a merge that was not saved) the old record must do.
    const bool usable = entry && entry->id.sequence != 0;
    if (usable) {
      entries[intent.path] = *entry;
      writes.writes.push_back(Transaction::PutEntry{intent.path, *entry});
    } else {
      entries.erase(intent.path);
      writes.writes.push_back(Transaction::DropEntry{intent.path});
    }
    adopt_kept(intent, files, image, writes);
    writes.writes.push_back(Transaction::ClearIntent{intent.path});
  }
  log::info("{} path(s) were being published at the last stop: checked", image.intents.size());
  image.intents.clear();
  image.entries.assign(std::make_move_iterator(entries.begin()),
                       std::make_move_iterator(entries.end()));
  return writes;
}

}  // namespace dagsync
