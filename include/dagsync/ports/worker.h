// Work that may block, away from the loop thread. A job gets values and leaves values behind; it
// shares nothing with the loop thread while it runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace dagsync {

// Jobs of one lane run one after the other, in the order in which they were given; jobs of the pool
// (lane 0) and of different lanes run side by side.
struct Lane {
  std::uint32_t value = 0;
};
inline constexpr Lane kPool{0};

class Worker {
 public:
  virtual ~Worker() = default;
  [[nodiscard]] virtual Lane new_lane() = 0;
  // Runs `job` on some thread, then `done` on the loop thread. Called on the loop thread.
  virtual void run(Lane lane, std::function<void()> job, std::function<void()> done) = 0;

  // The same for a job that returns a value, which `done` takes.
  template <typename Job, typename Done>
  void compute(Lane lane, Job job, Done done) {
    using Value = decltype(job());
    struct State {
      Job job;
      Done done;
      std::unique_ptr<Value> value;
    };
    auto state = std::make_shared<State>(State{std::move(job), std::move(done), nullptr});
    run(
        lane, [state] { state->value = std::make_unique<Value>(state->job()); },
        [state] { state->done(std::move(*state->value)); });
  }
};

}  // namespace dagsync
