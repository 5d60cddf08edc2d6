#include "dagsync/engine/publish/journal.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace dagsync {

Journal::Journal(Clock& clock, Worker& worker, Lane lane, Disk& disk, Store& store, Hooks hooks)
    : clock_(clock),
      worker_(worker),
      lane_(lane),
      sync_lane_(worker.new_lane()),
      disk_(disk),
      store_(store),
      hooks_(std::move(hooks)) {}

Journal::~Journal() {
  clock_.cancel(hold_timer_);
}

Journal::Together::~Together() {
  if (of_ == Of::kEdits) --journal_.editing_;
  if (--journal_.together_ > 0) return;
  journal_.flush();
  journal_.sync();
}

void Journal::write(Transaction::Write write) {
  queue_.writes.push_back(std::move(write));
  flush();
  dirty_ = true;
  waited_for_ = waited_for_ || editing_ == 0;
  sync();
}

// Rows gather while a commit is under way, so a burst becomes a few transactions. Rows that could
// not be written go back to the front and wait for the next retry().
void Journal::flush() {
  if (flushing_ || together_ > 0) return;
  drop_outdated_clears();
  if (queue_.writes.empty()) return;
  flushing_ = true;
  auto transaction = std::make_shared<Transaction>(std::exchange(queue_, {}));
  flight_waiting_ = std::exchange(queue_waiting_, {});
  worker_.compute(
      lane_,
      [this, transaction, missing = rows_missing_] {
        Status status = store_.commit(*transaction, Durability::kLazy);
        missing->reset();
        if (!status) *missing = status.error();
        return status;
      },
      [this, transaction](const Status& status) {
        flushing_ = false;
        if (!status) {
          auto& writes = queue_.writes;
          writes.insert(writes.begin(), transaction->writes.begin(), transaction->writes.end());
          queue_waiting_.insert(queue_waiting_.begin(), flight_waiting_.begin(),
                                flight_waiting_.end());
          flight_waiting_.clear();
          hooks_.failed(status.error());
          return;
        }
        for (const auto& call : std::exchange(flight_waiting_, {}))
          call();
        flush();
        if (dirty_) sync();
      });
}

// A withdrawal that had to wait must not take the intent that the path has been given since.
void Journal::drop_outdated_clears() {
  std::erase_if(queue_.writes, [this](const Transaction::Write& write) {
    const auto* clear = std::get_if<Transaction::ClearIntent>(&write);
    return clear != nullptr && open_.contains(clear->path);
  });
}

void Journal::when_written(std::function<void()> call) {
  if (!queue_.writes.empty()) {
    queue_waiting_.push_back(std::move(call));
  } else if (flushing_) {
    flight_waiting_.push_back(std::move(call));
  } else {
    call();
  }
}

Journal::Mark Journal::open_intent(const RelPath& path) {
  const Mark mark{path, next_mark_++};
  open_[path] = mark.number;
  return mark;
}

void Journal::gather(std::vector<Mark> marks) {
  to_sync_.insert(to_sync_.end(), std::make_move_iterator(marks.begin()),
                  std::make_move_iterator(marks.end()));
  gathered_at_ = clock_.mono();
}

void Journal::gather(std::vector<RelPath> paths) {
  for (RelPath& path : paths)
    to_sync_.push_back(Mark{std::move(path)});
  gathered_at_ = clock_.mono();
}

void Journal::sync_later(std::vector<Mark> marks) {
  gather(std::move(marks));
  touch();
}

void Journal::sync_later(std::vector<RelPath> paths) {
  gather(std::move(paths));
  touch();
}

void Journal::sync_edits(std::vector<RelPath> paths, std::vector<Mark> marks) {
  if (paths.empty() && marks.empty()) return;
  gather(std::move(paths));
  gather(std::move(marks));
  dirty_ = true;
  sync();
}

void Journal::reconsider() {
  if (hold_timer_ != TimerId{}) sync();
}

void Journal::withdraw(const Mark& mark) {
  const auto it = open_.find(mark.path);
  if (it == open_.end() || it->second != mark.number) return;
  open_.erase(it);
  write(Transaction::ClearIntent{mark.path});
}

void Journal::touch() {
  waited_for_ = true;
  retry();
}

void Journal::retry() {
  dirty_ = true;
  sync();
}

void Journal::when_durable(std::function<void()> call) {
  waiting_.push_back(std::move(call));
  touch();
}

void Journal::close(std::function<void()> closed) {
  closing_ = true;
  closed_ = std::move(closed);
  touch();
}

