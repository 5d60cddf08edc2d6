#include "sim_worker.h"

#include <algorithm>
#include <memory>

namespace dagsync::sim {
namespace {

constexpr Duration kShortest = std::chrono::microseconds(5);
constexpr Duration kUsual = std::chrono::microseconds(400);
constexpr Duration kLongest = std::chrono::milliseconds(40);

Duration some_time(Seeded& seeded) {
  return seeded.between(kShortest, seeded.chance(0.05) ? kLongest : kUsual);
}

}  // namespace

void SimWorker::run(Lane lane, std::function<void()> job, std::function<void()> done) {
  queues_[lane.value].jobs.push_back({std::move(job), std::move(done)});
  start(lane.value);
}

void SimWorker::start(std::uint32_t lane) {
  Queue& queue = queues_[lane];
  const int most = lane == kPool.value ? kThreads : 1;
  while (queue.running < most && !queue.jobs.empty()) {
    auto job = std::make_shared<Job>(std::move(queue.jobs.front()));
    queue.jobs.pop_front();
    ++queue.running;
    events_.after(some_time(events_.seeded()), life_, [this, lane, job] {
      job->body();
      job->body = nullptr;
      if (!life_->alive) return;
      // The loop hears of finished jobs in the order of their ends.
      const MonoNanos soon = events_.now() + events_.seeded().between(Duration(1), kUsual);
      last_done_ = std::max(soon, last_done_ + Duration(1));
      events_.after(last_done_ - events_.now(), life_, [done = std::move(job->done)] { done(); });
      --queues_[lane].running;
      start(lane);
    });
  }
}

std::size_t SimWorker::waiting() const {
  std::size_t waiting = 0;
  for (const auto& [lane, queue] : queues_)
    waiting += queue.jobs.size();
  return waiting;
}

}  // namespace dagsync::sim
