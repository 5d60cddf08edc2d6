#include "dagsync/engine/intake.h"

#include <algorithm>
#include <utility>

#include "dagsync/base/log.h"

namespace dagsync {
namespace {

constexpr Duration kPollInterval = std::chrono::seconds(2);
constexpr std::uint64_t kKeptBytesMost = 64 << 20;  // of small contents, a round

}  // namespace

struct Intake::Round {
  Batch batch;
  bool whole = false;
  UnixNanos moment;      // of the looks
  UnixNanos gone_since;  // the moment of deletes that are found by a scan
  std::set<RelPath> hinted;
  std::set<RelPath> looked;
  std::set<std::uint64_t> linked;  // inodes with several names, seen and not followed up
  std::uint64_t kept_bytes = 0;
};

Intake::Intake(Clock& clock, Worker& worker, Disk& disk, Watcher& watcher, const Index& index,
               const IgnoreRules& rules, Hooks hooks)
    : clock_(clock),
      worker_(worker),
      disk_(disk),
      index_(index),
      rules_(rules),
      hooks_(std::move(hooks)),
      settler_(Duration(0), Duration(0)),
      observer_(worker, disk),
      scanner_(worker, disk, watcher, index, rules) {}

Intake::~Intake() {
  stop();
}

void Intake::stop() {
  stopped_ = true;
  for (TimerId* timer : {&timer_, &rescan_timer_, &poll_timer_, &open_timer_}) {
    clock_.cancel(std::exchange(*timer, {}));
  }
}

void Intake::configure(const FolderConfig& config) {
  settler_.set_times(config.settle, config.settle_max);
  rescan_interval_ = config.rescan_interval;
  clock_.cancel(std::exchange(rescan_timer_, {}));
  if (rescan_interval_ > Duration(0)) {
    rescan_timer_ = clock_.after(rescan_interval_, [this] {
      rescan_timer_ = {};
      rescan();
    });
  }
}

void Intake::hold() {
  held_ = true;
  settler_.clear();
  deferred_.clear();
  clock_.cancel(std::exchange(timer_, {}));
}

void Intake::release() {
  held_ = false;
  settler_.clear();
}

void Intake::hint(const std::vector<Hint>& hints) {
  if (held_) return;
  for (const Hint& hint : hints) {
    if (rules_.ignores(hint.path, hint.is_directory)) continue;
    settler_.add(hint.path, clock_.mono(), !hint.is_directory);
  }
  if (settler_.overflowed()) rescan_wanted_ = true;
  arm();
}

void Intake::look_at(const RelPath& path) {
  settler_.add(path, clock_.mono());
  arm();
}

void Intake::rescan(DeletePolicy policy) {
  rescan_wanted_ = true;
  if (policy != DeletePolicy::kGuard) rescan_policy_ = policy;
  arm();
}

void Intake::flush(std::function<void()> done) {
  flushed_.push_back(std::move(done));
  take_now_ = true;
  arm();
}

// Begins no look itself: the index is told only after this what stands there now.
void Intake::touched(const RelPath& path) {
  if (running_) touched_.insert(path);
  if (hooks_.is_publishing(path) || deferred_.erase(path) == 0) return;
  settler_.add(path, clock_.mono());
  if (running_ || stopped_ || timer_ != TimerId{}) return;
  timer_ = clock_.after(Duration(0), [this] {
    timer_ = {};
    arm();
  });
}

// What is being published now would have to be looked at again after that.
void Intake::defer_publishing(std::vector<RelPath>& paths) {
  std::erase_if(paths, [this](const RelPath& path) {
    const bool defer = hooks_.is_publishing(path);
    if (defer) deferred_.insert(path);
    return defer;
  });
}

void Intake::arm() {
  if (running_ || stopped_ || held_) return;
  const auto due = settler_.due();
  const MonoNanos now = clock_.mono();
  if (rescan_wanted_ || take_now_ || (due && *due <= now)) {
    begin();
    return;
  }
  clock_.cancel(std::exchange(timer_, {}));
  if (!due) return;
  timer_ = clock_.after(*due - now, [this] {
    timer_ = {};
    arm();
  });
}

void Intake::begin() {
  running_ = true;
  clock_.cancel(std::exchange(timer_, {}));
  auto round = std::make_shared<Round>();
  round->moment = clock_.now();
  round->gone_since = std::min(hooks_.alive_at(), round->moment);
  round->whole = std::exchange(rescan_wanted_, false);
  round->batch.whole = round->whole;
  round->batch.policy = std::exchange(rescan_policy_, DeletePolicy::kGuard);
  const bool all = std::exchange(take_now_, false) || round->whole;
  std::vector<RelPath> paths = all ? settler_.take_all() : settler_.take(clock_.mono());
  if (round->whole) settler_.clear();
  defer_publishing(paths);
  round_flushed_ = std::exchange(flushed_, {});
  touched_.clear();
  in_hand_ = paths.size();
  round->hinted = {paths.begin(), paths.end()};
  if (!round->whole) {
    look(round, std::move(paths));
    return;
  }
  scanning_ = true;
  check_root(round);
}

// A scan of another folder than ours would find everything deleted.
void Intake::check_root(const std::shared_ptr<Round>& round) {
  worker_.compute(
      kPool, [this] { return disk_.identify_root(std::nullopt); },
      [this, round](const Result<RootIdentity>& root) {
        if (!root || *root != root_) {
          hooks_.root_lost(root ? "another directory stands at its path" : root.error().message);
          round->batch = {};
          round->whole = false;
          deliver(round);
          return;
        }
        scanner_.scan({RelPath()},
                      [this, round](Scanner::Found found) { scanned(round, std::move(found)); });
      });
}

void Intake::look_at_root() {
  if (running_ || stopped_) return;  // a round asks for itself
  worker_.compute(
      kPool, [this] { return disk_.identify_root(std::nullopt); },
      [this](const Result<RootIdentity>& root) {
        if (stopped_ || (root && *root == root_)) return;
        const bool may_pass = !root && root.error().code != ErrorCode::kNotFound &&
                              root.error().code != ErrorCode::kInvalid;
        if (may_pass) return;  // as where files may not be opened now
        hooks_.root_lost(root ? "another directory stands at its path" : root.error().message);
      });
}

void Intake::scanned(const std::shared_ptr<Round>& round, Scanner::Found found) {
  auto& troubles = round->batch.troubles;
  unlisted_.insert(found.unlisted.begin(), found.unlisted.end());
  troubles.insert(troubles.end(), found.troubles.begin(), found.troubles.end());
  for (const RelPath& path : found.halted) {
    troubles.push_back({path,
                        "another file system is mounted here: neither it nor what it hides is "
                        "replicated; unmount it, or give it a [[folder]] of its own"});
  }
  if (round->whole) unwatched_.clear();
  unwatched_.insert(found.unwatched.begin(), found.unwatched.end());
  if (!unwatched_.empty() && poll_timer_ == TimerId{}) {
    poll_timer_ = clock_.after(kPollInterval, [this] { poll_unwatched(); });
  }
  std::vector<RelPath> paths = std::move(found.differing);
  if (round->whole) paths.insert(paths.end(), round->hinted.begin(), round->hinted.end());
  look(round, std::move(paths));
}

void Intake::retry_failed() {
  if (failed_.empty() && unlisted_.empty()) return;
  std::set<RelPath> paths = failed_;
  paths.merge(std::exchange(unlisted_, {}));
  if (paths.erase(RelPath()) > 0) rescan_wanted_ = true;
  for (const RelPath& path : paths)
    settler_.add(path, clock_.mono());
  arm();
}

void Intake::poll_unwatched() {
  poll_timer_ = {};
  for (const RelPath& directory : unwatched_)
    settler_.add(directory, clock_.mono());
  unwatched_.clear();
  arm();
}

void Intake::look(const std::shared_ptr<Round>& round, std::vector<RelPath> paths) {
  std::vector<LookAt> at;
  for (const RelPath& path : paths) {
    if (path.is_root() || !round->looked.insert(path).second) continue;
    LookAt look;
    look.path = path;
    look.sign = !round->whole;
    look.suspect = suspects_.contains(path);
    const IndexEntry* entry = index_.find(path);
    if (entry != nullptr) look.known_state = entry->disk;
    if (entry != nullptr && entry->record.is_live()) {
      look.known = entry->record.content;
      look.signature = signatures_.find(look.known.digest);
      look.blocks = blocks_.find(look.known.digest);
    }
    at.push_back(std::move(look));
  }
  if (at.empty()) {
    conclude(round);
    return;
  }
  in_hand_ = round->looked.size();
  const bool keep = round->kept_bytes < kKeptBytesMost;
  observer_.look(std::move(at), round->moment, keep, [this, round](std::vector<LookResult> looks) {
    std::vector<RelPath> directories;
    sort_looks(*round, std::move(looks), directories);
    if (directories.empty()) {
      conclude(round);
      return;
    }
    scanner_.scan(std::move(directories),
                  [this, round](Scanner::Found found) { scanned(round, std::move(found)); });
  });
}

// A close is mostly told. It is not where the file was opened under a name that is no more, never
// was (O_TMPFILE), or lies elsewhere (a hard link); nor where a lease of somebody else ends.
void Intake::watch_open() {
  if (open_timer_ != TimerId{}) return;
  open_timer_ = clock_.after(kPollInterval, [this] {
    open_timer_ = {};
    worker_.compute(
        kPool,
        [this, paths = std::vector<RelPath>(open_.begin(), open_.end())]() mutable {
          std::erase_if(paths, [this](const RelPath& path) {
            return disk_.check_writer(path) == WriterCheck::kWriter;
          });
          return paths;
        },
        [this](const std::vector<RelPath>& closed) {
          if (stopped_) return;
          for (const RelPath& path : closed)
            settler_.add(path, clock_.mono());
          if (!open_.empty()) watch_open();
          arm();
        });
  });
}

// Sorts the looks into the batch; a hinted directory must be scanned, for it may be a new one.
void Intake::sort_looks(Round& round, std::vector<LookResult> looks,
                        std::vector<RelPath>& directories) {
  for (LookResult& look : looks) {
    const RelPath& path = look.seen.path;
    open_.erase(path);
    failed_.erase(path);
    const bool is_file = look.seen.disk && look.seen.disk->type == FileType::kFile;
    if (look.degraded) {
      unleased_.insert(path);
    } else if (look.asked || !is_file) {
      unleased_.erase(path);
    }
    switch (look.outcome) {
      case LookResult::Outcome::kOpen:
        open_.insert(path);
        watch_open();
        continue;
      case LookResult::Outcome::kMoving:
        settler_.add(path, clock_.mono());
        continue;
      case LookResult::Outcome::kFailed:
        round.batch.troubles.push_back({path, look.error});
        failed_.insert(path);
        continue;
      case LookResult::Outcome::kSpecial:
        round.batch.troubles.push_back(
            {path, "a socket, device or FIFO is not replicated: ignore it, or remove it"});
        look.seen.content = {};
        look.seen.disk.reset();
        break;
      case LookResult::Outcome::kSeen:
        break;
    }
    const bool is_directory = look.seen.content.kind == Kind::kDirectory;
    // Of what is gone only the index knows whether it was a directory.
    const IndexEntry* known = index_.find(path);
    const bool was_directory = look.seen.content.kind == Kind::kTombstone && known != nullptr &&
                               known->record.content.kind == Kind::kDirectory;
    if (rules_.ignores(path, is_directory || was_directory)) continue;
    if (look.seen.disk && !is_directory && look.seen.disk->links > 1) {
      round.linked.insert(look.seen.disk->inode);
    }
    const bool hinted = round.hinted.contains(path);
    if (is_directory && hinted && !round.whole) directories.push_back(path);
    if (look.seen.content.kind == Kind::kTombstone && !hinted) look.seen.moment = round.gone_since;
    const Digest digest = look.seen.content.digest;
    if (!look.signature.empty()) signatures_.put(digest, std::move(look.signature));
    if (look.blocks) blocks_.put(digest, std::move(look.blocks));
    const IndexEntry* entry = index_.find(path);
    if (!look.delta.empty() && entry != nullptr) {
      round.batch.deltas[digest] = {entry->record.content.digest, std::move(look.delta)};
    }
    if (look.bytes) {
      round.kept_bytes += look.bytes->size();
      round.batch.bytes.emplace(look.seen.content.digest, std::move(look.bytes));
    }
    round.batch.seen.push_back(std::move(look.seen));
  }
}

// A write through one hard link is a change of each name, but hinted for that one alone.
std::vector<RelPath> Intake::other_names(Round& round) const {
  std::vector<RelPath> names;
  const auto inodes = std::exchange(round.linked, {});
  if (inodes.empty() || round.whole) return names;
  for (const auto& [path, entry] : index_.entries()) {
    const bool same = entry.disk && inodes.contains(entry.disk->inode);
    if (same && !round.looked.contains(path)) names.push_back(path);
  }
  return names;
}

// Before a delete is believed: is this still our folder?
void Intake::conclude(const std::shared_ptr<Round>& round) {
  if (auto names = other_names(*round); !names.empty()) {
    look(round, std::move(names));
    return;
  }
  expand_absences(*round);
  const bool deletes =
      std::any_of(round->batch.seen.begin(), round->batch.seen.end(),
                  [](const Observation& seen) { return seen.content.kind == Kind::kTombstone; });
  if (!deletes) {
    deliver(round);
    return;
  }
  worker_.compute(
      kPool, [this] { return disk_.identify_root(std::nullopt); },
      [this, round](const Result<RootIdentity>& root) {
        if (!root || *root != root_) {
          hooks_.root_lost(root ? "another directory stands at its path" : root.error().message);
          round->batch = {};
        }
        deliver(round);
      });
}

// Where a directory is gone, or is none any more, everything below it is gone too.
void Intake::expand_absences(Round& round) {
  std::vector<Observation> below;
  for (const Observation& seen : round.batch.seen) {
    if (seen.content.kind == Kind::kDirectory) continue;
    index_.visit_below(seen.path, [&](const RelPath& path, const IndexEntry& entry) {
      const bool ignored = rules_.ignores(path, entry.record.content.kind == Kind::kDirectory);
      if (entry.record.is_live() && !ignored && round.looked.insert(path).second) {
        below.push_back({path, {}, std::nullopt, seen.moment});
      }
      return true;
    });
  }
  auto& all = round.batch.seen;
  all.insert(all.end(), std::make_move_iterator(below.begin()),
             std::make_move_iterator(below.end()));
}

// What was seen, or will not be, is no suspect any more.
void Intake::acquit(const Batch& batch) {
  for (const Observation& seen : batch.seen)
    suspects_.erase(seen.path);
  if (!batch.whole) return;
  std::erase_if(suspects_, [this](const RelPath& path) {
    return !open_.contains(path) && !failed_.contains(path);
  });
}

void Intake::deliver(const std::shared_ptr<Round>& round) {
  running_ = false;
  scanning_ = false;
  in_hand_ = 0;
  std::erase_if(round->batch.seen, [&](const Observation& seen) {
    const bool stale = touched_.contains(seen.path) || hooks_.is_publishing(seen.path);
    if (stale) settler_.add(seen.path, clock_.mono());
    return stale;
  });
  for (const Observation& seen : round->batch.seen) {
    if (seen.content.kind == Kind::kTombstone) unleased_.erase(seen.path);
  }
  round->batch.looked_at = {round->looked.begin(), round->looked.end()};
  if (round->whole && rescan_interval_ > Duration(0)) {
    clock_.cancel(std::exchange(rescan_timer_, {}));
    rescan_timer_ = clock_.after(rescan_interval_, [this] {
      rescan_timer_ = {};
      rescan();
    });
  }
  acquit(round->batch);
  hooks_.observed(std::move(round->batch));
  for (auto& call : std::exchange(round_flushed_, {}))
    call();
  arm();
}

}  // namespace dagsync