// Each sync stands in the way of all that is written meanwhile: here of who copies files in, and of
// what is published, and on a disk that nodes share of everybody's. So there is one when a burst is
// over, and not one after the other.
bool Journal::has_to_hold() {
  const MonoNanos now = clock_.mono();
  clock_.cancel(std::exchange(hold_timer_, {}));
  const bool burst = waited_for_ && in_burst(now);
  const bool wishes = burst || (!waited_for_ && hooks_.is_spreading());
  const bool may = !closing_ && waiting_.empty();
  if (!wishes || !may || (held_since_ && now >= *held_since_ + kLongestHold)) {
    held_since_.reset();
    return false;
  }
  if (!held_since_) held_since_ = now;
  Duration wait = *held_since_ + kLongestHold - now;
  if (burst) wait = std::min(wait, kPauseInBurst);
  hold_timer_ = clock_.after(wait, [this] {
    hold_timer_ = {};
    sync();
  });
  return true;
}

bool Journal::in_burst(MonoNanos now) const {
  return to_sync_.size() > kMaxPathsSyncedSingly &&
         (hooks_.is_publishing() || now < gathered_at_ + kPauseInBurst);
}

// One group at a time; the next one takes all that came meanwhile. It begins when the rows of its
// changes are on their way to the lane, so that it commits after them.
void Journal::sync() {
  if (syncing_ || flushing_ || together_ > 0 || !dirty_) return;
  if (!queue_.writes.empty()) {
    flush();
    return;
  }
  if (has_to_hold()) return;
  syncing_ = true;
  dirty_ = waited_for_ = false;
  group_ = std::exchange(to_sync_, {});
  group_waiting_ = std::exchange(waiting_, {});
  FolderMeta meta = hooks_.meta();
  meta.clean = closing_;
  if (group_.empty()) {
    commit_group(std::move(meta));
    return;
  }
  std::vector<RelPath> paths;
  for (const Mark& mark : group_)
    paths.push_back(mark.path);
  worker_.compute(
      sync_lane_, [this, paths = std::move(paths)] { return disk_.sync(paths); },
      [this, meta = std::move(meta)](const Status& status) mutable {
        if (status) {
          commit_group(std::move(meta));
        } else {
          group_done(status, {});
        }
      });
}

// An intent may go only when the row that takes its place is in the store. Rows are written before
// this in the lane; where that failed, the group must wait for them.
void Journal::commit_group(FolderMeta meta) {
  Knowledge knowledge = meta.knowledge;
  Transaction transaction{clearable_intents()};
  transaction.writes.push_back(Transaction::PutMeta{std::move(meta)});
  worker_.compute(
      lane_,
      [this, transaction = std::move(transaction), missing = rows_missing_]() -> Status {
        if (*missing) return Unexpected(**missing);
        return store_.commit(transaction, Durability::kDurable);
      },
      [this, knowledge = std::move(knowledge)](const Status& status) {
        group_done(status, knowledge);
      });
}

// A path that has been published again since then keeps its newer intent.
std::vector<Transaction::Write> Journal::clearable_intents() {
  std::vector<Transaction::Write> writes;
  writes.reserve(group_.size() + 1);  // and what the group adds
  for (const Mark& mark : group_) {
    const auto it = open_.find(mark.path);
    if (it == open_.end() || it->second != mark.number) continue;
    open_.erase(it);
    writes.push_back(Transaction::ClearIntent{mark.path});
  }
  if (open_.empty()) open_ = {};  // with its buckets: the next burst may be far away
  return writes;
}

void Journal::group_done(const Status& status, const Knowledge& knowledge) {
  syncing_ = false;
  if (status) {
    group_ = std::vector<Mark>();  // with its memory: the next burst may be far away
    hooks_.made_durable(knowledge);
    for (auto& call : std::exchange(group_waiting_, {}))
      call();
  } else {
    // Nothing is acknowledged; the next retry() tries the whole group again.
    to_sync_.insert(to_sync_.begin(), group_.begin(), group_.end());
    for (const Mark& mark : group_) {
      if (mark.number != 0) open_.try_emplace(mark.path, mark.number);
    }
    group_ = std::vector<Mark>();
    waiting_.insert(waiting_.begin(), std::make_move_iterator(group_waiting_.begin()),
                    std::make_move_iterator(group_waiting_.end()));
    group_waiting_.clear();
    hooks_.failed(status.error());
    dirty_ = waited_for_ = true;
    return;
  }
  if (dirty_) {
    sync();
  } else if (closing_ && closed_) {
    std::exchange(closed_, nullptr)();
  }
}

}  // namespace dagsync
