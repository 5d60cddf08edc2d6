#include "dagsync/engine/verify/verifier.h"

#include <algorithm>
#include <set>
#include <utility>

#include "dagsync/base/log.h"

namespace dagsync {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds(50);
constexpr Duration kPause = std::chrono::milliseconds(300);  // before what differed is read again
constexpr Duration kSettleWithin = std::chrono::seconds(3);  // what differed
constexpr Duration kLookForClient = std::chrono::milliseconds(500);

VerifyPage refusal(std::string why) {
  VerifyPage page;
  page.error = std::move(why);
  return page;
}

}  // namespace

struct Verifier::Run {
  Order order;
  std::unique_ptr<Verification> verification;
  std::map<RelPath, Observation> wrong;  // here
  std::vector<VerifyReport::Difference> before_repair;
  std::set<RelPath> repairing;
  std::size_t discarding = 0;
  MonoNanos repaired_until;
  TimerId timer;  // of the step under way
  TimerId watch;
  bool dropped = false;
};

Verifier::Verifier(std::string folder, NodeName self, Clock& clock, Worker& worker, Disk& disk,
                   Outlet& outlet, const Replica& replica, const IgnoreRules& rules, Hooks hooks)
    : folder_(std::move(folder)),
      self_(std::move(self)),
      clock_(clock),
      outlet_(outlet),
      replica_(replica),
      reader_(worker, disk, replica, rules),
      hooks_(std::move(hooks)) {}

Verifier::~Verifier() {
  clock_.cancel(ending_);
  for (const RunPtr& run : std::exchange(runs_, {}))
    drop(run);
}

// -- a run --------------------------------------------------------------------------------------

void Verifier::verify(Order order) {
  auto run = std::make_shared<Run>();
  run->order = std::move(order);
  runs_.push_back(run);
  log::info("{}: verify begins", folder_);
  watch(run);
  begin(run);
}

// What inotify missed is an edit, and what is under way arrives; then the reading begins.
void Verifier::begin(const RunPtr& run) {
  hooks_.take_in({}, true, [this, run] {
    when_quiet(run, clock_.mono() + kQuietWithin, [this, run] {
      Verification::Hooks hooks;
      hooks.settle = [this, run](std::function<void()> then) {
        hooks_.take_in({}, false, [this, run, then = std::move(then)] {
          if (run->dropped) return;
          run->timer = clock_.after(
              kPause, [this, run, then] { when_quiet(run, clock_.mono() + kSettleWithin, then); });
        });
      };
      hooks.progress = run->order.progress;
      hooks.done = [this, run](VerifyReport report) {
        // Later, for this is the verification's own call.
        run->timer = clock_.after(Duration(0), [this, run, report = std::move(report)]() mutable {
          reported(run, std::move(report));
        });
      };
      run->verification =
          std::make_unique<Verification>(replica_.index(), reader_, sources(run), std::move(hooks));
      run->verification->start();
    });
  });
}

void Verifier::when_quiet(const RunPtr& run, MonoNanos until, std::function<void()> then) {
  if (run->dropped) return;
  if (hooks_.is_quiet() || clock_.mono() >= until || replica_.halted()) {
    then();
    return;
  }
  run->timer = clock_.after(
      kPoll, [this, run, until, then = std::move(then)] { when_quiet(run, until, then); });
}

void Verifier::watch(const RunPtr& run) {
  run->watch = clock_.after(kLookForClient, [this, run] {
    if (run->order.abandoned()) {
      log::info("{}: verify abandoned: nobody waits for it any more", folder_);
      std::erase(runs_, run);
      drop(run);
    } else {
      watch(run);
    }
  });
}

// Only from timers and in the end: never from within the run's own calls.
void Verifier::drop(const RunPtr& run) {
  run->dropped = true;
  clock_.cancel(run->timer);
  clock_.cancel(run->watch);
  std::erase_if(asked_, [&](auto& entry) {
    if (entry.second.run != run) return false;
    clock_.cancel(entry.second.timer);
    outlet_.send(entry.second.peer, Cancel{entry.first});
    return true;
  });
  run->verification.reset();
}

