#include "machine.h"

#include <utility>

namespace dagsync::sim {

Machine::Machine(Events& of, Network& net, std::string called, FileSystem::Journal journal)
    : events(of), network(net), name(std::move(called)), clock{of}, files(of, clock, journal) {
  life_->alive = false;
}

Machine::~Machine() {
  end(End::kKilled);
  bury();
}

void Machine::boot(const FolderConfig& config, const std::vector<PeerConfig>& peers, Hooks hooks) {
  DAGSYNC_ASSERT(!daemon_);
  life_ = std::make_shared<Life>();
  life_->on_step = std::move(hooks.on_step);
  ready_ = stopped_ = false;
  network.rebooted(name);
  FolderAdapters adapters;
  adapters.disk = std::make_unique<SimDisk>(files, clock, life_, events.seeded(), disk_faults,
                                            keeps_owners, std::move(hooks.disk));
  adapters.store =
      std::make_unique<SimStore>(store, life_, store_faults, std::move(hooks.committing));
  adapters.watcher = std::make_unique<SimWatcher>(events, files, life_, watcher_faults);
  daemon_ = std::make_unique<Daemon>(*this, life_, events.seeded().next());
  daemon_->node.add_folder(config, std::move(adapters));
  daemon_->node.configure_peers(peers);
  daemon_->node.start({name + ":7411"}, [this, started = std::move(hooks.started)](Status status) {
    ready_ = status.has_value();
    started(std::move(status));
  });
}

void Machine::end(End how) {
  if (!life_->alive) return;
  life_->alive = false;
  ended_ = how;
}

void Machine::stop() {
  daemon_->node.stop([this] {
    stopped_ = true;
    end(End::kKilled);
  });
}

bool Machine::bury() {
  if (!ended_) return false;
  const bool silently = *ended_ == End::kPowerCut;
  ended_.reset();
  steps_to_live = -1;
  daemon_.reset();
  network.ended(life_, silently);
  return true;
}

}  // namespace dagsync::sim
