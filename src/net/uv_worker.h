// The Worker port of a real node: threads of its own. Loop thread only; must go before its loop.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "dagsync/ports/worker.h"
#include "net/uv_loop.h"

namespace dagsync {

// Not libuv's pool: lanes need an order of their own, and its threads would be shared with whatever
// else libuv runs there. Callers bound what they give. Jobs must not throw. The destructor waits
// for the jobs that run, drops those that wait, and calls no `done` any more; it may run in a
// `done`. What a job holds is destroyed before its `done` runs.
class UvWorker final : public Worker {
 public:
  explicit UvWorker(UvLoop& loop, std::size_t threads = default_threads());
  ~UvWorker() override;
  UvWorker(const UvWorker&) = delete;
  UvWorker& operator=(const UvWorker&) = delete;

  [[nodiscard]] Lane new_lane() override;
  void run(Lane lane, std::function<void()> job, std::function<void()> done) override;

  [[nodiscard]] static std::size_t default_threads();  // one a core, 2 to 8

 private:
  struct Queue;

  std::shared_ptr<Queue> queue_;  // shared with the posts that deliver what is done
  std::vector<std::thread> threads_;
  std::uint32_t last_lane_ = 0;
};

}  // namespace dagsync
