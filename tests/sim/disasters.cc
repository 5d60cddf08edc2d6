// What happens seldom and is worse: the memory of a machine is lost, or all of it; its folder is
// elsewhere for a while; its disk fails.
#include <algorithm>

#include "dagsync/base/log.h"
#include "world.h"

namespace dagsync::sim {
namespace {

constexpr double kEioChance = 0.03;  // of each call
constexpr const char* kAway = "away";

// Everything below a directory, which stays.
void clear_below(FileSystem& files, Inode directory) {
  const auto names = files.at(directory).names;
  for (const auto& [name, inode] : names) {
    if (files.is_directory(inode)) clear_below(files, inode);
    files.unlink({directory, name});
  }
}

}  // namespace

void World::disaster() {
  Machine& machine = *machines_[disaster_dice_.index(machines_.size())];
  const Duration time =
      disaster_dice_.between(std::chrono::milliseconds(20), std::chrono::seconds(6));
  switch (disaster_dice_.below(5)) {
    case 0:
    case 1:
      machine.loses = disaster_dice_.chance(0.5) ? Machine::Loss::kState : Machine::Loss::kAll;
      if (machine.runs()) {
        machine.end(End::kKilled);
      } else if (!machine.ended()) {
        lose(machine);
      }
      return;
    case 2:
      put_away(machine, disaster_dice_.chance(0.5));
      events_.after(time, nullptr, [this, &machine] { put_back(machine); });
      return;
    case 3:
      tell(machine.name, RelPath(), "its disk fails now and then");
      machine.disk_faults.io_errors = kEioChance;
      events_.after(time, nullptr, [this, &machine] {
        tell(machine.name, RelPath(), "its disk works again");
        machine.disk_faults.io_errors = 0;
      });
      return;
    default: {
      const Tree tree = tree_of(machine);
      if (tree.empty()) return;
      const RelPath path = disaster_dice_.pick(tree).first;
      tell(machine.name, path, "may not be read");
      machine.disk_faults.unreadable.insert(path.bytes());
      events_.after(time, nullptr, [this, &machine, path] {
        tell(machine.name, path, "may be read again");
        machine.disk_faults.unreadable.erase(path.bytes());
      });
    }
  }
}

// Nobody works there any more, nor has anything open.
void World::send_people_home(Machine& machine) {
  for (const auto& task : tasks_[&machine])
    task->steps.clear();
  tasks_[&machine].clear();
  machine.files.close_all();
  adopt_flux(machine);
}

// Not by the row of what was deleted.
bool World::is_delete_known_elsewhere(const Machine& machine, const RelPath& path) const {
  return std::any_of(machines_.begin(), machines_.end(), [&](const auto& other) {
    const auto& rows = other->store.rows().entries;
    const auto row = rows.find(path);
    return other.get() != &machine && row != rows.end() && !row->second.record.is_live();
  });
}

// What stands there, or does not, and nowhere else: nobody is to expect it.
void World::forgive_all_on(const Machine& machine) {
  std::set<RelPath> paths;
  for (const auto& [path, content] : tree_of(machine))
    paths.insert(path);
  for (const auto& [path, entry] : machine.store.rows().entries)
    paths.insert(path);
  for (const RelPath& path : paths) {
    const Content content = content_at(machine, path);
    const Version version = people_.version(machine.name, path, content);
    const bool is_remembered =
        content.kind != Kind::kTombstone || is_delete_known_elsewhere(machine, path);
    if (!is_held(version, path, content, &machine) || !is_remembered) people_.forgive(version);
    // A clock that is ahead takes a time of the future for one of the past, once nobody knows
    // better.
    if (content.mtime > WallClock{events_}.now()) people_.stands_again(version);
    // And what was made in sight of a version with the same mtime or a younger one, such as by
    // chmod or `touch -d`, is known for the later one by the index alone.
    for (const auto& other : machines_) {
      const auto& rows = other->store.rows().entries;
      const auto row = rows.find(path);
      if (other.get() == &machine || row == rows.end()) continue;
      const Content& theirs = row->second.record.content;
      if (content.kind != Kind::kTombstone && theirs.mtime >= content.mtime)
        people_.stands_again(people_.version(other->name, path, theirs));
    }
  }
  for (const auto& [version, told] : people_.told()) {
    const bool is_own = told.record.origin.author.node().value == machine.name;
    if (is_own && !is_known_elsewhere(machine, told.path, told.record)) people_.forgive(version);
  }
}

// The state directory, and with it what was kept; or the folder too. What nobody else has is lost.
void World::lose(Machine& machine) {
  const bool all = std::exchange(machine.loses, Machine::Loss::kNone) == Machine::Loss::kAll;
  tell(machine.name, RelPath(), all ? "everything is lost" : "the state directory is lost");
  last_trouble_[&machine] = events_.now();
  put_back(machine);
  send_people_home(machine);
  FileSystem& files = machine.files;
  const Tree tree = tree_of(machine);
  const Inode versions = files.walk(FileSystem::kTop, "state/versions");
  std::vector<std::pair<RelPath, Content>> kept;
  for (const auto& [name, inode] : files.at(versions).names) {
    const Inode label = files.find(versions, name + ".of");
    if (label != 0)
      kept.emplace_back(*RelPath::parse(*files.at(label).bytes), content_of(machine, inode));
  }
  clear_below(files, versions);
  clear_below(files, files.walk(FileSystem::kTop, "state/staging"));
  forgive_all_on(machine);
  for (const auto& [path, content] : kept) {
    if (!is_held("", path, content, &machine))
      people_.forgive(people_.version(machine.name, path, content));
    // The same bytes may have been told of under other names.
    for (const auto& [version, told] : people_.told()) {
      const bool is_it = same_bytes(told.record.content, content);
      if (is_it && !is_held(version, told.path, told.record.content, &machine))
        people_.forgive(version);
    }
  }
  machine.store.lose_all();
  machine.is_newborn = true;
  if (all) {
    clear_below(files, machine.root());
    files.set_mark(machine.root(), "");
  } else {
    for (const auto& [path, content] : tree)
      people_.adopt(machine.name, path, content);
  }
  files.sync_all();
}

void World::put_away(Machine& machine, bool leaves_empty_one) {
  // A node without an index takes any directory for its folder.
  if (machine.folder_is_away || machine.is_newborn) return;
  tell(machine.name, RelPath(),
       leaves_empty_one ? "another directory in the folder's place" : "the folder is away");
  send_people_home(machine);
  machine.folder_is_away = true;
  machine.files.rename({FileSystem::kTop, "folder"}, {FileSystem::kTop, kAway});
  if (leaves_empty_one)
    machine.files.make({FileSystem::kTop, "folder"}, FileType::kDirectory, 0755);
  machine.files.sync_all();
}

void World::put_back(Machine& machine) {
  if (!machine.folder_is_away) return;
  tell(machine.name, RelPath(), "the folder is back");
  last_trouble_[&machine] = events_.now();
  FileSystem& files = machine.files;
  if (const Inode other = files.find(FileSystem::kTop, "folder"); other != 0) {
    if (!files.at(other).names.empty())
      fail(machine.name + " put something into another directory than its folder");
    clear_below(files, other);
    files.unlink({FileSystem::kTop, "folder"});
  }
  files.rename({FileSystem::kTop, kAway}, {FileSystem::kTop, "folder"});
  files.sync_all();
  machine.folder_is_away = false;
}

// A person sees the halt in the status.
void World::resume_halted() {
  for (auto& machine : machines_) {
    if (!machine->is_ready() || machine->ended() || machine->folder_is_away) continue;
    if (!machine->folder().replica().halted()) continue;
    machine->folder().resume(false, [this, &machine = *machine](const Status& resumed) {
      if (resumed) return;
      tell(machine.name, RelPath(), "a person restarts it: " + resumed.error().message);
      machine.end(End::kKilled);
    });
  }
}

}  // namespace dagsync::sim
