// `dagsync verify` in one folder: runs it for a person, asks the peers what stands there, answers
// those that ask, and repairs. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "dagsync/engine/peers/allowance.h"
#include "dagsync/engine/peers/outlet.h"
#include "dagsync/engine/verify/reread.h"
#include "dagsync/engine/verify/verification.h"
#include "dagsync/ports/clock.h"

namespace dagsync {

class Verifier {
 public:
  static constexpr Duration kPatience = std::chrono::minutes(10);  // for one page, for a repair
  static constexpr Duration kQuietWithin = std::chrono::seconds(10);
  // A peer may have us read the whole folder so often at once, and then once in each such time. One
  // `dagsync verify` there reads it once, and again what differs, four times at most.
  static constexpr double kMostReadings = 24;
  static constexpr Duration kReadingEach = std::chrono::seconds(150);
  static constexpr std::uint64_t kLeastReading = 64 << 20;  // a smaller folder counts as so large
  static constexpr std::uint64_t kQuestionCost = 64 << 10;  // beside what is read for it

  struct Hooks {
    std::function<void(const std::vector<RelPath>&, bool whole, std::function<void()>)> take_in;
    std::function<bool()> is_quiet;  // nothing is under way between us and who is connected
    std::function<void(const RelPath&)> look_at;
    std::function<void(const std::vector<Observation>&)> reclaim;
    // Takes away what stands there and the mesh has not; it is kept.
    std::function<void(const Observation&, std::function<void()>)> discard;
    std::function<void(const RelPath&, const std::string&)> trouble;
    std::function<bool(const RelPath&)> is_stuck;  // publishing it has failed
  };

  struct Order {
    bool repair = false;
    std::vector<NodeName> peers;      // to be compared with
    std::function<bool()> abandoned;  // nobody waits for the result any more
    std::function<void(const Verification::Progress&)> progress;
    std::function<void(const VerifyReport&)> done;  // not where it was abandoned
  };

  Verifier(std::string folder, NodeName self, Clock& clock, Worker& worker, Disk& disk,
           Outlet& outlet, const Replica& replica, const IgnoreRules& rules, Hooks hooks);
  ~Verifier();

  void verify(Order order);
  // Every run ends, soon, with a report that says why; the folder is about to go.
  void end(std::string why);
  void on_verify(const NodeName& from, const Verify& verify);
  void on_page(const NodeName& from, const VerifyPage& page);
  void on_cancel(const NodeName& from, const Cancel& cancel);
  void peer_lost(const NodeName& peer);
  [[nodiscard]] const Rereader& reader() const { return reader_; }

 private:
  struct Run;
  using RunPtr = std::shared_ptr<Run>;
  struct Asked {
    NodeName peer;
    Verification::Answer answer;
    RunPtr run;
    TimerId timer;
  };

  void begin(const RunPtr& run);
  void when_quiet(const RunPtr& run, MonoNanos until, std::function<void()> then);
  void watch(const RunPtr& run);
  void drop(const RunPtr& run);
  [[nodiscard]] std::vector<Verification::Source> sources(const RunPtr& run);
  void ask_self(const RunPtr& run, const RereadRange& range, const Verification::Answer& answer);
  void ask_peer(const RunPtr& run, const NodeName& peer, const RereadRange& range,
                Verification::Answer answer);
  void answer(std::uint64_t request, const VerifyPage& page);
  [[nodiscard]] Allowance& allowed(const NodeName& peer);
  void charge(const NodeName& peer, std::uint64_t cost);
  void note(const Reread& found);
  void reported(const RunPtr& run, VerifyReport report);
  [[nodiscard]] bool repair(const RunPtr& run);
  void await_repair(const RunPtr& run);
  void finish(const RunPtr& run, VerifyReport report);

  std::string folder_;
  NodeName self_;
  Clock& clock_;
  Outlet& outlet_;
  const Replica& replica_;
  Rereader reader_;
  Hooks hooks_;
  std::vector<RunPtr> runs_;
  TimerId ending_;
  std::set<RelPath> marked_;                                      // whose trouble comes from here
  std::map<std::uint64_t, Asked> asked_;                          // by request
  std::map<NodeName, std::shared_ptr<std::uint64_t>> answering_;  // the request; 0: taken back
  std::map<NodeName, Allowance> allowed_;                         // in readings of the folder
};

}  // namespace dagsync