// Later, for this may be one of a run's own calls.
void Verifier::end(std::string why) {
  ending_ = clock_.after(Duration(0), [this, why = std::move(why)] {
    for (const RunPtr& run : std::exchange(runs_, {})) {
      drop(run);
      VerifyReport report;
      report.differences.push_back({RelPath(), self_, why});
      if (!run->order.abandoned()) run->order.done(std::move(report));
    }
  });
}

std::vector<Verification::Source> Verifier::sources(const RunPtr& run) {
  std::vector<Verification::Source> sources;
  sources.push_back({self_, [this, run](const RereadRange& range, Verification::Answer answer) {
                       ask_self(run, range, answer);
                     }});
  for (const NodeName& peer : run->order.peers) {
    sources.push_back(
        {peer, [this, run, peer](const RereadRange& range, Verification::Answer answer) {
           ask_peer(run, peer, range, std::move(answer));
         }});
  }
  return sources;
}

void Verifier::ask_self(const RunPtr& run, const RereadRange& range,
                        const Verification::Answer& answer) {
  reader_.read(
      range, [run] { return run->dropped; },
      [this, run, answer](const Reread& found) {
        note(found);
        for (const Observation& wrong : found.wrong)
          run->wrong.insert_or_assign(wrong.path, wrong);
        const auto& halted = replica_.halted();
        answer(halted ? refusal("the folder is halted: " + *halted) : found.page);
      });
}

void Verifier::ask_peer(const RunPtr& run, const NodeName& peer, const RereadRange& range,
                        Verification::Answer answer) {
  const std::uint64_t request = outlet_.next_request();
  const auto connected = outlet_.connected();
  const bool is_there = std::find(connected.begin(), connected.end(), peer) != connected.end();
  const std::string why = is_there ? "it gave no answer in time" : "it went away";
  const TimerId timer = clock_.after(is_there ? kPatience : Duration(0),
                                     [this, request, why] { this->answer(request, refusal(why)); });
  asked_.emplace(request, Asked{peer, std::move(answer), run, timer});
  if (is_there) outlet_.send(peer, Verify{folder_, request, range.after, range.paths});
}

void Verifier::answer(std::uint64_t request, const VerifyPage& page) {
  const auto node = asked_.extract(request);
  if (node.empty()) return;
  clock_.cancel(node.mapped().timer);
  if (!node.mapped().run->dropped) node.mapped().answer(page);
}

void Verifier::on_page(const NodeName& from, const VerifyPage& page) {
  const auto it = asked_.find(page.request);
  if (it != asked_.end() && it->second.peer == from) answer(page.request, page);
}

// -- what a peer asks ---------------------------------------------------------------------------

void Verifier::on_verify(const NodeName& from, const Verify& verify) {
  const auto refuse = [&](std::string why) {
    VerifyPage page = refusal(std::move(why));
    page.request = verify.request;
    outlet_.send(from, page);
  };
  if (const auto& halted = replica_.halted()) return refuse("the folder is halted: " + *halted);
  if (answering_.contains(from)) return refuse("one request at a time");
  const bool is_first = verify.after.is_root() && verify.paths.empty();
  if (const Duration pause = allowed(from).pause(clock_.mono()); pause > Duration(0)) {
    outlet_.complain(from, "questions what stands here: it asks too often");
    return refuse(fmt::format("it is asked too often by this node: try again in {} s",
                              std::chrono::ceil<std::chrono::seconds>(pause).count()));
  }
  charge(from, kQuestionCost + (is_first ? reader_.cost_of_looking() : 0));
  const auto under_way = std::make_shared<std::uint64_t>(verify.request);
  answering_[from] = under_way;
  const RereadRange range{verify.after, verify.paths};
  hooks_.take_in(verify.paths, is_first, [this, from, under_way, range] {
    if (*under_way == 0) return;
    charge(from, reader_.read(
                     range, [under_way] { return *under_way == 0; },
                     [this, from, under_way](Reread found) {
                       answering_.erase(from);
                       note(found);
                       found.page.request = *under_way;
                       outlet_.send(from, found.page);
                     }));
  });
}

Allowance& Verifier::allowed(const NodeName& peer) {
  const double per_second = 1 / to_seconds(kReadingEach);
  return allowed_.try_emplace(peer, kMostReadings, per_second).first->second;
}

