// The looks of a round, until all that it found has been looked at once.
#include <algorithm>
#include <utility>

#include "intake_round.h"

namespace dagsync {

std::vector<LookAt> Intake::first_looks(Round& round, const std::vector<RelPath>& paths) {
  std::vector<LookAt> looks;
  for (const RelPath& path : paths) {
    if (!path.is_root() && round.looked.insert(path).second) {
      looks.push_back(known_of(round, path));
    }
  }
  return looks;
}

// A directory that was made anew is watched since its scan alone: what changed below it between its
// look and that is hinted by nobody.
std::vector<LookAt> Intake::second_looks(const Round& round, const std::set<RelPath>& scanned) {
  std::vector<LookAt> looks;
  for (const Observation& seen : round.batch.seen) {
    RelPath above = seen.path;
    do
      above = above.parent();
    while (!above.is_root() && !scanned.contains(above));
    if (above.is_root()) continue;
    LookAt look = known_of(round, seen.path);
    look.again = true;
    look.before = seen.disk;
    looks.push_back(std::move(look));
  }
  return looks;
}

LookAt Intake::known_of(const Round& round, const RelPath& path) {
  LookAt look;
  look.path = path;
  look.sign = !round.whole;
  look.suspect = suspects_.contains(path);
  const IndexEntry* entry = index_.find(path);
  if (entry != nullptr) look.known_state = entry->disk;
  if (entry != nullptr && entry->record.is_live()) {
    look.known = entry->record.content;
    look.signature = signatures_.find(look.known.digest);
    look.blocks = blocks_.find(look.known.digest);
  }
  return look;
}

void Intake::look(const std::shared_ptr<Round>& round, std::vector<LookAt> at) {
  if (at.empty()) {
    conclude(round);
    return;
  }
  in_hand_ = round->looked.size();
  const bool keep = round->kept_bytes < Round::kKeptBytesMost;
  observer_.look(std::move(at), round->moment, keep, [this, round](std::vector<LookResult> looks) {
    std::set<RelPath> directories = sort_looks(*round, std::move(looks));
    if (directories.empty()) {
      conclude(round);
      return;
    }
    scanner_.scan({directories.begin(), directories.end()},
                  [this, round, directories](Scanner::Found found) {
                    scanned(round, directories, std::move(found));
                  });
  });
}

void Intake::scanned(const std::shared_ptr<Round>& round, const std::set<RelPath>& directories,
                     Scanner::Found found) {
  auto& troubles = round->batch.troubles;
  unlisted_.insert(found.unlisted.begin(), found.unlisted.end());
  troubles.insert(troubles.end(), found.troubles.begin(), found.troubles.end());
  for (const RelPath& path : found.halted) {
    troubles.push_back({path,
                        "another file system is mounted here: neither it nor what it hides is "
                        "replicated; unmount it, or give it a [[folder]] of its own"});
  }
  if (round->whole) unwatched_.clear();
  unwatched_.insert(found.unwatched.begin(), found.unwatched.end());
  if (!unwatched_.empty() && poll_timer_ == TimerId{}) {
    poll_timer_ = clock_.after(Round::kPollInterval, [this] { poll_unwatched(); });
  }
  std::vector<RelPath> paths = std::move(found.differing);
  if (round->whole) paths.insert(paths.end(), round->hinted.begin(), round->hinted.end());
  std::vector<LookAt> looks = first_looks(*round, paths);
  std::vector<LookAt> again = second_looks(*round, directories);
  looks.insert(looks.end(), std::make_move_iterator(again.begin()),
               std::make_move_iterator(again.end()));
  look(round, std::move(looks));
}

// Sorts the looks into the batch, and returns the directories to be scanned: those that were hinted
// at, for they may be new ones.
std::set<RelPath> Intake::sort_looks(Round& round, std::vector<LookResult> looks) {
  forget_what_changed(round, looks);
  std::set<RelPath> directories;
  for (LookResult& look : looks) {
    if (look.outcome == LookResult::Outcome::kSame) continue;
    const RelPath& path = look.seen.path;
    open_.erase(path);
    failed_.erase(path);
    const bool is_file = look.seen.disk && look.seen.disk->type == FileType::kFile;
    if (look.degraded) {
      unleased_.insert(path);
    } else if (look.asked || !is_file) {
      unleased_.erase(path);
    }
    switch (look.outcome) {
      case LookResult::Outcome::kOpen:
        open_.insert(path);
        watch_open();
        continue;
      case LookResult::Outcome::kMoving:
        settler_.add(path, clock_.mono());
        continue;
      case LookResult::Outcome::kFailed:
        round.batch.troubles.push_back({path, look.error});
        failed_.insert(path);
        continue;
      case LookResult::Outcome::kSpecial:
        round.batch.troubles.push_back(
            {path, "a socket, device or FIFO is not replicated: ignore it, or remove it"});
        look.seen.content = {};
        look.seen.disk.reset();
        break;
      case LookResult::Outcome::kSame:
      case LookResult::Outcome::kSeen:
        break;
    }
    const bool is_directory = look.seen.content.kind == Kind::kDirectory;
    // Of what is gone only the index knows whether it was a directory.
    const IndexEntry* known = index_.find(path);
    const bool was_directory = look.seen.content.kind == Kind::kTombstone && known != nullptr &&
                               known->record.content.kind == Kind::kDirectory;
    if (rules_.ignores(path, is_directory || was_directory)) continue;
    if (look.seen.disk && !is_directory && look.seen.disk->links > 1) {
      round.linked.insert(look.seen.disk->inode);
    }
    const bool hinted = round.hinted.contains(path);
    if (is_directory && hinted && !round.whole && !look.again) directories.insert(path);
    if (look.seen.content.kind == Kind::kTombstone && !hinted) look.seen.moment = round.gone_since;
    // With the round's, a file written since would get a stamp before its mtime; seen anew after a
    // power cut it would get a later one, and return over what had replaced it.
    if (look.seen.disk) look.seen.moment = clock_.now();
    const Digest digest = look.seen.content.digest;
    if (!look.signature.empty()) signatures_.put(digest, std::move(look.signature));
    if (look.blocks) blocks_.put(digest, std::move(look.blocks));
    const IndexEntry* entry = index_.find(path);
    if (!look.delta.empty() && entry != nullptr) {
      round.batch.deltas[digest] = {entry->record.content.digest, std::move(look.delta)};
    }
    if (look.bytes) {
      round.kept_bytes += look.bytes->size();
      round.batch.bytes.emplace(look.seen.content.digest, std::move(look.bytes));
    }
    round.batch.seen.push_back(std::move(look.seen));
  }
  return directories;
}

void Intake::forget_what_changed(Round& round, const std::vector<LookResult>& looks) {
  std::set<RelPath> changed;
  for (const LookResult& look : looks)
    if (look.again && look.outcome != LookResult::Outcome::kSame) changed.insert(look.seen.path);
  if (changed.empty()) return;
  std::erase_if(round.batch.seen,
                [&](const Observation& seen) { return changed.contains(seen.path); });
}

// A write through one hard link is a change of each name, but hinted for that one alone.
std::vector<RelPath> Intake::other_names(Round& round) const {
  std::vector<RelPath> names;
  const auto inodes = std::exchange(round.linked, {});
  if (inodes.empty() || round.whole) return names;
  for (const auto& [path, entry] : index_.entries()) {
    const bool same = entry.disk && inodes.contains(entry.disk->inode);
    if (same && !round.looked.contains(path)) names.push_back(path);
  }
  return names;
}

// Before a delete is believed: is this still our folder?
void Intake::conclude(const std::shared_ptr<Round>& round) {
  if (auto looks = first_looks(*round, other_names(*round)); !looks.empty()) {
    look(round, std::move(looks));
    return;
  }
  expand_absences(*round);
  const bool deletes =
      std::any_of(round->batch.seen.begin(), round->batch.seen.end(),
                  [](const Observation& seen) { return seen.content.kind == Kind::kTombstone; });
  if (!deletes) {
    deliver(round);
    return;
  }
  check_root([this, round](const std::optional<Error>& lost) {
    if (lost) {
      hooks_.root_lost(lost->message);
      round->batch = {};
    }
    deliver(round);
  });
}

// Where a directory is gone, or is none any more, everything below it is gone too.
void Intake::expand_absences(Round& round) {
  std::vector<Observation> below;
  for (const Observation& seen : round.batch.seen) {
    if (seen.content.kind == Kind::kDirectory) continue;
    index_.visit_below(seen.path, [&](const RelPath& path, const IndexEntry& entry) {
      const bool ignored = rules_.ignores(path, entry.record.content.kind == Kind::kDirectory);
      if (entry.record.is_live() && !ignored && round.looked.insert(path).second) {
        below.push_back({path, {}, std::nullopt, std::min(seen.moment, round.moment)});
      }
      return true;
    });
  }
  auto& all = round.batch.seen;
  all.insert(all.end(), std::make_move_iterator(below.begin()),
             std::make_move_iterator(below.end()));
}

}  // namespace dagsync
