// The clocks of one machine: its wall clock is off, drifts, and may be stepped; the other one is
// the virtual time itself.
#pragma once

#include <utility>

#include "dagsync/ports/clock.h"
#include "events.h"

namespace dagsync::sim {

// Of a machine, and of its file system: it goes on when the daemon ends.
struct WallClock {
  Events& events;
  Duration offset{};
  std::int64_t drift_ppm = 0;

  [[nodiscard]] UnixNanos now() const {
    constexpr std::int64_t kEpoch = 1'700'000'000'000'000'000;
    const std::int64_t elapsed = events.now().value;
    return {kEpoch + elapsed + elapsed / 1'000'000 * drift_ppm + offset.count()};
  }
  // What the kernel stamps files with: it moves in ticks.
  [[nodiscard]] UnixNanos tick() const {
    constexpr std::int64_t kTick = 4'000'000;
    return {now().value / kTick * kTick};
  }
};

class SimClock final : public Clock {
 public:
  SimClock(Events& events, const WallClock& wall, LifePtr life)
      : events_(events), wall_(wall), life_(std::move(life)) {}

  UnixNanos now() override { return wall_.now(); }
  MonoNanos mono() override { return events_.now(); }
  TimerId after(Duration delay, std::function<void()> call) override {
    return {events_.after(std::max(delay, Duration(0)), life_, std::move(call))};
  }
  void cancel(TimerId timer) override { events_.cancel(timer.value); }

 private:
  Events& events_;
  const WallClock& wall_;
  LifePtr life_;
};

}  // namespace dagsync::sim
