// What a peer may cause, at a rate: a store of `most` that fills up again by `per_second`, and by
// what turns out to have been worth it. One thread at a time.
#pragma once

#include <algorithm>
#include <chrono>

#include "dagsync/base/time.h"

namespace dagsync {

class Allowance {
 public:
  constexpr Allowance(double most, double per_second)
      : most_(most), per_second_(per_second), left_(most) {}

  // Takes what was caused, also where less is left: then nothing more is due for a while.
  void take(double amount, MonoNanos now) {
    refill(now);
    left_ -= amount;
  }
  void give_back(double amount) { left_ = std::min(most_, left_ + amount); }
  // Until something is left again; zero where it is.
  [[nodiscard]] Duration pause(MonoNanos now) {
    refill(now);
    if (left_ > 0) return Duration(0);
    const std::chrono::duration<double> seconds((1 - left_) / per_second_);
    return std::chrono::ceil<Duration>(seconds);
  }
  [[nodiscard]] bool is_spent(MonoNanos now) { return pause(now) > Duration(0); }

 private:
  void refill(MonoNanos now) {
    const std::chrono::duration<double> passed = now - filled_;
    left_ = std::min(most_, left_ + passed.count() * per_second_);
    filled_ = now;
  }

  double most_;
  double per_second_;
  double left_;
  MonoNanos filled_;
};

}  // namespace dagsync
