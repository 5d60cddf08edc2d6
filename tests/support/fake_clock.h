// A clock that stands still until the test moves it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "dagsync/ports/clock.h"

namespace dagsync {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(UnixNanos start = {1'700'000'000'000'000'000}) : start_(start) {}

  UnixNanos now() override { return start_ + passed_; }
  MonoNanos mono() override { return MonoNanos{1} + passed_; }
  TimerId after(Duration delay, std::function<void()> call) override {
    const TimerId id{++timers_};
    due_.emplace(std::pair(passed_ + delay, id.value), std::move(call));
    return id;
  }
  void cancel(TimerId timer) override {
    std::erase_if(due_, [&](const auto& entry) { return entry.first.second == timer.value; });
  }

  // Lets time pass; what falls due is called in its order, at its time.
  void advance(Duration duration) {
    const Duration end = passed_ + duration;
    while (!due_.empty() && due_.begin()->first.first <= end)
      fire();
    passed_ = end;
  }
  // Goes to the next timer that is due within `most`; false: there is none.
  bool advance_to_next(Duration most) {
    if (due_.empty() || due_.begin()->first.first > passed_ + most) return false;
    fire();
    return true;
  }
  [[nodiscard]] std::size_t timers() const { return due_.size(); }

 private:
  void fire() {
    passed_ = std::max(passed_, due_.begin()->first.first);
    const std::function<void()> call = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    call();
  }

  UnixNanos start_;
  Duration passed_{0};
  std::uint64_t timers_ = 0;
  std::map<std::pair<Duration, std::uint64_t>, std::function<void()>> due_;
};

class FakeRandom final : public Random {
 public:
  std::uint64_t next() override {
    return state_ = state_ * 6364136223846793005 + 1442695040888963407;
  }

 private:
  std::uint64_t state_ = 1;
};

}  // namespace dagsync
