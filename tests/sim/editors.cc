// How programs save, copy, move and delete: one system call a step, with pauses in between.
#include <algorithm>

#include "dagsync/base/assert.h"
#include "dagsync/base/log.h"
#include "hand.h"

namespace dagsync::sim {
namespace {

RelPath parse(const std::string& text) {
  auto path = RelPath::parse(text);
  DAGSYNC_ASSERT(path.has_value());
  return std::move(*path);
}

const std::vector<std::string> kDirectories = {"d", "d/e", "g", "m"};
const std::vector<std::string> kFiles = {"a.py",   "b.py", "d/x.py", "d/y.py", "d/e/z.py",
                                         "g/x.py", "m",    "m/n.py", "big.bin"};

std::size_t some_size(Seeded& dice, const RelPath& path) {
  if (path.bytes() == "big.bin") return 66'000 + dice.index(60'000);
  return dice.chance(0.1) ? 3000 + dice.index(5000) : 20 + dice.index(60);
}

// Makes the steps of one program.
class Program {
 public:
  Program(World& world, Machine& machine)
      : world_(world), machine_(machine), dice_(world.dice()), hand_(world, machine) {}

  Task make(std::string name) {
    task_.name = std::move(name);
    return std::move(task_);
  }
  RelPath some_file() { return parse(dice_.pick(kFiles)); }
  RelPath some_directory() { return parse(dice_.pick(kDirectories)); }
  // One that stands there, if any does.
  RelPath some_standing(bool directories) {
    std::vector<RelPath> standing;
    for (const auto& [path, content] : world_.tree_of(machine_)) {
      if ((content.kind == Kind::kDirectory) == directories) standing.push_back(path);
    }
    if (standing.empty()) return directories ? some_directory() : some_file();
    return dice_.pick(standing);
  }

  // The bytes that a save brings: new, or the old ones with a line more.
  std::string new_bytes(const RelPath& path) {
    std::string bytes = world_.people().next_content(machine_.name, path, some_size(dice_, path));
    const Content now = world_.content_at(machine_, path);
    if (now.kind == Kind::kFile && now.size > 60'000 && dice_.chance(0.7)) {
      const Inode inode = machine_.files.walk(machine_.root(), path.bytes());
      bytes = *machine_.files.at(inode).bytes + bytes.substr(0, 60);
      if (bytes.size() > 200'000) bytes.erase(0, 100'000);
    }
    return bytes;
  }

  void then(std::function<void(Hand&)> step) {
    task_.steps.push_back([hand = hand_, step = std::move(step)]() mutable { step(hand); });
  }
  void write_file(const RelPath& path, const std::string& bytes) {
    auto open = std::make_shared<Hand::Open>();
    then([path, open](Hand& hand) { hand.open(path, *open); });
    const std::size_t cut = dice_.index(bytes.size() + 1);
    if (dice_.chance(0.5)) {
      then([open, part = bytes.substr(0, cut)](Hand& hand) { hand.write(*open, part); });
      then([open, part = bytes.substr(cut)](Hand& hand) { hand.write(*open, part); });
    } else {
      then([open, bytes](Hand& hand) { hand.write(*open, bytes); });
    }
    then([open](Hand& hand) { hand.close(*open); });
  }
  void give_some_mtime(const RelPath& path) {
    const UnixNanos now = hand_.now();
    const UnixNanos mtime = dice_.pick<UnixNanos>({now - std::chrono::hours(240),
                                                   now - std::chrono::seconds(2),
                                                   now + std::chrono::hours(48),
                                                   {1'600'000'000'000'000'000}});
    then([path, mtime](Hand& hand) { hand.set_mtime(path, mtime); });
  }
  void make_parents(const RelPath& path) {
    if (path.parent().is_root()) return;
    make_parents(path.parent());
    then([above = path.parent()](Hand& hand) { hand.make_directory(above, 0755); });
  }

