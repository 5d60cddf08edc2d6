// How long a node's own changes take until its peers have them durably, by its own clock alone.
// Loop thread only.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>

#include "dagsync/base/time.h"
#include "dagsync/core/knowledge.h"

namespace dagsync {

// A histogram over fixed bounds, each bucket by itself; the last one has what lies beyond them all.
struct LagHistogram {
  static constexpr std::array kBounds = {0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,  0.25,  0.5,
                                         1.0,    2.5,   5.0,  10.0,  30.0, 60.0, 300.0, 1800.0};
  std::array<std::uint64_t, kBounds.size() + 1> buckets{};
  double sum_seconds = 0;

  void add(double seconds, std::uint64_t times);
  [[nodiscard]] std::uint64_t count() const;
};

class LagMeter {
 public:
  // What is made within kTogether counts as made at once; so does everything beyond kMostMarks, for
  // a peer that was away for long.
  static constexpr Duration kTogether = std::chrono::milliseconds(1);
  static constexpr std::size_t kMostMarks = 1024;

  void follow(const NodeName& peer);  // from now on
  void forget(const NodeName& peer);
  // This node, as `author`, made a change.
  void made(const AuthorId& author, Sequence sequence, MonoNanos now);
  // A peer has told what it has durably.
  void told(const NodeName& peer, const Knowledge& durable, MonoNanos now);
  // Empty for one that is not followed.
  [[nodiscard]] LagHistogram of(const NodeName& peer) const;

 private:
  struct Mark {
    SequenceSet sequences;
    std::uint64_t count = 0;
    MonoNanos at;
  };
  struct Followed {
    std::deque<Mark> waiting;
    LagHistogram lag;
  };

  AuthorId author_;
  std::map<NodeName, Followed> peers_;
};

}  // namespace dagsync
