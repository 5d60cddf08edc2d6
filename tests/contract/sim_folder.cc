#include "contract/sim_folder.h"

#include <chrono>
#include <set>

#include "contract/steps.h"
#include "sim/sim_disk.h"

namespace dagsync {
namespace {

using sim::FileSystem;
using sim::Inode;
using sim::NameIn;

constexpr const char* kFolder = "folder";
constexpr const char* kAway = "away";

class SimWriter final : public TestFolder::Writer {
 public:
  SimWriter(FileSystem& files, Inode inode) : files_(files), inode_(inode) {
    files_.open_writer(inode_);
  }
  ~SimWriter() override { files_.close_writer(inode_); }
  void write(const std::string& bytes) override { files_.write(inode_, bytes); }

 private:
  FileSystem& files_;
  Inode inode_;
};

}  // namespace

struct SimFolder::Machine {
  Machine(bool keeps, bool full) : keeps_owners(keeps) { faults.no_space = full; }

  [[nodiscard]] Inode folder() const { return files.find(FileSystem::kTop, kFolder); }
  [[nodiscard]] NameIn place(const std::string& name) const {
    const auto found = files.place(folder(), path(name));
    REQUIRE(found.has_value());
    return *found;
  }
  [[nodiscard]] Inode inode(const std::string& name) const {
    return files.walk(folder(), path(name).bytes());
  }
  void boot() {
    disk.reset();
    if (life) life->alive = false;
    life = std::make_shared<sim::Life>();
    life->on_step = take_step;
    disk = std::make_unique<sim::SimDisk>(files, clock, life, seeded, faults, keeps_owners,
                                          sim::SimDisk::Hooks{});
  }
  void collect(Inode directory, const std::string& prefix, std::vector<std::string>& names) const {
    for (const auto& [name, below] : files.at(directory).names) {
      names.push_back(prefix + name);
      collect(below, prefix + name + "/", names);
    }
  }

  bool keeps_owners;
  sim::Events events{1};
  sim::WallClock clock{events};
  FileSystem files{events, clock, FileSystem::Journal::kOrdered};
  sim::Seeded seeded{2};
  sim::DiskFaults faults;
  sim::LifePtr life;
  std::unique_ptr<sim::SimDisk> disk;
};

SimFolder::SimFolder(bool keeps_owners, bool is_full)
    : machine_(std::make_unique<Machine>(keeps_owners, is_full)) {
  machine_->boot();
}

SimFolder::~SimFolder() = default;

Disk& SimFolder::disk() {
  return *machine_->disk;
}

void SimFolder::restart() {
  machine_->boot();
}

// -- as a person would ----------------------------------------------------------------------------

void SimFolder::write(const std::string& name, const std::string& bytes) const {
  if (!exists(name)) machine_->files.make(machine_->place(name), FileType::kFile, 0644);
  SimWriter(machine_->files, machine_->inode(name)).write(bytes);
}

void SimFolder::mkdir(const std::string& name) const {
  machine_->files.make(machine_->place(name), FileType::kDirectory, 0755);
}

void SimFolder::symlink(const std::string& target, const std::string& name) const {
  machine_->files.make(machine_->place(name), FileType::kSymlink, 0777, target);
}

void SimFolder::link(const std::string& from, const std::string& to) const {
  machine_->files.link(machine_->inode(from), machine_->place(to));
}

void SimFolder::mkfifo(const std::string& name) const {
  machine_->files.make(machine_->place(name), FileType::kSpecial, 0600);
}

void SimFolder::rename(const std::string& from, const std::string& to) const {
  machine_->files.rename(machine_->place(from), machine_->place(to));
}

void SimFolder::remove(const std::string& name) const {
  machine_->files.unlink(machine_->place(name));
}

void SimFolder::chmod(const std::string& name, std::uint32_t mode) const {
  machine_->files.set_mode(machine_->inode(name), mode);
}

void SimFolder::set_mtime(const std::string& name, UnixNanos mtime) const {
  machine_->files.set_mtime(machine_->inode(name), mtime);
}

void SimFolder::chown(const std::string& name, const std::string& owner) const {
  machine_->files.set_owner(machine_->inode(name), owner);
}

std::unique_ptr<TestFolder::Writer> SimFolder::open_writer(const std::string& name) const {
  REQUIRE(exists(name));
  return std::make_unique<SimWriter>(machine_->files, machine_->inode(name));
}

std::shared_ptr<void> SimFolder::forbid(const std::string& name) {
  std::set<std::string>& unreadable = machine_->faults.unreadable;
  unreadable.insert(name);
  return {nullptr, [&unreadable, name](void*) { unreadable.erase(name); }};
}

void SimFolder::move_folder_away() const {
  machine_->files.rename({FileSystem::kTop, kFolder}, {FileSystem::kTop, kAway});
}

void SimFolder::make_folder() const {
  machine_->files.make({FileSystem::kTop, kFolder}, FileType::kDirectory, 0755);
}

void SimFolder::link_folder() const {
  machine_->files.make({FileSystem::kTop, kFolder}, FileType::kSymlink, 0777, kAway);
}

void SimFolder::move_folder_back() const {
  if (machine_->folder() != 0) machine_->files.unlink({FileSystem::kTop, kFolder});
  machine_->files.rename({FileSystem::kTop, kAway}, {FileSystem::kTop, kFolder});
}

// -- what a person sees ---------------------------------------------------------------------------

std::string SimFolder::read(const std::string& name) const {
  const Inode inode = machine_->inode(name);
  REQUIRE(inode != 0);
  return *machine_->files.at(inode).bytes;
}

bool SimFolder::exists(const std::string& name) const {
  return machine_->inode(name) != 0;
}

std::string SimFolder::owner(const std::string& name) const {
  return machine_->files.owner_of(machine_->inode(name));
}

std::vector<std::string> SimFolder::names() const {
  std::vector<std::string> names;
  machine_->collect(machine_->folder(), "", names);
  return names;
}

std::vector<std::string> SimFolder::leftovers() const {
  std::vector<std::string> names;
  machine_->collect(machine_->files.walk(FileSystem::kTop, "state/staging"), "", names);
  const Inode versions = machine_->files.walk(FileSystem::kTop, "state/versions");
  for (const auto& [name, inode] : machine_->files.at(versions).names) {
    const bool is_stray = name.ends_with(".of") &&
                          machine_->files.find(versions, name.substr(0, name.size() - 3)) == 0;
    if (name.ends_with(".copy") || is_stray) names.push_back(name);
  }
  return names;
}

UnixNanos SimFolder::now() const {
  return machine_->clock.now();
}

void SimFolder::wait_a_tick() const {
  machine_->events.run_next(machine_->events.now() + std::chrono::milliseconds(10));
}

}  // namespace dagsync