  void in_place(const RelPath& path) {
    make_parents(path);
    write_file(path, new_bytes(path));
  }
  void vim(const RelPath& path) {
    make_parents(path);
    const RelPath backup = parse(path.bytes() + "~");
    then([path, backup](Hand& hand) { hand.rename(path, backup); });
    write_file(path, new_bytes(path));
    then([backup](Hand& hand) { hand.unlink(backup); });
  }
  void by_rename(const RelPath& path, const std::string& temp_name, bool with_mtime) {
    make_parents(path);
    const RelPath temp = *path.parent().child(temp_name);
    write_file(temp, new_bytes(path));
    if (with_mtime) give_some_mtime(temp);
    if (dice_.chance(0.2)) then([temp](Hand& hand) { hand.set_mode(temp, 0755); });
    then([temp, path](Hand& hand) { hand.rename(temp, path); });
    then([temp](Hand& hand) { hand.unlink(temp); });
  }
  void git_checkout() {
    const std::size_t files = 2 + dice_.index(4);
    for (std::size_t i = 0; i < files; ++i) {
      const RelPath path = some_file();
      if (dice_.chance(0.25)) {
        then([path](Hand& hand) { hand.unlink(path); });
        continue;
      }
      make_parents(path);
      then([path](Hand& hand) { hand.unlink(path); });
      write_file(path, new_bytes(path));
    }
  }
  void copy_recursively() {
    const RelPath from = some_standing(true);
    const RelPath to = some_directory();
    if (from == to || to.is_below(from) || from.is_below(to)) return;
    make_parents(to);
    then([to](Hand& hand) { hand.make_directory(to, 0755); });
    for (const auto& [path, content] : world_.tree_of(machine_, from)) {
      if (path == from) continue;
      const RelPath copy = parse(to.bytes() + path.bytes().substr(from.bytes().size()));
      if (content.kind == Kind::kDirectory) {
        then([copy](Hand& hand) { hand.make_directory(copy, 0755); });
      } else if (content.kind == Kind::kFile) {
        const Inode inode = machine_.files.walk(machine_.root(), path.bytes());
        if (!machine_.files.has_writer(inode)) write_file(copy, *machine_.files.at(inode).bytes);
      }
    }
  }
  void remove_recursively(const RelPath& top) {
    std::vector<std::pair<RelPath, Kind>> below;
    for (const auto& [path, content] : world_.tree_of(machine_, top))
      below.emplace_back(path, content.kind);
    std::sort(below.rbegin(), below.rend());
    for (const auto& [path, kind] : below) {
      if (kind == Kind::kDirectory) {
        then([path = path](Hand& hand) { hand.remove_directory(path); });
      } else {
        then([path = path](Hand& hand) { hand.unlink(path); });
      }
    }
  }

  Seeded& dice() { return dice_; }
  Hand& hand() { return hand_; }

 private:
  World& world_;
  Machine& machine_;
  Seeded& dice_;
  Hand hand_;
  Task task_;
};

Task some_task(World& world, Machine& machine) {
  Program program(world, machine);
  Seeded& dice = program.dice();
  const RelPath path = dice.chance(0.6) ? program.some_file() : program.some_standing(false);
  switch (dice.below(18)) {
    case 0:
    case 1:
      program.in_place(path);
      return program.make("saves in place");
    case 2:
      program.vim(path);
      return program.make("saves with vim");
    case 3:
    case 4:
      program.by_rename(path, "new-" + std::string(path.name()), false);
      return program.make("saves by rename");
    case 5:
    case 6:
      program.by_rename(path, "." + std::string(path.name()) + ".aB3x", true);
      return program.make("rsync -a");
    case 7:
      program.by_rename(path, "sedK3aB9x", false);
      return program.make("sed -i");
    case 8:
      program.git_checkout();
      return program.make("git checkout");
    case 9:
      program.copy_recursively();
      return program.make("cp -r");
    case 10:
    case 11:
      program.then([path](Hand& hand) { hand.unlink(path); });
      return program.make("rm");
    case 12:
      program.remove_recursively(program.some_standing(true));
      return program.make("rm -r");
    case 13: {
      const RelPath to = program.some_file();
      program.make_parents(to);
      program.then([path, to](Hand& hand) { hand.rename(path, to); });
      return program.make("mv");
    }
    case 14: {
      const RelPath from = program.some_standing(true);
      const RelPath to = program.some_directory();
      program.then([from, to](Hand& hand) { hand.rename(from, to); });
      return program.make("mv of a directory");
    }
    case 15: {
      const std::uint32_t mode = dice.pick<std::uint32_t>({0644, 0755, 0600});
      program.then([path, mode](Hand& hand) { hand.set_mode(path, mode); });
      return program.make("chmod");
    }
    case 16:
      program.give_some_mtime(path);
      return program.make("touch -d");
    default: {
      const std::string target = dice.pick<const char*>({"a.py", "../outside", "d/x.py"});
      if (dice.chance(0.5)) program.then([path](Hand& hand) { hand.unlink(path); });
      program.then([path, target](Hand& hand) { hand.symlink(target, path); });
      if (dice.chance(0.3)) {
        const RelPath directory = program.some_directory();
        program.then([directory](Hand& hand) { hand.make_directory(directory, 0700); });
      }
      return program.make("ln -s");
    }
  }
}

}  // namespace

void World::someone_edits(Machine& machine) {
  if (machine.root() == 0 || machine.folder_is_away) return;
  start_task(machine, some_task(*this, machine));
}

