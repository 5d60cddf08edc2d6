// The worker as one folder uses it: knows when nothing of that folder is under way. Loop thread
// only.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include "dagsync/ports/worker.h"

namespace dagsync {

class CountingWorker final : public Worker {
 public:
  explicit CountingWorker(Worker& worker) : worker_(worker) {}

  [[nodiscard]] Lane new_lane() override { return worker_.new_lane(); }
  void run(Lane lane, std::function<void()> job, std::function<void()> done) override {
    ++*jobs_;
    worker_.run(lane, std::move(job), [count = jobs_, done = std::move(done)] {
      done();
      --*count;
    });
  }
  [[nodiscard]] bool idle() const { return *jobs_ == 0; }

 private:
  Worker& worker_;
  std::shared_ptr<std::size_t> jobs_ = std::make_shared<std::size_t>(0);
};

}  // namespace dagsync
