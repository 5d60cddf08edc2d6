#include "world.h"

#include <algorithm>
#include <utility>

#include "dagsync/base/log.h"

namespace dagsync::sim {
namespace {

constexpr std::uint64_t kInTurnFrom = 1000;  // bytes; of every third seed
constexpr double kDisasters = 0.015;         // the chance of one at a step
constexpr Duration kStartBound = std::chrono::seconds(60);
constexpr Duration kHealBound = std::chrono::seconds(240);

int nodes_of(std::uint64_t seed) {
  return 3 + static_cast<int>(Seeded(seed ^ 0x6e6f646573u).below(5));
}

}  // namespace

World::World(Options options)
    : options_(std::move(options)),
      dice_(options_.seed),
      disaster_dice_(options_.seed ^ 0x646973617374u),
      events_(dice_.next()),
      network_(events_) {
  config_.name = "dags";
  config_.path = "/folder";
  if (options_.seed % 3 == 0) config_.turns_from = kInTurnFrom;
  if (options_.break_network) network_.rewrite_with(options_.break_network);
  const int nodes = options_.nodes > 0 ? options_.nodes : nodes_of(options_.seed);
  for (int number = 1; number <= nodes; ++number) {
    const auto journal =
        dice_.chance(0.5) ? FileSystem::Journal::kOrdered : FileSystem::Journal::kAnyOrder;
    machines_.push_back(
        std::make_unique<Machine>(events_, network_, fmt::format("n{}", number), journal));
    Machine& machine = *machines_.back();
    if (dice_.chance(0.3))
      machine.clock.offset = dice_.between(std::chrono::seconds(-400), std::chrono::seconds(400));
    if (dice_.chance(0.3))
      machine.clock.drift_ppm = static_cast<std::int64_t>(dice_.below(400)) - 200;
    if (options_.break_machine) options_.break_machine(machine);
  }
}

std::optional<Violation> World::run() {
  boot_all();
  is_stormy_ = true;
  for (int step = 0; step < options_.steps && !violation_; ++step) {
    act();
    if (options_.disasters && disaster_dice_.chance(kDisasters)) disaster();
    resume_halted();
    const Duration most =
        dice_.pick<Duration>({std::chrono::milliseconds(1), std::chrono::milliseconds(30),
                              std::chrono::milliseconds(300), std::chrono::seconds(4)});
    run_for(dice_.between(Duration(0), most));
  }
  if (!violation_) heal();
  return violation_;
}

void World::boot_all() {
  for (auto& machine : machines_)
    boot(*machine);
  const bool met = run_until(
      [this] {
        return std::all_of(machines_.begin(), machines_.end(), [](const auto& machine) {
          return machine->is_ready() && machine->node().in_sync();
        });
      },
      kStartBound);
  if (!met && !violation_) fail("the mesh does not come together");
}

void World::fail(std::string what, const RelPath& path) {
  if (violation_) return;
  tell("", path, "VIOLATION: " + what);
  violation_ = Violation{std::move(what), path};
}

void World::run_for(Duration time) {
  run_until([] { return false; }, time);
}

bool World::run_until(const std::function<bool()>& condition, Duration most) {
  const MonoNanos limit = events_.now() + most;
  while (!violation_ && !condition()) {
    if (!events_.run_next(limit)) return condition();
    after_event();
  }
  return !violation_;
}

void World::after_event() {
  story_.count(events_.now(), events_.count());
  for (auto& machine : machines_) {
    const auto how = machine->ended();
    if (how) died(*machine, *how);
  }
  Machine& machine = *machines_[events_.count() % machines_.size()];
  check_bounds(machine);
  if (events_.count() % 4 == 0) check_truth(machine, false);
}

Machine::Hooks World::hooks_of(Machine& machine) {
  Machine::Hooks hooks;
  hooks.committing = [this, &machine](const Transaction& transaction) {
    check_commit(machine, transaction);
  };
  hooks.disk.published = [this, &machine](const RelPath& path, Inode old, Inode now) {
    check_published(machine, path, old, now);
  };
  hooks.disk.discarding = [this, &machine](Inode inode) { check_discarded(machine, inode); };
  hooks.on_step = [this, &machine] { step_of(machine); };
  hooks.started = [this, &machine](const Status& status) {
    if (status) {
      tell(machine.name, RelPath(), "the daemon is up");
      if (std::exchange(machine.is_newborn, false)) forgive_all_on(machine);
      return;
    }
    tell(machine.name, RelPath(), "the daemon cannot start: " + status.error().message);
    machine.end(End::kKilled);
  };
  return hooks;
}

// Between two system calls of a daemon: somebody may be faster, and it may die.
void World::step_of(Machine& machine) {
  if (is_stormy_ && dice_.chance(0.05)) run_task_step(machine);
  if (machine.steps_to_live >= 0 && machine.steps_to_live-- == 0) machine.end(machine.how_to_die);
}

void World::heal() {
  tell("", RelPath(), "everything is mended");
  is_stormy_ = false;
  network_.heal();
  for (auto& machine : machines_) {
    machine->steps_to_live = -1;
    const DiskFaults before = machine->disk_faults;
    machine->disk_faults.no_space = false;
    machine->disk_faults.unreadable.clear();
    machine->disk_faults.io_errors = 0;
    machine->store_faults.no_space = false;
    machine->wants_to_run = true;
    put_back(*machine);
  }
  run_for(std::chrono::seconds(1));
  for (auto& machine : machines_) {
    if (!machine->runs() && !machine->ended() && !violation_) boot(*machine);
  }
  const auto all_same = [this] {
    const bool all_say_so = std::all_of(
        machines_.begin(), machines_.end(),
        [](const auto& machine) { return machine->is_ready() && machine->node().in_sync(); });
    return all_say_so && differences().empty();
  };
  MonoNanos next_look = events_.now();
  const bool same = run_until(
      [&] {
        if (events_.now() < next_look) return false;
        next_look = events_.now() + std::chrono::milliseconds(500);
        resume_halted();
        return all_same();
      },
      kHealBound);
  if (violation_) return;
  if (!same) {
    std::string what = "not in sync " + std::to_string(kHealBound.count() / 1'000'000'000) +
                       " s after everything was mended:";
    for (auto& machine : machines_)
      what += " " + what_it_says(*machine) + ";";
    fail(what + " " + differences());
    return;
  }
  run_for(std::chrono::seconds(5));
  if (!violation_) check_end();
}

std::string World::what_it_says(Machine& machine) {
  if (!machine.is_ready()) return machine.name + (machine.runs() ? " is starting" : " is down");
  if (machine.node().in_sync()) return machine.name + " says in sync";
  const FolderStatus status = machine.folder().status();
  std::string text = fmt::format("{} says no (state {}, {} pending, {} wanted{}", machine.name,
                                 static_cast<int>(status.state), status.pending_changes,
                                 machine.folder().replica().wanted().size(),
                                 machine.folder().is_at_rest() ? ", at rest" : "");
  if (!status.state_reason.empty()) text += ", " + status.state_reason;
  for (const PathError& error : status.errors)
    text += ", " + display(error.path) + ": " + error.error;
  for (const FolderPeerStatus& peer : status.peers) {
    if (!peer.in_sync) text += fmt::format(", {} lacks {}", peer.name.value, peer.behind_files);
  }
  return text + ")";
}

// -- what stands on a disk ------------------------------------------------------------------------

Content World::content_of(const Machine& machine, Inode inode) {
  const Stored& stored = machine.files.at(inode);
  Content content;
  switch (stored.type) {
    case FileType::kDirectory:
      content.kind = Kind::kDirectory;
      content.mode = stored.mode;
      break;
    case FileType::kFile: {
      content.kind = Kind::kFile;
      content.mode = stored.mode & 0777;
      content.size = stored.bytes->size();
      content.mtime = stored.mtime;
      auto& known = digests_[stored.bytes.get()];
      if (!known.first) known = {stored.bytes, digest_of(*stored.bytes)};
      content.digest = known.second;
      break;
    }
    case FileType::kSymlink:
      content.kind = Kind::kSymlink;
      content.target = *stored.bytes;
      content.mtime = stored.mtime;
      break;
    case FileType::kSpecial:
      break;
  }
  return content;
}

Content World::content_at(const Machine& machine, const RelPath& path) {
  const Inode root = machine.root();
  const Inode inode = root == 0 ? 0 : machine.files.walk(root, path.bytes());
  return inode == 0 ? Content{} : content_of(machine, inode);
}

World::Tree World::tree_of(const Machine& machine, const RelPath& below) {
  Tree tree;
  const Inode root = machine.root();
  std::vector<RelPath> todo{below};
  while (root != 0 && !todo.empty()) {
    const RelPath path = std::move(todo.back());
    todo.pop_back();
    const Inode inode = machine.files.walk(root, path.bytes());
    if (inode == 0) continue;
    if (!path.is_root()) tree.emplace(path, content_of(machine, inode));
    for (const auto& [name, child] : machine.files.at(inode).names) {
      if (auto child_path = path.child(name)) todo.push_back(std::move(*child_path));
    }
  }
  return tree;
}

}  // namespace dagsync::sim
