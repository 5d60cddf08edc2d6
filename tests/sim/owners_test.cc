// Owners between machines that keep them and one that does not, told step by step.
#include <doctest/doctest.h>

#include <array>

#include "dagsync/base/log.h"
#include "machine.h"

namespace dagsync::sim {
namespace {

constexpr const char* kDaemon = "dagsync:dagsync";

// Three machines in one mesh; the second one does not keep owners.
class Mesh {
 public:
  Mesh() : events_(1), network_(events_) {
    log::set_level(log::Level::kOff);
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      machines_[i] = std::make_unique<Machine>(events_, network_, "n" + std::to_string(i + 1),
                                               FileSystem::Journal::kOrdered);
      machines_[i]->keeps_owners = i != 1;
    }
    for (auto& machine : machines_)
      boot(*machine);
    until_equal();
  }

  Machine& at(std::size_t number) { return *machines_[number - 1]; }
  void boot(Machine& machine) {
    FolderConfig config;
    config.name = "dags";
    config.path = "/folder";
    std::vector<PeerConfig> peers;
    for (const auto& other : machines_) {
      if (other.get() != &machine) peers.push_back({{other->name}, {other->name + ":7411"}});
    }
    Machine::Hooks hooks;
    hooks.committing = [](const Transaction&) {};
    hooks.on_step = [this, &machine] {
      if (steps_to_live_[&machine] > 0 && --steps_to_live_[&machine] == 0)
        machine.end(End::kKilled);
    };
    hooks.started = [](const Status& status) { CHECK(status.has_value()); };
    machine.boot(config, peers, std::move(hooks));
  }
  // The daemon is killed at that step from now, or a second later, and started again.
  void kill_and_boot(std::size_t number, int steps) {
    Machine& machine = at(number);
    steps_to_live_[&machine] = steps;
    run_for(std::chrono::seconds(1));
    steps_to_live_[&machine] = 0;
    machine.end(End::kKilled);
    REQUIRE(machine.bury());
    boot(machine);
  }
  void cut(std::size_t a, std::size_t b) {
    network_.block(at(a).name, at(b).name);
    network_.block(at(b).name, at(a).name);
  }

  [[nodiscard]] Inode inode(std::size_t number, const std::string& path) {
    return at(number).files.walk(at(number).root(), path);
  }
  Inode make(std::size_t number, const std::string& name, FileType type) {
    Machine& machine = at(number);
    return machine.files.make({machine.root(), name}, type, 0755, "bytes");
  }
  void chown(std::size_t number, const std::string& path, const std::string& owner) {
    at(number).files.set_owner(inode(number, path), owner);
  }
  void edit(std::size_t number, const std::string& path, const std::string& bytes) {
    at(number).files.write(inode(number, path), bytes);
  }
  [[nodiscard]] std::string owner(std::size_t number, const std::string& path) {
    return at(number).files.owner_of(inode(number, path));
  }
  [[nodiscard]] const Record& record(std::size_t number, const std::string& path) {
    const IndexEntry* entry = at(number).folder().replica().index().find(*RelPath::parse(path));
    REQUIRE(entry != nullptr);
    return entry->record;
  }
  [[nodiscard]] std::string recorded(std::size_t number, const std::string& path) {
    return *record(number, path).content.owner;
  }
  // Whose change it is that stands there.
  [[nodiscard]] std::string author(std::size_t number, const std::string& path) {
    return record(number, path).origin.author.node().value;
  }
  [[nodiscard]] Sequence sequence(std::size_t number) {
    return at(number).folder().replica().sequence();
  }

  void run_for(Duration time) {
    const MonoNanos limit = events_.now() + time;
    while (events_.run_next(limit)) {
    }
  }
  // Each has the same records, and nothing is on its way.
  void until_equal() {
    const MonoNanos limit = events_.now() + std::chrono::seconds(60);
    run_for(std::chrono::seconds(1));  // hints and quiet times
    while (!is_equal() && events_.run_next(limit)) {
    }
    CHECK(is_equal());
  }

 private:
  [[nodiscard]] std::map<RelPath, Record> records(std::size_t number) {
    std::map<RelPath, Record> all;
    for (const auto& [path, entry] : at(number).folder().replica().index().entries())
      all.emplace(path, entry.record);
    return all;
  }
  [[nodiscard]] bool is_equal() {
    const bool is_at_rest = std::all_of(machines_.begin(), machines_.end(), [](const auto& each) {
      return each->is_ready() && each->folder().is_at_rest();
    });
    return is_at_rest && records(1) == records(2) && records(1) == records(3);
  }

  Events events_;
  Network network_;
  std::map<Machine*, int> steps_to_live_;
  std::array<std::unique_ptr<Machine>, 3> machines_;
};

}  // namespace

