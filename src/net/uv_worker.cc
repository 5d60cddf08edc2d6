#include "net/uv_worker.h"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "dagsync/base/assert.h"

namespace dagsync {
namespace {

constexpr std::size_t kFewestThreads =
    2;  // one blocked in a slow read must not stop the other jobs
constexpr std::size_t kMostThreads = 8;

struct Job {
  Lane lane;
  std::function<void()> work;
  std::function<void()> done;
};

}  // namespace

struct UvWorker::Queue : std::enable_shared_from_this<Queue> {
  explicit Queue(UvLoop& of) : loop(of) {}

  void give(Job job);
  void run_jobs();         // the life of a thread
  void finished(Job job);  // on a thread
  void release(Lane of);   // under mutex; the next job of the lane is ready
  void deliver();          // on the loop thread

  UvLoop& loop;
  std::mutex mutex;
  std::condition_variable given;
  bool closing = false;
  std::deque<Job> ready;
  // The lanes with a job that is ready or runs, each with those that wait for it.
  std::unordered_map<std::uint32_t, std::deque<Job>> waiting;
  std::vector<std::function<void()>> done;
};

void UvWorker::Queue::give(Job job) {
  {
    std::lock_guard lock(mutex);
    if (job.lane.value != kPool.value) {
      const auto [lane, was_idle] = waiting.try_emplace(job.lane.value);
      if (!was_idle) {
        lane->second.push_back(std::move(job));
        return;
      }
    }
    ready.push_back(std::move(job));
  }
  given.notify_one();
}

void UvWorker::Queue::run_jobs() {
  std::unique_lock lock(mutex);
  while (true) {
    given.wait(lock, [this] { return closing || !ready.empty(); });
    if (closing) return;
    Job job = std::move(ready.front());
    ready.pop_front();
    lock.unlock();
    job.work();
    job.work = nullptr;  // here, so that `done` holds the last reference to what both share
    finished(std::move(job));
    lock.lock();
  }
}

void UvWorker::Queue::finished(Job job) {
  bool is_first = false;
  {
    std::lock_guard lock(mutex);
    done.push_back(std::move(job.done));
    is_first = done.size() == 1;
    release(job.lane);
  }
  // Not within the lock, which the loop takes as soon as it wakes.
  if (!is_first) return;
  loop.post([weak = weak_from_this()] {
    if (const auto queue = weak.lock()) queue->deliver();
  });
}

// Wakes nobody: this thread takes a job next, and of those that are ready the others were woken for
// one each.
void UvWorker::Queue::release(Lane of) {
  const auto lane = waiting.find(of.value);
  if (lane == waiting.end()) return;
  if (lane->second.empty()) {
    waiting.erase(lane);
    return;
  }
  // To the back: a long lane takes its turn like everybody else.
  ready.push_back(std::move(lane->second.front()));
  lane->second.pop_front();
}

void UvWorker::Queue::deliver() {
  std::vector<std::function<void()>> batch;
  {
    std::lock_guard lock(mutex);
    batch.swap(done);
  }
  for (auto& call : batch) {
    if (closing) return;  // written by this thread alone
    if (call) call();
    call = nullptr;
  }
}

UvWorker::UvWorker(UvLoop& loop, std::size_t threads) : queue_(std::make_shared<Queue>(loop)) {
  DAGSYNC_ASSERT(threads > 0);
  // Signals are for the loop thread; a job's system calls are not to be interrupted by them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  DAGSYNC_ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([queue = queue_.get()] { queue->run_jobs(); });
  }
  DAGSYNC_ASSERT(pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
}

UvWorker::~UvWorker() {
  {
    std::lock_guard lock(queue_->mutex);
    queue_->closing = true;
  }
  queue_->given.notify_all();
  for (std::thread& thread : threads_)
    thread.join();
  // Now, and not when a deliver() under way lets go of the queue.
  queue_->ready.clear();
  queue_->waiting.clear();
  queue_->done.clear();
}

Lane UvWorker::new_lane() {
  return Lane{++last_lane_};
}

void UvWorker::run(Lane lane, std::function<void()> job, std::function<void()> done) {
  queue_->give(Job{lane, std::move(job), std::move(done)});
}

std::size_t UvWorker::default_threads() {
  const std::size_t cores = std::thread::hardware_concurrency();
  return std::clamp(cores, kFewestThreads, kMostThreads);
}

}  // namespace dagsync
