// From a hint to an observation: what happened on this disk, in batches that belong together. One
// batch is looked at at a time, so an older look can never follow a newer one. Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "dagsync/core/ignore.h"
#include "dagsync/core/replica.h"
#include "dagsync/core/settler.h"
#include "dagsync/engine/config.h"
#include "dagsync/engine/observe/observer.h"
#include "dagsync/engine/observe/scanner.h"
#include "dagsync/engine/transfer/block_cache.h"
#include "dagsync/engine/transfer/signature_cache.h"
#include "dagsync/ports/clock.h"
#include "dagsync/ports/watcher.h"

namespace dagsync {

class Intake {
 public:
  using Bytes = std::map<Digest, std::shared_ptr<const std::string>>;
  struct Batch {
    std::vector<Observation> seen;
    Bytes bytes;                               // of small files that were read
    std::map<Digest, Announce::Delta> deltas;  // of large ones, from what they were before
    std::vector<Scanner::Trouble> troubles;
    std::vector<RelPath> looked_at;  // all of them: an earlier trouble with one is over
    bool whole = false;              // the whole folder was compared
    DeletePolicy policy = DeletePolicy::kGuard;
  };
  struct Hooks {
    std::function<void(Batch)> observed;
    std::function<void(std::string)> root_lost;  // why: the folder must halt
    std::function<UnixNanos()> alive_at;         // when disk and index were last known to agree
    std::function<bool(const RelPath&)> is_publishing;
  };

  Intake(Clock& clock, Worker& worker, Disk& disk, Watcher& watcher, const Index& index,
         const IgnoreRules& rules, Hooks hooks);
  ~Intake();

  void configure(const FolderConfig& config);
  void expect_root(RootIdentity root) { root_ = std::move(root); }

  void hint(const std::vector<Hint>& hints);
  void look_at(const RelPath& path);  // as if it had been hinted
  // Compares the whole folder with the index, soon.
  void rescan(DeletePolicy policy = DeletePolicy::kGuard);
  // A power cut may have taken what the index has at these paths: until a look has told, what went
  // back there is nobody's edit.
  void suspect(std::set<RelPath> paths) { suspects_ = std::move(paths); }
  [[nodiscard]] bool has_suspects() const { return !suspects_.empty(); }
  // Takes what waits at once, without a quiet time; `done` when it, and all that was under way, has
  // been observed.
  void flush(std::function<void()> done);
  // A path is being published, or was: a look that began before says nothing any more.
  void touched(const RelPath& path);
  // Until release() nothing is looked at, and what is hinted at is forgotten; call rescan() then.
  void hold();
  void release();
  void stop();

  [[nodiscard]] bool busy() const {
    return running_ || !settler_.empty() || !deferred_.empty() || rescan_wanted_;
  }
  [[nodiscard]] bool scanning() const { return scanning_; }
  [[nodiscard]] std::size_t pending() const {
    return settler_.waiting() + deferred_.size() + in_hand_;
  }
  [[nodiscard]] const std::set<RelPath>& open_files() const { return open_; }
  // Otherwise what could not is looked at again now and then, and not in sync until then.
  [[nodiscard]] bool could_read_all() const { return failed_.empty() && unlisted_.empty(); }
  void retry_failed();
  // Not every end of a folder is an event: a lazy unmount, or one that is moved, is none.
  void look_at_root();
  [[nodiscard]] const std::set<RelPath>& unwatched() const { return unwatched_; }
  // Files of which nobody can say whether a writer has them open.
  [[nodiscard]] const std::set<RelPath>& unleased() const { return unleased_; }

 private:
  struct Round;
  void arm();
  void begin();
  void defer_publishing(std::vector<RelPath>& paths);
  void scan_all(const std::shared_ptr<Round>& round);
  // Whether our folder still stands at its path; none, or why not.
  void check_root(std::function<void(std::optional<Error>)> done);
  [[nodiscard]] std::vector<LookAt> first_looks(Round& round, const std::vector<RelPath>& paths);
  [[nodiscard]] std::vector<LookAt> second_looks(const Round& round,
                                                 const std::set<RelPath>& scanned);
  [[nodiscard]] LookAt known_of(const Round& round, const RelPath& path);
  void look(const std::shared_ptr<Round>& round, std::vector<LookAt> at);
  [[nodiscard]] std::set<RelPath> sort_looks(Round& round, std::vector<LookResult> looks);
  static void forget_what_changed(Round& round, const std::vector<LookResult>& looks);
  void scanned(const std::shared_ptr<Round>& round, const std::set<RelPath>& directories,
               Scanner::Found found);
  [[nodiscard]] std::vector<RelPath> other_names(Round& round) const;
  void conclude(const std::shared_ptr<Round>& round);
  void deliver(const std::shared_ptr<Round>& round);
  void expand_absences(Round& round);
  void acquit(const Batch& batch);
  void poll_unwatched();
  void watch_open();

  Clock& clock_;
  Worker& worker_;
  Disk& disk_;
  const Index& index_;
  const IgnoreRules& rules_;
  Hooks hooks_;
  Settler settler_;
  Observer observer_;
  Scanner scanner_;
  SignatureCache signatures_;
  BlockCache blocks_;
  RootIdentity root_;
  TimerId timer_;
  TimerId rescan_timer_;
  TimerId poll_timer_;
  TimerId open_timer_;
  Duration rescan_interval_{};
  bool running_ = false;
  bool scanning_ = false;
  bool rescan_wanted_ = false;
  bool take_now_ = false;
  bool stopped_ = false;
  bool held_ = false;
  DeletePolicy rescan_policy_ = DeletePolicy::kGuard;
  std::size_t in_hand_ = 0;
  std::set<RelPath> suspects_;
  std::unordered_set<RelPath> touched_;
  std::set<RelPath> deferred_;  // hinted while they are being published
  std::set<RelPath> open_;
  std::set<RelPath> failed_;
  std::set<RelPath> unlisted_;  // directories whose names could not be read
  std::set<RelPath> unwatched_;
  std::set<RelPath> unleased_;
  std::vector<std::function<void()>> flushed_;        // when the next round is over
  std::vector<std::function<void()>> round_flushed_;  // when this one is
};

}  // namespace dagsync
