// One computer of the mesh: its disk, its clocks, its database file and, while it runs, its daemon,
// which is the real one.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>

#include "dagsync/engine/node.h"
#include "file_system.h"
#include "sim_clock.h"
#include "sim_disk.h"
#include "sim_store.h"
#include "sim_transport.h"
#include "sim_watcher.h"
#include "sim_worker.h"

namespace dagsync::sim {

enum class End { kKilled, kPowerCut };

class Machine {
 public:
  struct Hooks {
    SimStore::Hook committing;
    SimDisk::Hooks disk;
    std::function<void()> on_step;
    std::function<void(Status)> started;
  };

  Machine(Events& events, Network& network, std::string name, FileSystem::Journal journal);
  ~Machine();

  // Starts the daemon, as init does. Not while one runs.
  void boot(const FolderConfig& config, const std::vector<PeerConfig>& peers, Hooks hooks);
  // From within anything, the daemon's own steps included: nothing it does has an effect any more.
  void end(End how);
  // Outside of it: clears away what ended. True where something had.
  bool bury();
  void stop();  // in order; over when bury() says so

  [[nodiscard]] bool runs() const { return daemon_ && life_->alive; }
  [[nodiscard]] bool is_ready() const { return runs() && ready_; }
  [[nodiscard]] Node& node() { return daemon_->node; }
  [[nodiscard]] Folder& folder() const { return *daemon_->node.folder("dags"); }
  [[nodiscard]] std::size_t events_waiting() const { return life_->events; }
  [[nodiscard]] std::size_t jobs_waiting() const { return daemon_->worker.waiting(); }
  [[nodiscard]] std::optional<End> ended() const { return ended_; }
  [[nodiscard]] Inode root() const { return files.find(FileSystem::kTop, "folder"); }

  Events& events;
  Network& network;
  const std::string name;
  WallClock clock;
  FileSystem files;
  StoreFile store;
  DiskFaults disk_faults;
  WatcherFaults watcher_faults;
  StoreFaults store_faults;
  int steps_to_live = -1;  // the daemon dies at that step from now; -1: not
  End how_to_die = End::kKilled;
  bool wants_to_run = true;
  enum class Loss { kNone, kState, kAll };
  Loss loses = Loss::kNone;  // at its next end
  bool folder_is_away = false;
  bool keeps_owners = false;
  bool is_newborn = false;  // without a memory: what it finds, it takes for seen by nobody

 private:
  struct Daemon {
    Daemon(Machine& machine, LifePtr life, std::uint64_t seed)
        : clock(machine.events, machine.clock, life),
          random(seed),
          worker(machine.events, life),
          transport(machine.network, machine.name, life),
          node(NodeName{machine.name}, "simulated", Node::Ports{clock, random, worker, transport}) {
    }
    SimClock clock;
    SimRandom random;
    SimWorker worker;
    SimTransport transport;
    Node node;
  };

  LifePtr life_ = std::make_shared<Life>();
  std::unique_ptr<Daemon> daemon_;
  std::optional<End> ended_;
  bool ready_ = false;
  bool stopped_ = false;
};

}  // namespace dagsync::sim
