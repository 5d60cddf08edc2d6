#include "dagsync/engine/publish/recovery.h"

#include <algorithm>
#include <set>

#include "dagsync/base/log.h"
#include "dagsync/core/index.h"
#include "dagsync/core/reconcile.h"
#include "dagsync/engine/observe/observer.h"

namespace dagsync {
namespace {

enum class Shows { kIntended, kOld, kTorn, kEdit };

// Whether what was seen is all of `content`, but for an owner that nobody has told.
bool shows(Disk& disk, const LookResult& look, const Content& content) {
  Content seen = look.seen.content;
  seen.owner = content.owner;
  const bool is_told = look.seen.disk && !content.owner->empty();
  if (is_told) seen.owner = disk.owner_of(look.seen.path, *look.seen.disk, content.owner).owner;
  return seen == content;
}

bool has_origin(const std::optional<IndexEntry>& entry, const Record& record) {
  return entry && entry->record.origin == record.origin;
}

// A power cut has undone the delete of what stood there before the delete, or before what was
// published where nothing stood.
bool is_back(const Intent& intent, const std::optional<IndexEntry>& row, const LookResult& look) {
  const Kind kind = look.seen.content.kind;
  const bool is_something = kind == Kind::kFile || kind == Kind::kSymlink;
  if (!is_something || !look.seen.disk) return false;
  if (intent.old && intent.old->record.is_live()) return false;
  const bool was_gone = intent.old && intent.old->disk;
  if (was_gone && has_come_back(*intent.old->disk, *look.seen.disk)) return true;
  const Record& intended = intent.intended.record;
  const bool was_published = has_origin(row, intended) && row->disk;
  return was_published && !same_bytes(look.seen.content, intended.content) &&
         has_come_back(*row->disk, *look.seen.disk);
}

// Nobody has changed since what the entry knows: at most a power cut took some of its bytes.
bool is_untouched(const IndexEntry& known, const LookResult& look) {
  return known.disk && look.seen.disk && known.disk->inode == look.seen.disk->inode &&
         known.disk->ctime == look.seen.disk->ctime;
}

// Other bytes than those of `content`, with its time: whoever had written them would mostly have
// given them another one.
bool is_half_of(const Content& seen, const Content& content) {
  return seen.kind == Kind::kFile && content.kind == Kind::kFile && seen.mtime == content.mtime &&
         !same_bytes(seen, content);
}

// A symlink that was made here has the time of that as its mtime until it gets its own, which
// nobody can sync. Any other was given to it by somebody.
bool shows_when_it_was_made(const LookResult& look) {
  constexpr Duration kMaking = std::chrono::seconds(1);
  if (look.seen.content.kind != Kind::kSymlink || !look.seen.disk) return false;
  return std::chrono::abs(look.seen.disk->ctime - look.seen.disk->mtime) <= kMaking;
}

Shows judge(Disk& disk, const Intent& intent, const std::optional<IndexEntry>& row,
            const LookResult& look, bool same_boot) {
  const Content& seen = look.seen.content;
  const Content& intended = intent.intended.record.content;
  const bool had_old = intent.old && intent.old->record.is_live();
  const Content old = had_old ? intent.old->record.content : Content{};
  if (look.outcome != LookResult::Outcome::kSeen) return Shows::kEdit;
  if (shows(disk, look, intended)) return Shows::kIntended;
  if (!same_boot && is_back(intent, row, look)) return Shows::kTorn;
  // A rename brings bytes and attributes together; where only these change, they do one by one.
  const bool attributes_only =
      (had_old && same_bytes(old, intended)) || shows_when_it_was_made(look);
  const bool kept_its_times = !same_boot && had_old && is_untouched(*intent.old, look);
  if (same_bytes(seen, intended) && !attributes_only)
    return kept_its_times ? Shows::kTorn : Shows::kEdit;
  if (same_bytes(seen, intended) || same_bytes(seen, old)) return Shows::kOld;
  // Half of what was published, now, or before and not synced yet.
  const bool is_torn = is_half_of(seen, intended) || is_half_of(seen, old) || kept_its_times;
  return is_torn ? Shows::kTorn : Shows::kEdit;
}

// A file that may not be read now is known by its size and mtime, should it be one of the two.
LookResult look_or_guess(Disk& disk, const Intent& intent, UnixNanos moment) {
  LookResult look = look_at(disk, {intent.path, std::nullopt, {}}, moment, false);
  if (look.outcome != LookResult::Outcome::kFailed) return look;
  const auto state = disk.stat(intent.path);
  if (!state || !*state) return look;
  look.seen.disk = **state;
  if ((*state)->type != FileType::kFile) return look;
  std::vector<Content> known{intent.intended.record.content};
  if (intent.old) known.push_back(intent.old->record.content);
  for (const Content& content : known) {
    const bool is_it = content.kind == Kind::kFile && content.size == (*state)->size &&
                       content.mtime == (*state)->mtime;
    if (!is_it) continue;
    look.outcome = LookResult::Outcome::kSeen;
    look.seen.content = content_of(**state);
    look.seen.content.size = content.size;
    look.seen.content.digest = content.digest;
    look.seen.disk->racy = true;  // to be read as soon as it may be
    break;
  }
  return look;
}

// The row may be older than the intent, too: rows are written in groups.
bool is_behind(const std::optional<IndexEntry>& row, const Intent& intent) {
  if (!intent.old) return false;
  return !row || !row->record.version.has_seen(intent.old->record.version);
}

// What was intended is durable, whatever a person made of it since; only the directories above may
// not have followed. Of what was to come again, knowledge says nothing.
bool is_settled(const Intent& intent, const std::optional<IndexEntry>& row,
                const Knowledge& durable) {
  return has_origin(row, intent.intended.record) && durable.covers(intent.intended.id) &&
         !has_origin(intent.old, intent.intended.record);
}

// An edit of this node, whose row is here: only where the machine went down, and that has undone
// the edit (or has left some of its bytes, with the times of before or its own), is the intent of
// use. Any other difference the comparison with the disk judges by the times in the row.
bool is_edit_to_compare(Disk& disk, const Intent& intent, const std::optional<IndexEntry>& row,
                        const LookResult& look, const NodeName& self, bool same_boot) {
  const Record& intended = intent.intended.record;
  const bool is_new = intent.old && !has_origin(intent.old, intended);
  const bool is_edit = is_new && intent.intended.id.author.node() == self;
  if (!is_edit || !has_origin(row, intended)) return false;
  const bool is_torn = is_half_of(look.seen.content, intended.content) && row->disk &&
                       look.seen.disk && has_come_back(*row->disk, *look.seen.disk);
  const bool is_undone =
      shows(disk, look, intent.old->record.content) || is_untouched(*intent.old, look) || is_torn;
  return same_boot || !is_undone;
}

// Another content was made of the path since: its row was written after all that the intent tells,
// and the comparison with the disk that follows needs no other.
bool has_moved_on(const Intent& intent, const std::optional<IndexEntry>& row) {
  if (!row || has_origin(row, intent.intended.record) || is_behind(row, intent)) return false;
  return !intent.old || !has_origin(row, intent.old->record);
}

IndexEntry intended_entry(const Intent& intent, std::optional<DiskState> disk) {
  IndexEntry entry{intent.intended.record, intent.intended.id, std::move(disk)};
  if (intent.old) entry.record = reconcile(intent.old->record, entry.record);
  // Others must hear of a merge, which only this node has made.
  if (entry.record != intent.intended.record) entry.id = {};
  return entry;
}

// The entry that agrees with what the disk shows; `row` is what the store has. Where that is not
// the intended record, the peers will send it again, since our knowledge does not have it.
std::optional<IndexEntry> entry_after(Disk& disk, const Intent& intent,
                                      const std::optional<IndexEntry>& row, Shows verdict,
                                      const LookResult& look) {
  if (verdict == Shows::kIntended) {
    const auto before = standing(intent.old ? &*intent.old : nullptr);
    return intended_entry(intent,
                          look.seen.disk ? *look.seen.disk : seen_gone(look.seen.moment, before));
  }
  if (verdict == Shows::kEdit) {
    // What a person put there since may have been made in sight of the intended content, and then
    // must not lose against it; nobody can tell, so it counts as made on top of it.
    const bool stands = look.outcome == LookResult::Outcome::kSeen || look.seen.disk.has_value();
    if (stands) return intended_entry(intent, std::nullopt);
    return is_behind(row, intent) ? intent.old : row;
  }
  const bool is_old = intent.old && has_origin(row, intent.old->record);
  std::optional<IndexEntry> entry = is_old ? row : intent.old;
  if (!entry || !entry->record.is_live()) return entry;
  entry->disk = look.seen.disk;
  // Not quite the old content: the comparison that follows must find that out.
  if (entry->disk && !shows(disk, look, entry->record.content)) entry->disk->racy = true;
  return entry;
}

bool is_absent(Disk& disk, const RelPath& path) {
  const auto now = disk.stat(path);
  return now && !*now;
}

// The record is true, but nothing of it stands on the disk.
void note_unpublished(const RelPath& path, Index& index, Transaction& writes) {
  IndexEntry entry = *index.find(path);
  entry.disk.reset();
  writes.writes.push_back(Transaction::PutEntry{path, entry});
  index.put(path, std::move(entry));
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

// A torn write under a new name, or what a power cut has brought back there, has no record that
// could say it is no edit. So it goes, until the intended content comes again, and is kept, should
// somebody have written it after all.
void take_away_torn(Disk& disk, const Intent& intent, const LookResult& look, FolderImage& image,
                    Transaction& writes) {
  const bool is_new_name = !intent.old || !intent.old->record.is_live();
  if (!is_new_name) return;
  KeptVersion torn;
  torn.id.value = fmt::format("{:016x}-{}", look.seen.moment.value,
                              to_hex(digest_of(intent.path.bytes())).substr(0, 8));
  torn.path = intent.path;
  torn.content = look.seen.content;
  torn.origin = intent.intended.record.origin.author.node();
  torn.kept_at = look.seen.moment;
  const auto removed = disk.remove(intent.path, *look.seen.disk, torn.id);
  if (!removed || !removed->kept) return;
  image.kept.push_back(torn);
  writes.writes.push_back(Transaction::PutKept{std::move(torn)});
}

// Before a file takes the place of a directory, what stands below is put aside, though its records
// stay: nobody's delete. Where the row is behind, such a file may have come and gone since.
void note_evicted(Disk& disk, const Intent& intent, const std::optional<IndexEntry>& row,
                  Index& index, Transaction& writes) {
  const Kind kind = intent.intended.record.content.kind;
  const bool came_and_went =
      is_behind(row, intent) && intent.old->record.content.kind != Kind::kDirectory;
  if (kind != Kind::kFile && kind != Kind::kSymlink && !came_and_went) return;
  std::vector<RelPath> evicted;
  index.visit_below(intent.path, [&](const RelPath& path, const IndexEntry& entry) {
    const bool is_missing = entry.record.is_live() && entry.disk && is_absent(disk, path);
    if (is_missing) evicted.push_back(path);
    return true;
  });
  for (const RelPath& path : evicted)
    note_unpublished(path, index, writes);
}

bool has_standing_below(const Index& index, const RelPath& directory) {
  bool stands = false;
  index.visit_below(directory, [&](const RelPath&, const IndexEntry& entry) {
    stands = entry.record.is_live() && entry.disk;
    return !stands;
  });
  return stands;
}

// A directory that stands for what is below it, without a record of its own, and was to give way.
bool is_implied(const Intent& intent, const LookResult& look, const Index& index) {
  const bool had_old = intent.old && intent.old->record.is_live();
  const bool is_directory = look.seen.disk && look.seen.disk->type == FileType::kDirectory;
  return !had_old && is_directory && has_standing_below(index, intent.path);
}

// Directories are made for what is being published below them, and go when it was the last. Nobody
// made or deleted those that the stop left without their rows, or without their use.
void settle_directories_above(Disk& disk, const Disk::Disposable& disposable,
                              const RelPath& intended, Index& index, Transaction& writes) {
  for (RelPath above = intended.parent(); !above.is_root(); above = above.parent()) {
    if (has_standing_below(index, above)) return;
    const IndexEntry* entry = index.find(above);
    const bool is_directory = entry != nullptr && entry->record.content.kind == Kind::kDirectory;
    if (entry == nullptr || !entry->record.is_live()) {
      (void)disk.remove_directory(above, disposable);  // it is nobody's, or not empty
    } else if (is_directory && entry->disk && is_absent(disk, above)) {
      note_unpublished(above, index, writes);
    }
  }
}

}  // namespace

Recovered recover(Disk& disk, const Disk::Disposable& disposable, FolderImage& image,
                  UnixNanos moment) {
  Recovered recovered;
  if (image.intents.empty()) return recovered;
  Transaction& writes = recovered.writes;
  std::set<KeptId> files;
  if (const auto listed = disk.list_kept()) files = {listed->begin(), listed->end()};
  const std::string boot = disk.boot();
  const bool same_boot = !boot.empty() && boot == image.meta.boot;
  Index index;
  for (auto& [path, entry] : image.entries)
    index.put(path, std::move(entry));
  for (const Intent& intent : image.intents) {
    const LookResult look = look_or_guess(disk, intent, moment);
    std::optional<IndexEntry> row;
    if (const IndexEntry* found = index.find(intent.path)) row = *found;
    Shows verdict = judge(disk, intent, row, look, same_boot);
    if (verdict == Shows::kEdit && is_implied(intent, look, index)) verdict = Shows::kOld;
    std::optional<IndexEntry> entry = row;
    const bool is_over =
        has_moved_on(intent, row) || is_settled(intent, row, image.meta.knowledge) ||
        is_edit_to_compare(disk, intent, row, look, image.meta.author.node(), same_boot);
    // A failing disk does not say what stands there, or whether anything does.
    const bool is_unknown = !is_over && look.outcome == LookResult::Outcome::kFailed;
    if (!is_over && !is_unknown) {
      if (verdict == Shows::kTorn) take_away_torn(disk, intent, look, image, writes);
      entry = entry_after(disk, intent, row, verdict, look);
    }
    if (entry) {
      index.put(intent.path, *entry);
      writes.writes.push_back(Transaction::PutEntry{intent.path, *entry});
    } else {
      index.drop(intent.path);
      writes.writes.push_back(Transaction::DropEntry{intent.path});
    }
    note_evicted(disk, intent, row, index, writes);
    adopt_kept(intent, files, image, writes);
    // Until the path shows what its row says, the next start must know that this is no edit.
    const bool is_doubtful = !is_over && verdict != Shows::kEdit && entry &&
                             entry->record.is_live() && !shows(disk, look, entry->record.content);
    if (is_doubtful || is_unknown) {
      recovered.doubtful.push_back(intent.path);
    } else {
      writes.writes.push_back(Transaction::ClearIntent{intent.path});
    }
  }
  for (const Intent& intent : image.intents)
    settle_directories_above(disk, disposable, intent.path, index, writes);
  // The intents go with these writes, and nobody else syncs what the last run did.
  recovered.synced = disk.sync_all();
  log::info("{} path(s) were being published at the last stop: checked", image.intents.size());
  image.intents.clear();
  image.entries.assign(index.entries().begin(), index.entries().end());
  return recovered;
}

}  // namespace dagsync
