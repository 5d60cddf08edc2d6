// Time as a node sees it, and calls at a later time. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "dagsync/base/time.h"

namespace dagsync {

struct TimerId {
  std::uint64_t value = 0;  // 0 is no timer
  bool operator==(const TimerId&) const = default;
};

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual UnixNanos now() = 0;   // may be stepped by an administrator
  [[nodiscard]] virtual MonoNanos mono() = 0;  // never goes back
  // Calls once, not before `delay` is over, never from within this call.
  virtual TimerId after(Duration delay, std::function<void()> call) = 0;
  // For what is done again and again and need not be punctual: as after(), about half a second more
  // or less, so that what is due at about the same time wakes the process once.
  virtual TimerId about(Duration delay, std::function<void()> call) {
    return after(delay, std::move(call));
  }
  virtual void cancel(TimerId timer) = 0;  // of a timer that fired or of none: nothing
};

// Randomness for epochs, jitter and identifiers; seeded in the simulator. Loop thread only.
class Random {
 public:
  virtual ~Random() = default;
  [[nodiscard]] virtual std::uint64_t next() = 0;
};

}  // namespace dagsync
