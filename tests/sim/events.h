// What will happen, in the order of virtual time; a seeded number decides between equal times.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <unordered_map>
#include <vector>

#include "dagsync/base/time.h"
#include "seeded.h"

namespace dagsync::sim {

// One run of a daemon. When it ends, its events do not happen and its hands (disk, store) are
// tied: what it calls after that fails and changes nothing.
struct Life {
  bool alive = true;
  std::size_t events = 0;         // that wait: timers, jobs, bytes
  std::function<void()> on_step;  // before each step that it takes on a disk or a store
  // A chance for the world to come in between. False: it is over.
  bool step() {
    if (alive && on_step) on_step();
    return alive;
  }
};
using LifePtr = std::shared_ptr<Life>;

class Events {
 public:
  explicit Events(std::uint64_t seed) : seeded_(seed) {}

  [[nodiscard]] MonoNanos now() const { return now_; }
  // Of no life (the world's own) where `life` is null. 0 is never an id.
  std::uint64_t after(Duration delay, LifePtr life, std::function<void()> call);
  void cancel(std::uint64_t id);
  // Does the next thing, if it comes before `limit`; otherwise it is `limit` now.
  bool run_next(MonoNanos limit);
  [[nodiscard]] Seeded& seeded() { return seeded_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  struct Key {
    MonoNanos time;
    std::uint64_t tie;
    std::uint64_t id;
    bool operator>(const Key& other) const {
      if (time != other.time) return time > other.time;
      if (tie != other.tie) return tie > other.tie;
      return id > other.id;
    }
  };
  struct Event {
    LifePtr life;
    std::function<void()> call;
  };

  Seeded seeded_;
  MonoNanos now_{3'600'000'000'000};  // machines have been up for a while
  std::uint64_t next_id_ = 1;
  std::uint64_t count_ = 0;
  std::priority_queue<Key, std::vector<Key>, std::greater<>> order_;
  std::unordered_map<std::uint64_t, Event> waiting_;
};

}  // namespace dagsync::sim
