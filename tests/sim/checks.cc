// What must hold at every step, and what must hold at the end.
#include <algorithm>

#include "dagsync/base/log.h"
#include "dagsync/core/reconcile.h"
#include "world.h"

namespace dagsync::sim {
namespace {

constexpr std::size_t kMostEvents = 3000;  // of one daemon, that wait
constexpr std::size_t kMostJobs = 500;
constexpr std::size_t kMostQueued = 4
                                    << 20;  // bytes that were sent, and nobody takes; of all links
constexpr Duration kMemoryOfTrouble = std::chrono::seconds(12);

bool is_ignored(const RelPath& path) {
  static const IgnoreRules rules;
  return rules.ignores(path, false);
}

std::string describe(const Content& content) {
  switch (content.kind) {
    case Kind::kTombstone:
      return "nothing";
    case Kind::kDirectory:
      return fmt::format("a directory {:o}", content.mode);
    case Kind::kFile:
      return fmt::format("{} bytes {} {:o} mtime {}", content.size,
                         to_hex(content.digest).substr(0, 8), content.mode, content.mtime.value);
    case Kind::kSymlink:
      return "a symlink to " + *content.target;
  }
  return "";
}

}  // namespace

// -- at every step --------------------------------------------------------------------------------

void World::check_commit(const Machine& machine, const Transaction& transaction) {
  std::set<RelPath> recovered;
  for (const Transaction::Write& write : transaction.writes) {
    if (const auto* clear = std::get_if<Transaction::ClearIntent>(&write))
      recovered.insert(clear->path);
  }
  const auto& rows = machine.store.rows().entries;
  std::map<RelPath, const Record*> written;  // by this transaction, so far
  for (const Transaction::Write& write : transaction.writes) {
    const auto* put = std::get_if<Transaction::PutEntry>(&write);
    if (put != nullptr) {
      const bool is_in_doubt =
          !machine.is_ready() && machine.store.rows().intents.contains(put->path);
      const auto row = rows.find(put->path);
      const Record* stored = row == rows.end() ? nullptr : &row->second.record;
      const Record*& old = written.try_emplace(put->path, stored).first->second;
      check_entry(machine, put->path, old, put->entry,
                  is_in_doubt || recovered.contains(put->path));
      old = &put->entry.record;
    } else if (const auto* intent = std::get_if<Transaction::PutIntent>(&write)) {
      tell(machine.name, intent->intent.path,
           "intends " + describe(intent->intent.intended.record.content));
    } else if (const auto* kept = std::get_if<Transaction::PutKept>(&write)) {
      tell(machine.name, kept->version.path,
           "keeps " + kept->version.id.value + " " + describe(kept->version.content));
    }
  }
}

void World::check_entry(const Machine& machine, const RelPath& path, const Record* old,
                        const IndexEntry& entry, bool recovering) {
  const Record& record = entry.record;
  if (old != nullptr && *old == record) return;
  tell(machine.name, path,
       fmt::format("row: {} by {}:{} stamp {}", describe(record.content),
                   record.origin.author.node().value, record.origin.sequence, record.stamp.value));
  if (old != nullptr && !recovering) {
    if (!record.version.has_seen(old->version))
      fail(machine.name + " replaced a record by one that has not seen it", path);
    if (compare_age(record, *old) < 0)
      fail(machine.name + " replaced a record by an older one", path);
  }
  people_.published(machine.name, path, record);
  last_rows_[{&machine, path}] = record.origin;
  const bool is_own = record.origin.author.node().value == machine.name;
  if (!is_own || record.origin != entry.id || !authored_.insert(record.origin).second) return;
  // A delete that only joins what it replaced is told once more.
  if (old != nullptr && !old->is_live() && !record.is_live()) return;
  // A directory that an end kept from being removed is taken for a person's: harmless.
  const bool is_leftover =
      record.content.kind == Kind::kDirectory && last_trouble_.contains(&machine);
  // Or one that somebody made elsewhere, which stands already for what is below it.
  const bool is_coming = [&] {
    if (record.content.kind != Kind::kDirectory || !machine.is_ready()) return false;
    const auto& wanted = machine.folder().replica().wanted();
    const auto it = wanted.find(path);
    return it != wanted.end() && it->second.record.content.kind == Kind::kDirectory;
  }();
  // Or one that lost all that implied it, while somebody put something else there.
  const bool is_filled = record.content.kind == Kind::kDirectory && [&] {
    const Tree tree = tree_of(machine);
    return std::any_of(tree.begin(), tree.end(), [&](const auto& standing) {
      if (!standing.first.is_below(path)) return false;
      const Inode inode = machine.files.walk(machine.root(), standing.first.bytes());
      return machine.files.has_writer(inode) ||
             people_.made_here(machine.name, standing.first, standing.second);
    });
  }();
  // Given up, since a power cut took the last of it, or all but a part.
  const bool is_given_up = old != nullptr && [&] {
    const Version before = people_.version(machine.name, path, old->content);
    if (!record.is_live()) return people_.is_forgiven(before);
    return torn_.contains({&machine, people_.version(machine.name, path, record.content)}) &&
           !is_held(before, path, old->content, nullptr);
  }();
  if (!is_leftover && !is_coming && !is_filled && !is_given_up &&
      !people_.made_here(machine.name, path, record.content) && !is_ignored(path))
    fail(machine.name + " told of a change that nobody made there: " + describe(record.content),
         path);
  if (is_given_up && record.is_live()) people_.adopt(machine.name, path, record.content);
  people_.authored(machine.name, path, record);
}

void World::check_published(const Machine& machine, const RelPath& path, Inode old, Inode now) {
  const Content content = now == 0 ? Content{} : content_of(machine, now);
  if (now != 0 && machine.files.at(now).links > 1) moved_.insert({&machine, now});
  // Into a directory that somebody moved in the same moment: it goes with it, like what he moved.
  if (now != 0 && machine.files.walk(machine.root(), path.bytes()) != now) {
    for (const auto& [where, standing] : tree_of(machine)) {
      if (machine.files.walk(machine.root(), where.bytes()) == now)
        people_.adopt(machine.name, where, standing);
    }
  }
  tell(machine.name, path,
       fmt::format("publishes {} over {}", describe(content),
                   old == 0 ? "nothing" : describe(content_of(machine, old))));
  if (path.name().starts_with(".dagsync-"))
    fail(machine.name + " shows a name of its own in the folder", path);
  if (content.kind == Kind::kFile && !people_.somebody_wrote(content.digest))
    fail(machine.name + " published a content that nobody wrote: " + describe(content), path);
}

// A name goes: its content must be left somewhere, unless nobody wrote it.
void World::check_discarded(const Machine& machine, Inode inode) {
  const Content content = content_of(machine, inode);
  if (content.kind != Kind::kFile || !people_.somebody_wrote(content.digest)) return;
  if (content.size == 0) return;  // nothing is lost with it
  if (machine.files.at(inode).links > 1) return;
  // A file that was moved: somebody replaced it under its new name meanwhile.
  if (moved_.contains({&machine, inode})) return;
  const auto is_copy = [&](Inode other) {
    return other != inode && machine.files.at(other).type == FileType::kFile &&
           content_of(machine, other).digest == content.digest;
  };
  for (const auto& [path, standing] : tree_of(machine)) {
    if (standing.kind == Kind::kFile && standing.digest == content.digest) return;
  }
  const Inode versions = machine.files.walk(FileSystem::kTop, "state/versions");
  for (const auto& [name, kept] : machine.files.at(versions).names) {
    if (is_copy(kept)) return;
  }
  fail(machine.name + " threw away the last copy of a content: " + describe(content));
}

void World::check_bounds(Machine& machine) {
  if (!machine.runs()) return;
  if (machine.events_waiting() > kMostEvents) fail(machine.name + ": too many timers and jobs");
  if (machine.jobs_waiting() > kMostJobs) fail(machine.name + ": too many jobs wait");
  if (network_.queued_bytes() > kMostQueued) fail("too much waits for peers that do not take it");
}

// A daemon that says "in sync" must be right, as far as it can know.
void World::check_truth(Machine& machine, bool drained) {
  if (!machine.is_ready() || machine.ended() || violation_) return;
  if (!machine.node().in_sync()) return;
  const Index& index = machine.folder().replica().index();
  for (auto& other : machines_) {
    if (other.get() == &machine || !other->is_ready() || other->ended()) continue;
    const auto trouble = last_trouble_.find(other.get());
    if (trouble != last_trouble_.end() && events_.now() - trouble->second < kMemoryOfTrouble)
      continue;
    const Index& theirs = other->folder().replica().index();
    for (const auto& [path, entry] : index.entries()) {
      const IndexEntry* their_entry = theirs.find(path);
      if (their_entry == nullptr && !entry.record.is_live()) continue;
      if (their_entry != nullptr && their_entry->record.version.has_seen(entry.record.version))
        continue;
      fail(machine.name + " says in sync, but " + other->name + " does not have its version, " +
               describe(entry.record.content) + "; " + what_it_says(*other),
           path);
      return;
    }
  }
  if (!drained) return;
  for (const auto& [path, content] : tree_of(machine)) {
    const Inode inode = machine.files.walk(machine.root(), path.bytes());
    if (is_ignored(path) || machine.files.has_writer(inode)) continue;
    if (content.kind == Kind::kDirectory) continue;
    if (index.expected_at(path) == content) continue;
    fail(machine.name +
             " says in sync, but its disk shows what its index has not: " + describe(content),
         path);
    return;
  }
}

// -- at the end -----------------------------------------------------------------------------------

std::string World::differences() {
  Tree first = tree_of(*machines_.front());
  std::erase_if(first, [](const auto& entry) { return is_ignored(entry.first); });
  for (std::size_t i = 1; i < machines_.size(); ++i) {
    Tree other = tree_of(*machines_[i]);
    std::erase_if(other, [](const auto& entry) { return is_ignored(entry.first); });
    for (const Tree* one : {&first, &other}) {
      const Tree& two = one == &first ? other : first;
      for (const auto& [path, content] : *one) {
        const auto it = two.find(path);
        const bool same = it != two.end() && it->second == content;
        // One that nobody told of, but for what stands in it, has the mode that it was given here.
        const auto row = machines_[i]->store.rows().entries.find(path);
        const bool is_told =
            row != machines_[i]->store.rows().entries.end() && row->second.record.is_live();
        const bool are_implied = !is_told && it != two.end() && content.kind == Kind::kDirectory &&
                                 it->second.kind == Kind::kDirectory;
        if (same || are_implied) continue;
        return fmt::format("{}: {} has {}, {} has {}", display(path), machines_.front()->name,
                           describe(content_at(*machines_.front(), path)), machines_[i]->name,
                           describe(content_at(*machines_[i], path)));
      }
    }
  }
  return "";
}

bool World::has_copy(const Machine& machine, Inode inode) {
  const Content content = content_of(machine, inode);
  for (const auto& [path, standing] : tree_of(machine)) {
    if (same_bytes(standing, content)) return true;
  }
  for (const auto& [id, version] : machine.store.rows().kept) {
    if (same_bytes(version.content, content)) return true;
  }
  return false;
}

bool World::is_held(const Version& version, const RelPath& path, const Content& content,
                    const Machine* but) {
  return std::any_of(machines_.begin(), machines_.end(), [&](const auto& machine) {
    if (content.kind == Kind::kTombstone) {
      return machine.get() != but && content_at(*machine, path).kind == Kind::kTombstone &&
             people_.version(machine->name, path, content) == version;
    }
    if (machine.get() != but && content_at(*machine, path) == content) return true;
    const Inode versions = machine->files.walk(FileSystem::kTop, "state/versions");
    if (versions == 0) return false;
    for (const auto& [name, kept] : machine->files.at(versions).names) {
      const Content of_kept = content_of(*machine, kept);
      if (same_bytes(of_kept, content)) return true;
    }
    return false;
  });
}

// Its bytes may be elsewhere by chance, as those of another file.
bool World::is_known_elsewhere(const Machine& machine, const RelPath& path, const Record& record) {
  return std::any_of(machines_.begin(), machines_.end(), [&](const auto& other) {
    if (other.get() == &machine) return false;
    if (content_at(*other, path) == record.content) return true;  // its row is on its way
    const auto& rows = other->store.rows().entries;
    const auto row = rows.find(path);
    return row != rows.end() && row->second.record.version.has_seen(record.version);
  });
}

void World::check_end() {
  for (auto& machine : machines_) {
    const FolderStatus status = machine->folder().status();
    if (status.state != FolderState::kIdle || status.pending_changes > 0 || !status.errors.empty())
      fail(machine->name + ": its status is not that of a folder in sync: " +
           (status.errors.empty() ? status.state_reason : status.errors.front().error));
    check_truth(*machine, true);
    const Inode staging = machine->files.walk(FileSystem::kTop, "state/staging");
    for (const auto& [name, inode] : machine->files.at(staging).names) {
      // A directory that a power cut took back out of the folder, with what was saved into it
      // there.
      if (!machine->files.at(inode).names.empty()) continue;
      fail(machine->name + ": something is left in the staging area: " + name);
    }
    std::set<std::string> listed;
    for (const auto& [id, version] : machine->store.rows().kept)
      listed.insert(id.value);
    const Inode versions = machine->files.walk(FileSystem::kTop, "state/versions");
    const auto& names = machine->files.at(versions).names;
    for (const auto& [name, inode] : names) {
      // What was only on its way out, and not to be kept, says not where it stood.
      if (!names.contains(name + ".of")) continue;
      // A second copy of what a power cut left in our hands is nobody's loss.
      if (!listed.contains(name) && !has_copy(*machine, inode))
        fail(machine->name + ": a kept version is not in the catalogue: " + name + ", " +
             describe(content_of(*machine, inode)));
    }
  }
  for (const auto& [path, content] : tree_of(*machines_.front())) {
    if (content.kind == Kind::kDirectory || is_ignored(path)) continue;
    const Version version = people_.version(machines_.front()->name, path, content);
    if (people_.was_replaced(version) && !people_.is_of_several(version, path))
      fail("a version that was replaced has returned: " + describe(content), path);
  }
  for (const auto& [version, told] : people_.told()) {
    const RelPath& path = told.path;
    const Content& content = told.record.content;
    if (content.kind != Kind::kFile || people_.is_forgiven(version)) continue;
    if (people_.was_overwritten_by_a_person(version) || is_held(version, path, content, nullptr))
      continue;
    if (people_.were_overwritten(path, content.digest)) continue;
    const bool elsewhere = std::any_of(machines_.begin(), machines_.end(), [&](auto& machine) {
      for (const auto& [at, standing] : tree_of(*machine))
        if (same_bytes(standing, content)) return true;
      return false;
    });
    if (!elsewhere) fail("a content is lost: " + describe(content), path);
  }
}

}  // namespace dagsync::sim
