// A worker without threads: jobs wait until the test lets them run, lane by lane.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include "dagsync/ports/worker.h"

namespace dagsync {

class InlineWorker final : public Worker {
 public:
  Lane new_lane() override { return {++lanes_}; }
  void run(Lane lane, std::function<void()> job, std::function<void()> done) override {
    jobs_.push_back({lane, std::move(job), std::move(done)});
  }

  [[nodiscard]] std::size_t waiting() const { return jobs_.size(); }
  // The oldest job, and what is to be done after it.
  void run_one() {
    REQUIRE_FALSE(jobs_.empty());
    run_at(jobs_.begin())();
  }
  // The same of one lane.
  void run_one(Lane lane) { run_and_hold(lane)(); }
  // Its oldest job; the loop thread hears of that when the result is called.
  [[nodiscard]] std::function<void()> run_and_hold(Lane lane) {
    const auto it = std::find_if(jobs_.begin(), jobs_.end(),
                                 [&](const Job& job) { return job.lane.value == lane.value; });
    REQUIRE(it != jobs_.end());
    return run_at(it);
  }
  void run_all() {
    constexpr int kMost = 100'000;
    for (int i = 0; !jobs_.empty(); ++i) {
      REQUIRE(i < kMost);
      run_one();
    }
  }

 private:
  struct Job {
    Lane lane;
    std::function<void()> job;
    std::function<void()> done;
  };
  std::function<void()> run_at(std::deque<Job>::iterator it) {
    const Job job = std::move(*it);
    jobs_.erase(it);
    job.job();
    return job.done;
  }

  std::deque<Job> jobs_;
  std::uint32_t lanes_ = 0;
};

}  // namespace dagsync