// Also for what is taken back meanwhile, or asking and taking back would cost nothing.
void Verifier::charge(const NodeName& peer, std::uint64_t cost) {
  const std::uint64_t reading = std::max(kLeastReading, reader_.cost_of_all());
  allowed(peer).take(static_cast<double>(cost) / static_cast<double>(reading), clock_.mono());
}

void Verifier::on_cancel(const NodeName& from, const Cancel& cancel) {
  const auto it = answering_.find(from);
  if (it == answering_.end() || *it->second != cancel.request) return;
  *it->second = 0;
  answering_.erase(it);
}

void Verifier::peer_lost(const NodeName& peer) {
  if (const auto it = answering_.find(peer); it != answering_.end()) {
    *it->second = 0;
    answering_.erase(it);
  }
  std::vector<std::uint64_t> requests;
  for (const auto& [request, asked] : asked_) {
    if (asked.peer == peer) requests.push_back(request);
  }
  for (const std::uint64_t request : requests)
    answer(request, refusal("it went away"));
}

// Edits are taken in; what is wrong shows in the status, too, whoever asked.
void Verifier::note(const Reread& found) {
  for (const RelPath& path : found.edited)
    hooks_.look_at(path);
  std::set<RelPath> wrong;
  for (const Observation& each : found.wrong)
    wrong.insert(each.path);
  for (const VerifyPage::Row& row : found.page.rows) {
    if (wrong.contains(row.path)) {
      hooks_.trouble(row.path, row.problem);
      marked_.insert(row.path);
    } else if (marked_.erase(row.path) > 0) {
      hooks_.trouble(row.path, "");
    }
  }
}

// -- the result, and what is mended -------------------------------------------------------------

void Verifier::reported(const RunPtr& run, VerifyReport report) {
  run->verification.reset();
  if (std::exchange(run->order.repair, false) && repair(run)) {
    run->before_repair = std::move(report.differences);
    run->repaired_until = clock_.mono() + kPatience;
    await_repair(run);
    return;
  }
  finish(run, std::move(report));
}

// What is wrong here, and what may not stand here, gives way to what the mesh has. Nothing where
// there is nothing to do.
bool Verifier::repair(const RunPtr& run) {
  std::vector<Observation> back;
  std::vector<Observation> away;
  for (const auto& [path, wrong] : run->wrong) {
    if (!replica_.wanted().contains(path)) back.push_back(wrong);
  }
  for (const auto& [path, seen] : replica_.drift()) {
    const IndexEntry* entry = replica_.index().find(path);
    const bool recorded = entry != nullptr && entry->record.is_live();
    if (!replica_.wanted().contains(path)) (recorded ? back : away).push_back(seen);
  }
  for (const Observation& wrong : back) {
    run->repairing.insert(wrong.path);
    if (marked_.erase(wrong.path) > 0) hooks_.trouble(wrong.path, "");
  }
  hooks_.reclaim(back);
  // What stands in a directory goes before the directory itself.
  std::reverse(away.begin(), away.end());
  run->discarding = away.size();
  for (const Observation& seen : away)
    hooks_.discard(seen, [run] { --run->discarding; });
  return !back.empty() || !away.empty();
}

void Verifier::await_repair(const RunPtr& run) {
  const bool waits =
      run->discarding > 0 ||
      std::any_of(run->repairing.begin(), run->repairing.end(), [&](const auto& path) {
        return replica_.wanted().contains(path) && !hooks_.is_stuck(path);
      });
  if (waits && clock_.mono() < run->repaired_until) {
    run->timer = clock_.after(kPoll, [this, run] { await_repair(run); });
    return;
  }
  // What has become of it is seen as everything else is.
  run->wrong.clear();
  begin(run);
}

void Verifier::finish(const RunPtr& run, VerifyReport report) {
  const auto is_left = [&](const VerifyReport::Difference& before) {
    return std::any_of(report.differences.begin(), report.differences.end(), [&](const auto& now) {
      return now.path == before.path && now.node == before.node;
    });
  };
  for (VerifyReport::Difference& before : run->before_repair) {
    if (before.node == self_ && !is_left(before)) report.repaired.push_back(std::move(before));
  }
  log::info("{}: verified: {} files read, {} differences", folder_, report.files,
            report.differences.size());
  std::erase(runs_, run);
  const auto done = run->order.done;
  drop(run);
  done(report);
}

}  // namespace dagsync
