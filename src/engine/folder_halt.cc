// How a folder that is halted, or paused by the operator, goes on again.
#include <utility>

#include "dagsync/base/log.h"
#include "dagsync/engine/folder.h"

namespace dagsync {
namespace {

constexpr Duration kLookAgain = std::chrono::milliseconds(5);

}  // namespace

void Folder::resume(bool accept_deletes, std::function<void(Status)> done) {
  if (!replica_.halted()) {
    done({});
    return;
  }
  if (is_paused()) {
    resume_paused(accept_deletes, std::move(done));
    return;
  }
  // Half of what was published would pass for somebody's edits.
  if (needs_restart_) {
    done(fail(ErrorCode::kUnavailable, *replica_.halted()));
    return;
  }
  adopt_root([this, accept_deletes, done = std::move(done)](const Status& adopted) {
    if (!adopted) {
      done(adopted);
      return;
    }
    scan_to_resume(accept_deletes ? DeletePolicy::kAccept : DeletePolicy::kRestore, done);
  });
}

// Peers are heard again when the comparison is over: what is missing here is no delete of now.
void Folder::scan_to_resume(DeletePolicy policy, std::function<void(Status)> done) {
  resuming_ = true;
  begin_watching();
  intake_.rescan(policy);
  intake_.flush([this, done = std::move(done)] {
    tell_soon();
    if (const auto& halted = replica_.halted()) {
      done(fail(ErrorCode::kUnavailable, "still halted: " + *halted));
    } else {
      done({});
    }
  });
}

// The comparison that was to end a halt is here; what it saw is taken in after this.
void Folder::goes_on(const Intake::Batch& batch) {
  resuming_ = false;
  const bool was_paused = is_paused();
  paused_at_ = {};
  replica_.resume();
  journal_.touch();
  log::info({config_.name, {}, {}}, "folder {} goes on", config_.name);
  std::string what = "what is missing comes back from the peers";
  if (was_paused) what = "what happened since the pause is taken in";
  if (batch.policy == DeletePolicy::kAccept) what = "what is missing is deleted on every node";
  event(Event::Kind::kResumed, RelPath(), "", what);
  tell_soon();
}

// The directory that stands at the path now is the folder from now on.
void Folder::adopt_root(std::function<void(Status)> done) {
  const std::string mark =
      fmt::format("{:016x}{:016x}", ports_.random.next(), ports_.random.next());
  ports_.worker.compute(
      journal_.lane(), [this, mark] { return ports_.disk.identify_root(mark); },
      [this, done = std::move(done)](const Result<RootIdentity>& root) {
        if (!root) {
          done(Unexpected(root.error()));
          return;
        }
        if (*root != root_) ports_.watcher.unwatch(RelPath());
        root_ = *root;
        intake_.expect_root(root_);
        journal_.touch();
        done({});
      });
}

// -- pause --------------------------------------------------------------------------------------

void Folder::pause(std::function<void(Status)> done) {
  if (const auto& halted = replica_.halted(); halted && !is_paused()) {
    done(fail(ErrorCode::kUnavailable, "it is halted, and does nothing: " + *halted));
    return;
  }
  // What was written before is not of the pause.
  take_in({}, false, [this, done = std::move(done)] {
    if (const auto& halted = replica_.halted(); halted && !is_paused()) {
      done(fail(ErrorCode::kUnavailable, "it has halted: " + *halted));
      return;
    }
    if (!is_paused()) {
      paused_at_ = alive_at_ = ports_.clock.now();
      hold();
    }
    await_stillness_.push_back(done);
    if (still_timer_ == TimerId{}) await_stillness();
  });
}

void Folder::hold() {
  intake_.hold();
  publisher_.suspend();
  if (replica_.halted()) return;
  std::string why = fmt::format("paused by the operator since {}: `dagsync resume {}`",
                                to_rfc3339(paused_at_), config_.name);
  log::info({config_.name, {}, {}}, "folder {} is {}", config_.name, why);
  event(Event::Kind::kPaused, RelPath(), "", why);
  stand_still(std::move(why));
}

// What is in the lane comes to its end; there is no event of its own for that.
void Folder::await_stillness() {
  if (!publisher_.is_still()) {
    still_timer_ = ports_.clock.after(kLookAgain, [this] { await_stillness(); });
    return;
  }
  still_timer_ = {};
  for (auto& done : std::exchange(await_stillness_, {}))
    journal_.when_durable([done = std::move(done)] { done({}); });
}

// As at a start: it must be the folder that it was, deletes are looked at by the guard, and count
// as made when it was last known to agree.
void Folder::resume_paused(bool accept_deletes, std::function<void(Status)> done) {
  ports_.worker.compute(
      journal_.lane(), [this] { return ports_.disk.identify_root(std::nullopt); },
      [this, accept_deletes, done = std::move(done)](const Result<RootIdentity>& root) {
        if (!is_paused()) {
          done({});
          return;
        }
        intake_.release();
        if (root && *root == root_ && !needs_restart_) {
          scan_to_resume(accept_deletes ? DeletePolicy::kAccept : DeletePolicy::kGuard, done);
          return;
        }
        // Then it is halted as one that the operator did not pause.
        paused_at_ = {};
        publisher_.release();
        journal_.touch();
        replica_.resume();
        halt(lost(root ? "another directory stands at its path, or did" : root.error().message));
        done(fail(ErrorCode::kUnavailable, *replica_.halted()));
      });
}

}  // namespace dagsync
