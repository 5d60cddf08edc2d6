// What a die says: somebody works, or something goes wrong.
#include <algorithm>

#include "dagsync/base/log.h"
#include "sim_disk_parts.h"
#include "world.h"

namespace dagsync::sim {

void World::act() {
  Machine& machine = *machines_[dice_.index(machines_.size())];
  if (dice_.chance(0.6)) {
    someone_edits(machine);
  } else {
    fault();
  }
}

void World::boot(Machine& machine) {
  std::vector<PeerConfig> peers;
  for (const auto& other : machines_) {
    if (other.get() == &machine) continue;
    peers.push_back({NodeName{other->name}, {other->name + ":7411"}, true, true});
  }
  tell(machine.name, RelPath(), "the daemon is started");
  machine.boot(config_, peers, hooks_of(machine));
}

void World::boot_later(Machine& machine, Duration pause) {
  events_.after(pause, nullptr, [this, &machine] {
    if (machine.wants_to_run && !machine.runs() && !machine.ended()) boot(machine);
  });
}

void World::died(Machine& machine, End how) {
  last_trouble_[&machine] = events_.now();
  machine.bury();
  tell(machine.name, RelPath(), how == End::kKilled ? "the daemon is killed" : "a power cut");
  if (how == End::kPowerCut) {
    for (const auto& task : tasks_[&machine])
      task->steps.clear();
    tasks_[&machine].clear();
    const Tree before = tree_of(machine);
    const auto kept = unsynced_kept(machine);
    machine.files.power_cut(dice_);
    machine.store.power_cut(dice_);
    people_.rows_went_back(machine.name);
    after_power_cut(machine, before);
    forgive_kept(machine, kept);
    adopt_flux(machine);
  }
  if (machine.loses != Machine::Loss::kNone) lose(machine);
  boot_later(machine, dice_.between(std::chrono::milliseconds(50), std::chrono::seconds(3)));
}

// What was being written is what a person left there.
void World::adopt_flux(Machine& machine) {
  for (auto it = flux_.begin(); it != flux_.end();) {
    if (it->first.first != &machine) {
      ++it;
      continue;
    }
    const RelPath& path = it->second.path;
    // Opening it has truncated what stood there.
    const Version& before = it->second.before;
    const bool stands = people_.version(machine.name, path, content_at(machine, path)) == before;
    if (!stands && people_.told().contains(before)) people_.forgive(before);
    people_.adopt(machine.name, path, content_at(machine, path));
    for (const auto& [name, content] : tree_of(machine)) {
      const bool is_it = machine.files.walk(machine.root(), name.bytes()) == it->first.second;
      if (is_it) people_.adopt(machine.name, name, content);
    }
    it = flux_.erase(it);
  }
}

// Somebody wrote over a file in place, as many bytes as it had, while no daemon ran; and the power
// cut left the bytes and took the times. Only reading every file finds that, as `verify` does.
void World::touch_what_nobody_could_see(Machine& machine) {
  const auto& rows = machine.store.rows();
  for (const auto& [path, content] : tree_of(machine)) {
    const auto row = rows.entries.find(path);
    if (row == rows.entries.end() || !row->second.disk || content.kind != Kind::kFile) continue;
    const bool is_told = rows.meta.knowledge.covers(row->second.id) && !rows.intents.contains(path);
    const Inode inode = machine.files.walk(machine.root(), path.bytes());
    const bool looks_same = matches(*row->second.disk, machine.files.state(inode));
    if (!is_told || !looks_same || same_bytes(content, row->second.record.content)) continue;
    tell(machine.name, path, "a person touches what only `verify` would find");
    machine.files.set_mtime(inode, machine.clock.now());
    machine.files.sync(inode);
  }
}

// What only stood there and is gone was not the daemon's to keep.
void World::after_power_cut(Machine& machine, const Tree& before) {
  touch_what_nobody_could_see(machine);
  const Tree after = tree_of(machine);
  std::set<RelPath> all;
  for (const auto& [path, content] : before)
    all.insert(path);
  for (const auto& [path, content] : after)
    all.insert(path);
  for (const auto& [key, change] : last_rows_) {
    if (key.first == &machine) all.insert(key.second);
  }
  for (const RelPath& path : all) {
    const auto was = before.find(path);
    const auto is = after.find(path);
    const Content old = was == before.end() ? Content{} : was->second;
    const Content now = is == after.end() ? Content{} : is->second;
    const Version lost = people_.version(machine.name, path, old);
    const auto row = machine.store.rows().entries.find(path);
    const bool has_row = row != machine.store.rows().entries.end();
    const bool has_last_row = has_row && row->second.record.origin == last_rows_[{&machine, path}];
    if (old == now) {
      // A delete of which the row went back gives way to who still has what was deleted.
      const bool is_delete = old.kind == Kind::kTombstone && !has_last_row;
      if (is_delete && !is_held(lost, path, old, &machine)) people_.forgive(lost);
      continue;
    }
    tell(machine.name, path,
         fmt::format("shows {} {} after the power cut, not {} {}", static_cast<int>(now.kind),
                     to_hex(now.digest).substr(0, 8), static_cast<int>(old.kind),
                     to_hex(old.digest).substr(0, 8)));
    // Nobody can sync the attributes of a symlink.
    if (old.kind == Kind::kSymlink && now.kind == Kind::kSymlink && old.target == now.target) {
      people_.forgive(people_.version(machine.name, path, old));
      people_.adopt(machine.name, path, now);
      people_.stands_again(people_.version(machine.name, path, now));
      continue;
    }
    // Until its row and its bytes are durable, which takes the daemon some seconds, an edit may
    // be torn or lost like that of any program; from then on it may not.
    // Of two deletes of one name the first row may be left.
    const bool is_kept_in_mind = has_row && row->second.record.content == old &&
                                 (old.kind != Kind::kTombstone || has_last_row);
    const bool is_elsewhere = is_kept_in_mind && is_held(lost, path, old, &machine) &&
                              is_known_elsewhere(machine, path, row->second.record);
    if (!is_elsewhere) people_.forgive(lost);
    // The row may be that of an earlier step of the same edit, which is gone with it.
    if (has_row && row->second.record.content != old) {
      const Content& earlier = row->second.record.content;
      const Version version = people_.version(machine.name, path, earlier);
      if (!is_held(version, path, earlier, &machine)) people_.forgive(version);
    }
    const bool is_torn = now.kind == Kind::kFile && !people_.somebody_wrote(now.digest);
    if (is_torn) torn_.emplace(&machine, people_.version(machine.name, path, now));
    const bool is_known =
        now.kind == Kind::kDirectory || people_.made_here(machine.name, path, now);
    // A person's file that was removed again before the daemon heard of it.
    const bool is_unknown = old.kind == Kind::kTombstone && is_torn;
    // Or one that somebody gave the mode that it had: from then on its ctime is his.
    const Inode stands = machine.files.walk(machine.root(), path.bytes());
    const bool is_touched = is_torn && has_row && row->second.disk &&
                            machine.files.state(stands).ctime > row->second.disk->ctime;
    // Or the bytes are all there and the times those of an earlier step: a `touch`, as it seems.
    const bool is_set_back =
        now.kind == Kind::kFile && same_bytes(now, old) && now.mtime < old.mtime;
    if (is_elsewhere && !is_unknown && !is_touched && !is_set_back) continue;
    // Nobody has what stood there: what stands now is all there is.
    if (is_torn || is_known || now.kind != Kind::kTombstone) {
      people_.adopt(machine.name, path, now);
      people_.stands_again(people_.version(machine.name, path, now));
    }
  }
}

std::map<KeptId, Content> World::unsynced_kept(const Machine& machine) {
  std::map<KeptId, Content> unsynced;
  const Inode versions = machine.files.walk(FileSystem::kTop, "state/versions");
  if (versions == 0) return unsynced;
  for (const auto& [name, inode] : machine.files.at(versions).names) {
    if (!machine.files.has_durable_bytes(inode))
      unsynced.emplace(KeptId{name}, content_of(machine, inode));
  }
  return unsynced;
}

// What was put aside a moment ago, and nobody had synced before, is synced with the group of its
// intent.
void World::forgive_kept(const Machine& machine, const std::map<KeptId, Content>& unsynced) {
  for (const auto& [path, intent] : machine.store.rows().intents) {
    const auto kept = intent.kept ? unsynced.find(intent.kept->id) : unsynced.end();
    if (kept != unsynced.end()) people_.forgive(people_.version(machine.name, path, kept->second));
  }
}

void World::fault() {
  Machine& machine = *machines_[dice_.index(machines_.size())];
  Machine& other = *machines_[dice_.index(machines_.size())];
  switch (dice_.below(12)) {
    case 0:
    case 1:
    case 2:
      if (machine.steps_to_live >= 0) return;
      machine.steps_to_live = static_cast<int>(dice_.below(40));
      machine.how_to_die = dice_.chance(0.5) ? End::kKilled : End::kPowerCut;
      return;
    case 3:
      if (machine.runs()) machine.end(dice_.chance(0.5) ? End::kKilled : End::kPowerCut);
      return;
    case 4:
      if (&machine == &other) return;
      tell(machine.name, RelPath(), "no more bytes reach " + other.name);
      network_.block(machine.name, other.name);
      if (dice_.chance(0.5)) network_.block(other.name, machine.name);
      return;
    case 5:
    case 6:
      tell("", RelPath(), "the network is whole");
      network_.heal();
      return;
    case 7:
      tell("", RelPath(), "a connection breaks");
      network_.reset_one(dice_);
      return;
    case 8:
      if (&machine == &other) return;
      network_.route(machine.name, other.name).delay =
          dice_.between(std::chrono::microseconds(50), std::chrono::milliseconds(200));
      network_.route(machine.name, other.name).bytes_per_ms = dice_.chance(0.5) ? 20 : 0;
      return;
    case 9:
      machine.watcher_faults.queue = dice_.chance(0.5) ? 4 : 16384;
      machine.watcher_faults.duplicates = dice_.chance(0.5) ? 0.3 : 0;
      return;
    case 10:
      machine.disk_faults.no_space = dice_.chance(0.5);
      machine.store_faults.no_space = dice_.chance(0.2);
      tell(machine.name, RelPath(), machine.disk_faults.no_space ? "no space left" : "space again");
      return;
    default:
      tell(machine.name, RelPath(), "its clock is stepped");
      machine.clock.offset += dice_.between(std::chrono::seconds(-20), std::chrono::seconds(20));
      return;
  }
}

}  // namespace dagsync::sim