void World::start_task(Machine& machine, Task task) {
  if (task.steps.empty()) return;
  tell(machine.name, RelPath(), "a person: " + task.name);
  auto shared = std::make_shared<Task>(std::move(task));
  tasks_[&machine].push_back(shared);
  const auto go_on = std::make_shared<std::function<void()>>();
  *go_on = [this, weak = std::weak_ptr(shared), again = std::weak_ptr(go_on)] {
    const auto working = weak.lock();
    if (!working || working->steps.empty()) return;
    const auto step = std::move(working->steps.front());
    working->steps.pop_front();
    step();
    const auto next = again.lock();
    if (working->steps.empty() || !next) return;
    const Duration pause =
        dice_.chance(0.05) ? Duration(std::chrono::seconds(1)) : std::chrono::milliseconds(4);
    events_.after(dice_.between(Duration(0), pause), nullptr, [next] { (*next)(); });
  };
  events_.after(Duration(0), nullptr, [go_on] { (*go_on)(); });
}

bool World::run_task_step(Machine& machine) {
  auto& tasks = tasks_[&machine];
  std::erase_if(tasks, [](const auto& task) { return task->steps.empty(); });
  if (tasks.empty()) return false;
  const auto task = dice_.pick(tasks);
  const auto step = std::move(task->steps.front());
  task->steps.pop_front();
  step();
  return true;
}

// What is done to a file is done to all its names.
std::vector<RelPath> World::with_other_names(const Machine& machine, std::vector<RelPath> paths) {
  std::set<Inode> linked;
  for (const RelPath& path : paths) {
    const Inode inode = machine.root() == 0 ? 0 : machine.files.walk(machine.root(), path.bytes());
    if (inode != 0 && !machine.files.is_directory(inode) && machine.files.at(inode).links > 1)
      linked.insert(inode);
  }
  if (linked.empty()) return paths;
  for (const auto& [path, content] : tree_of(machine)) {
    if (linked.contains(machine.files.walk(machine.root(), path.bytes()))) paths.push_back(path);
  }
  return paths;
}

void World::touching(Machine& machine, const std::vector<RelPath>& given,
                     const std::function<void()>& deed) {
  const std::vector<RelPath> paths = with_other_names(machine, given);
  const auto look = [&] {
    std::map<RelPath, std::pair<Version, Content>> seen;
    for (const RelPath& path : paths) {
      Tree tree = tree_of(machine, path);
      tree.try_emplace(path, Content{});
      for (const auto& [at, content] : tree)
        seen.emplace(at, std::pair(people_.version(machine.name, at, content), content));
    }
    return seen;
  };
  const auto before = look();
  // What is being written counts as what it was before, until it is closed.
  const auto version_before = [&](const RelPath& path, const Version& version) {
    for (const auto& [key, flux] : flux_) {
      const bool stands_there = key.first == &machine && machine.root() != 0 && flux.path == path &&
                                machine.files.walk(machine.root(), path.bytes()) == key.second;
      if (stands_there) return flux.before;
    }
    return version;
  };
  std::map<RelPath, Version> were;
  for (const auto& [path, seen] : before)
    were.emplace(path, version_before(path, seen.first));
  deed();
  const auto after = look();
  std::set<RelPath> all;
  for (const auto& [path, seen] : before)
    all.insert(path);
  for (const auto& [path, seen] : after)
    all.insert(path);
  for (const RelPath& path : all) {
    const Content content = content_at(machine, path);
    const Inode inode = machine.root() == 0 ? 0 : machine.files.walk(machine.root(), path.bytes());
    const auto was = were.find(path);
    const Version old =
        was != were.end() ? was->second : people_.version(machine.name, path, Content{});
    if (inode != 0 && machine.files.has_writer(inode)) {
      // Moved while it is being written: it replaces this when it is closed.
      const auto flux = flux_.find({&machine, inode});
      if (flux != flux_.end() && flux->second.path != path) flux->second = {old, path};
      continue;
    }
    const auto seen = before.find(path);
    const Content old_content = seen == before.end() ? Content{} : seen->second.second;
    if (old_content == content) {
      // Giving it the mode that it has makes of what a power cut left an edit, as it seems.
      const bool is_torn = torn_.contains({&machine, people_.version(machine.name, path, content)});
      if (is_torn) people_.adopt(machine.name, path, content);
      continue;
    }
    if (content.kind == Kind::kTombstone) {
      people_.acted(machine.name, path, old, content);
      tell(machine.name, path, "a person removes it");
    } else {
      people_.acted(machine.name, path, old, content);
      tell(machine.name, path,
           fmt::format("a person changes it: {} {} {:o} mtime {}", static_cast<int>(content.kind),
                       to_hex(content.digest).substr(0, 8), content.mode, content.mtime.value));
    }
  }
}

}  // namespace dagsync::sim
