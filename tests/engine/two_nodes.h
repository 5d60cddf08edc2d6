// Two whole nodes in one process: real disks, and a network, clock and workers of the test. Nobody
// watches the disks: a test says when a node looks.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dagsync/engine/node.h"
#include "posix/disk_world.h"
#include "support/bare_folder.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/memory_store.h"
#include "support/noting_disk.h"

namespace dagsync {

class TwoNodes {
 public:
  struct Side {
    Side(TwoNodes& world, const std::string& its_name, const std::string& its_peer,
         const FolderConfig& config, const PeerConfig& peer)
        : name(its_name),
          node({its_name}, "1.0", {world.clock, world.random, world.worker, transport}) {
      auto its_disk = std::make_unique<NotingDisk>(real.disk(), diary);
      auto its_store = std::make_unique<MemoryStore>();
      disk = its_disk.get();
      store = its_store.get();
      auto its_watcher = std::make_unique<BareWatcher>();
      watcher = its_watcher.get();
      publishing = {world.worker.lanes() + 1};  // the folder's first
      node.add_folder(config, {std::move(its_disk), std::move(its_store), std::move(its_watcher)});
      PeerConfig known = peer;
      known.name = {its_peer};
      known.addresses = {its_peer + ":1"};
      node.configure_peers({known});
    }
    [[nodiscard]] Folder& folder() { return *node.folder("dags"); }
    // As an editor an hour ago would have, so that no tick of the clock decides which is younger.
    void write_old(const std::string& path, const std::string& bytes) const {
      real.write(path, bytes);
      std::filesystem::last_write_time(
          real.real(path), std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
    }
    [[nodiscard]] FolderStatus status() { return folder().status(); }
    [[nodiscard]] std::string trouble() {
      const FolderStatus now = status();
      return now.errors.empty() ? "" : now.errors.front().error;
    }

    std::string name;
    std::vector<std::string> diary;
    DiskWorld real;
    NotingDisk* disk = nullptr;
    MemoryStore* store = nullptr;
    BareWatcher* watcher = nullptr;
    FakeTransport transport;
    Lane publishing;
    Node node;
  };
  struct Setup {
    FolderMode mode_of_b = FolderMode::kSync;
    bool a_may_send = true;  // as b has it
    int max_delete_percent = 50;
    Duration versions_keep = FolderConfig().versions_keep;
  };

  TwoNodes() : TwoNodes(Setup()) {}
  explicit TwoNodes(const Setup& setup) {
    FolderConfig config;
    config.name = "dags";
    config.path = "/srv/dags";
    config.max_delete_percent = setup.max_delete_percent;
    config.versions_keep = setup.versions_keep;
    a_ = std::make_unique<Side>(*this, "a", "b", config, PeerConfig());
    config.mode = setup.mode_of_b;
    PeerConfig peer;
    peer.may_send = setup.a_may_send;
    b_ = std::make_unique<Side>(*this, "b", "a", config, peer);
  }
  [[nodiscard]] Side& a() { return *a_; }
  [[nodiscard]] Side& b() { return *b_; }

  void start() {
    for (Side* side : {a_.get(), b_.get()}) {
      bool started = false;
      side->node.start({}, [&](const Status& status) {
        CHECK(status.has_value());
        started = true;
      });
      until([&] { return started; });
    }
    connect();
  }
  // a's dialing reaches b.
  void connect() {
    until([&] { return !a_->transport.dials.empty(); });
    far_a_ = end_of("b");
    far_b_ = end_of("a");
    a_->transport.answer(std::make_unique<FakeConnection>(far_a_));
    b_->transport.accept(std::make_unique<FakeConnection>(far_b_));
  }
  // What a believes to be on its way to b, which does not read.
  void fill_the_way_to_b(std::size_t bytes) { far_a_->queued = bytes; }
  void disconnect() {
    if (far_a_) far_a_->hang_up();
    if (far_b_) far_b_->hang_up();
    far_a_ = far_b_ = nullptr;
  }

  // Lets everything go on until the condition holds; a minute of the nodes' time, at most.
  void until(const std::function<bool()>& condition) {
    for (int i = 0; i < 6000; ++i) {
      turn();
      if (condition()) return;
    }
    FAIL("it did not come to that");
  }
  // A node looks at its whole folder.
  void look(Side& side) {
    bool done = false;
    side.folder().take_in({}, true, [&] { done = true; });
    until([&] { return done; });
  }
  // A node looks at one path, as when something hints at it.
  void look_at(Side& side, const std::string& path) {
    bool done = false;
    side.folder().take_in({DiskWorld::path(path)}, false, [&] { done = true; });
    until([&] { return done; });
  }
  void look_and_sync(Side& side) {
    look(side);
    until_in_sync();
  }
  void until_in_sync() {
    until([&] { return a_->node.in_sync() && b_->node.in_sync(); });
  }

  FakeClock clock{
      {std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
           .count()}};
  FakeRandom random;
  QueueWorker worker;

 private:
  static std::shared_ptr<FarEnd> end_of(const std::string& peer) {
    auto far = std::make_shared<FarEnd>();
    far->identity.names = {{peer}};
    far->identity.address = peer + ":1";
    return far;
  }
  void turn() {
    worker.run_all();
    carry(far_a_, far_b_);
    carry(far_b_, far_a_);
    clock.advance(std::chrono::milliseconds(10));
  }
  // What one node sent comes out at the other.
  static void carry(const std::shared_ptr<FarEnd>& from, const std::shared_ptr<FarEnd>& to) {
    if (!from || !to || from->heard.empty()) return;
    const std::string bytes = std::exchange(from->heard, {});
    to->say(bytes);
  }

  std::shared_ptr<FarEnd> far_a_;
  std::shared_ptr<FarEnd> far_b_;
  std::unique_ptr<Side> a_;
  std::unique_ptr<Side> b_;
};

}  // namespace dagsync
