// A mesh of simulated machines, the people on them, and everything that goes wrong: all from one
// seed. First faults, while safety is checked at every step; then all is mended, and within a
// bounded time everything must be the same everywhere.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "machine.h"
#include "people.h"
#include "story.h"

namespace dagsync::sim {

struct Options {
  std::uint64_t seed = 1;
  int nodes = 0;                                // 0: 3 to 7, the seed decides
  int steps = 60;                               // deeds and faults before everything is mended
  bool disasters = false;                       // rare ones, besides the faults
  std::function<void(Machine&)> break_machine;  // a defect, on every machine
  Network::MakeRewrite break_network;
};

struct Violation {
  std::string what;
  RelPath path;
};

// Somebody at work on one machine: what he does takes several steps.
struct Task {
  std::string name;
  std::deque<std::function<void()>> steps;
};

class World {
 public:
  explicit World(Options options);

  // All of it; none: every check held.
  std::optional<Violation> run();

  // -- for stories that are told step by step -----------------------------------------------------
  void boot_all();
  void run_for(Duration time);  // or until a check fails
  bool run_until(const std::function<bool()>& condition, Duration most);
  void heal();  // and demands that all become equal
  void act();   // one step: what a die says
  void fail(std::string what, const RelPath& path = RelPath());

  [[nodiscard]] Machine& machine(std::size_t number) { return *machines_[number]; }
  [[nodiscard]] std::size_t size() const { return machines_.size(); }
  [[nodiscard]] const std::optional<Violation>& violation() const { return violation_; }
  [[nodiscard]] const Story& story() const { return story_; }
  [[nodiscard]] People& people() { return people_; }
  [[nodiscard]] Seeded& dice() { return dice_; }
  [[nodiscard]] Network& network() { return network_; }
  [[nodiscard]] MonoNanos now() const { return events_.now(); }
  void tell(const std::string& machine, const RelPath& path, std::string what) {
    story_.tell(events_.now(), machine, path, std::move(what));
  }

  // -- what stands on a disk ----------------------------------------------------------------------
  [[nodiscard]] Content content_of(const Machine& machine, Inode inode);
  [[nodiscard]] Content content_at(const Machine& machine, const RelPath& path);
  using Tree = std::map<RelPath, Content>;
  [[nodiscard]] Tree tree_of(const Machine& machine, const RelPath& below = RelPath());

  // -- people (editors.cc) ------------------------------------------------------------------------
  // Does it, and notes what became of these paths and of all below them.
  void touching(Machine& machine, const std::vector<RelPath>& paths,
                const std::function<void()>& deed);
  [[nodiscard]] std::vector<RelPath> with_other_names(const Machine& machine,
                                                      std::vector<RelPath> paths);
  void start_task(Machine& machine, Task task);
  void someone_edits(Machine& machine);

  // -- faults (faults.cc) -------------------------------------------------------------------------
  void boot(Machine& machine);
  void boot_later(Machine& machine, Duration pause);
  void disaster();  // disasters.cc
  void cut_power(Machine& machine) { machine.end(End::kPowerCut); }

  // -- checks (checks.cc) -------------------------------------------------------------------------
  void check_truth(Machine& machine, bool drained);

 private:
  struct Flux {  // a file that somebody is writing in place
    Version before;
    RelPath path;
  };
  friend class Hand;

  void after_event();
  void died(Machine& machine, End how);
  void touch_what_nobody_could_see(Machine& machine);
  void after_power_cut(Machine& machine, const Tree& before);
  [[nodiscard]] std::map<KeptId, Content> unsynced_kept(const Machine& machine);
  void forgive_kept(const Machine& machine, const std::map<KeptId, Content>& unsynced);
  void fault();
  void adopt_flux(Machine& machine);
  void send_people_home(Machine& machine);
  [[nodiscard]] bool is_delete_known_elsewhere(const Machine& machine, const RelPath& path) const;
  void forgive_all_on(const Machine& machine);
  void lose(Machine& machine);
  void put_away(Machine& machine, bool leaves_empty_one);
  void put_back(Machine& machine);
  void resume_halted();
  [[nodiscard]] Machine::Hooks hooks_of(Machine& machine);
  void step_of(Machine& machine);
  bool run_task_step(Machine& machine);

  void check_commit(const Machine& machine, const Transaction& transaction);
  // `old`: what the index had there.
  void check_entry(const Machine& machine, const RelPath& path, const Record* old,
                   const IndexEntry& entry, bool recovering);
  void check_published(const Machine& machine, const RelPath& path, Inode old, Inode now);
  void check_discarded(const Machine& machine, Inode inode);
  void check_bounds(Machine& machine);
  void check_end();
  [[nodiscard]] std::string differences();
  [[nodiscard]] std::string what_it_says(Machine& machine);
  // Whether these bytes stand in the folder, too, or are a kept version in the catalogue.
  [[nodiscard]] bool has_copy(const Machine& machine, Inode inode);
  [[nodiscard]] bool is_held(const Version& version, const RelPath& path, const Content& content,
                             const Machine* but);
  // Whether another node shows this change, or has a record that has seen it.
  [[nodiscard]] bool is_known_elsewhere(const Machine& machine, const RelPath& path,
                                        const Record& record);

  Options options_;
  Seeded dice_;
  Seeded disaster_dice_;  // of its own, so that the rest stays as it was until the first one
  Events events_;
  Network network_;
  People people_;
  Story story_;
  std::optional<Violation> violation_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::map<const Machine*, std::list<std::shared_ptr<Task>>> tasks_;
  std::map<std::pair<const Machine*, Inode>, Flux> flux_;
  std::map<const Machine*, MonoNanos> last_trouble_;
  std::set<std::pair<const Machine*, Inode>> moved_;  // published while another name stood
  std::set<ChangeId> authored_;
  std::set<std::pair<const Machine*, Version>> torn_;  // what a power cut left of a content
  std::map<std::pair<const Machine*, RelPath>, ChangeId> last_rows_;  // whose record each row has
  std::unordered_map<const std::string*, std::pair<Bytes, Digest>> digests_;
  FolderConfig config_;
  bool is_stormy_ = false;
};

}  // namespace dagsync::sim