TEST_CASE(
    "an owner travels from one keeping node to the other, and one that keeps none erases it") {
  Mesh mesh;
  mesh.cut(1, 3);  // all that they hear of each other, the second one passes on
  (void)mesh.make(1, "a.py", FileType::kFile);
  (void)mesh.make(1, "d", FileType::kDirectory);
  (void)mesh.make(1, "l", FileType::kSymlink);
  mesh.chown(1, "a.py", "alice:users");
  mesh.chown(1, "d", "bob:users");
  mesh.chown(1, "l", "carol:users");
  mesh.until_equal();
  CHECK(mesh.owner(3, "a.py") == "alice:users");
  CHECK(mesh.owner(3, "d") == "bob:users");
  CHECK(mesh.owner(3, "l") == "carol:users");
  CHECK(mesh.owner(2, "a.py") == kDaemon);
  CHECK(mesh.owner(2, "d") == kDaemon);
  CHECK(mesh.recorded(2, "a.py") == "alice:users");

  SUBCASE("a chown of what stands there already") {
    const Inode before = mesh.inode(3, "a.py");
    mesh.chown(3, "a.py", "dave:staff");
    mesh.chown(3, "d", "dave:staff");
    mesh.chown(3, "l", "dave:staff");
    mesh.until_equal();
    CHECK(mesh.owner(1, "a.py") == "dave:staff");
    CHECK(mesh.owner(1, "d") == "dave:staff");
    CHECK(mesh.owner(1, "l") == "dave:staff");
    CHECK(mesh.inode(3, "a.py") == before);
  }
  SUBCASE("an edit, a chmod and a chown on the node between") {
    mesh.edit(2, "a.py", "edited");
    mesh.chown(2, "a.py", "mallory:users");
    mesh.at(2).files.set_mode(mesh.inode(2, "d"), 0700);
    mesh.until_equal();
    CHECK(mesh.owner(1, "a.py") == "alice:users");
    CHECK(mesh.owner(3, "a.py") == "alice:users");
    CHECK(mesh.owner(3, "d") == "bob:users");
    CHECK(*mesh.at(3).files.at(mesh.inode(3, "a.py")).bytes == "edited");
  }
  SUBCASE("an edit in place on the other keeping node") {
    mesh.edit(3, "a.py", "edited");
    mesh.until_equal();
    CHECK(mesh.owner(1, "a.py") == "alice:users");
  }
}

TEST_CASE("what nobody has told the owner of is left alone, and told with its next change") {
  Mesh mesh;
  (void)mesh.make(2, "a.py", FileType::kFile);
  (void)mesh.make(2, "d", FileType::kDirectory);
  mesh.until_equal();
  CHECK(mesh.recorded(1, "a.py").empty());
  CHECK(mesh.owner(1, "a.py") == kDaemon);
  // No echo, not even after a comparison of everything.
  const Sequence before = mesh.sequence(1) + mesh.sequence(3);
  mesh.run_for(std::chrono::minutes(21));
  CHECK(mesh.sequence(1) + mesh.sequence(3) == before);
  CHECK(mesh.recorded(1, "a.py").empty());

  mesh.chown(1, "a.py", "alice:users");
  mesh.chown(1, "d", "alice:users");
  mesh.until_equal();
  CHECK(mesh.owner(3, "a.py") == "alice:users");
  CHECK(mesh.owner(3, "d") == "alice:users");
}

TEST_CASE("a crash at any step of publishing owners is no edit") {
  Mesh mesh;
  (void)mesh.make(1, "a.py", FileType::kFile);
  (void)mesh.make(1, "d", FileType::kDirectory);
  (void)mesh.make(1, "l", FileType::kSymlink);
  (void)mesh.make(2, "b.py", FileType::kFile);  // nobody tells of its owner
  mesh.until_equal();
  for (int steps = 1; steps <= 60; ++steps) {
    const std::size_t victim = 2 + static_cast<std::size_t>(steps % 2);
    CAPTURE(steps);
    CAPTURE(victim);
    const std::string owner = "user" + std::to_string(steps) + ":users";
    for (const char* name : {"a.py", "d", "l"})
      mesh.chown(1, name, owner);
    if (steps % 3 != 0) mesh.edit(1, "a.py", "one " + std::to_string(steps));
    if (victim == 3) mesh.edit(2, "b.py", "two " + std::to_string(steps));
    mesh.kill_and_boot(victim, steps);
    mesh.until_equal();
    for (const char* name : {"a.py", "d", "l"}) {
      CAPTURE(name);
      CHECK(mesh.owner(1, name) == owner);
      CHECK(mesh.owner(3, name) == owner);
      CHECK(mesh.recorded(2, name) == owner);
      CHECK(mesh.author(3, name) == "n1");
    }
    CHECK(mesh.recorded(3, "b.py").empty());
    CHECK(mesh.author(3, "b.py") == "n2");
  }
}

}  // namespace dagsync::sim
