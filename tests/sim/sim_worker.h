// Workers without threads: the body of a job runs at a seeded moment, all at once but for what the
// world does between its steps; `done` follows on the loop. As many of the pool at once as threads.
#pragma once

#include <deque>
#include <functional>
#include <map>

#include "dagsync/ports/worker.h"
#include "events.h"

namespace dagsync::sim {

class SimWorker final : public Worker {
 public:
  SimWorker(Events& events, LifePtr life) : events_(events), life_(std::move(life)) {}

  Lane new_lane() override { return {++lanes_}; }
  void run(Lane lane, std::function<void()> job, std::function<void()> done) override;
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct Job {
    std::function<void()> body;
    std::function<void()> done;
  };
  struct Queue {
    std::deque<Job> jobs;
    int running = 0;
  };
  static constexpr int kThreads = 4;

  void start(std::uint32_t lane);

  Events& events_;
  LifePtr life_;
  std::uint32_t lanes_ = 0;
  std::map<std::uint32_t, Queue> queues_;
  MonoNanos last_done_{};
};

}  // namespace dagsync::sim
