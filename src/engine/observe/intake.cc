#include "dagsync/engine/observe/intake.h"

#include <algorithm>
#include <utility>

#include "intake_round.h"

namespace dagsync {

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
  touched_ = {};
  in_hand_ = paths.size();
  round->hinted = {paths.begin(), paths.end()};
  if (!round->whole) {
    look(round, first_looks(*round, paths));
    return;
  }
  scanning_ = true;
  scan_all(round);
}

// A scan of another folder than ours would find everything deleted.
void Intake::scan_all(const std::shared_ptr<Round>& round) {
  check_root([this, round](const std::optional<Error>& lost) {
    if (lost) {
      hooks_.root_lost(lost->message);
      round->batch = {};
      round->whole = false;
      deliver(round);
      return;
    }
    scanner_.scan({RelPath()},
                  [this, round](Scanner::Found found) { scanned(round, {}, std::move(found)); });
  });
}

void Intake::look_at_root() {
  if (running_ || stopped_) return;  // a round asks for itself
  check_root([this](const std::optional<Error>& lost) {
    if (stopped_ || !lost) return;
    const bool may_pass = lost->code != ErrorCode::kNotFound && lost->code != ErrorCode::kInvalid;
    if (may_pass) return;  // as where files may not be opened now
    hooks_.root_lost(lost->message);
  });
}

void Intake::check_root(std::function<void(std::optional<Error>)> done) {
  worker_.compute(
      kPool, [this] { return disk_.identify_root(std::nullopt); },
      [this, done = std::move(done)](const Result<RootIdentity>& root) {
        std::optional<Error> lost;
        if (!root) lost = root.error();
        if (root && *root != root_)
          lost = Error{ErrorCode::kInvalid, "another directory stands at its path"};
        done(std::move(lost));
      });
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

// A close is mostly told. It is not where the file was opened under a name that is no more, never
// was (O_TMPFILE), or lies elsewhere (a hard link); nor where a lease of somebody else ends.
void Intake::watch_open() {
  if (open_timer_ != TimerId{}) return;
  open_timer_ = clock_.after(Round::kPollInterval, [this] {
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
