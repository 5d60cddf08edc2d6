#include "net/uv_worker.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

namespace dagsync {

TEST_CASE("jobs of one lane run one after the other, in order, and so do their ends") {
  constexpr int kJobs = 2000;
  UvLoop loop;
  UvWorker worker(loop, 4);
  const Lane lane = worker.new_lane();
  std::vector<int> ran;  // unguarded: the lane is what keeps it whole
  std::vector<int> ended;
  for (int i = 0; i < kJobs; ++i) {
    worker.run(
        lane, [&ran, i] { ran.push_back(i); },
        [&, i] {
          ended.push_back(i);
          if (ended.size() == kJobs) loop.stop();
        });
  }
  loop.run();
  REQUIRE(ran.size() == kJobs);
  for (int i = 0; i < kJobs; ++i) {
    CHECK(ran[static_cast<std::size_t>(i)] == i);
    CHECK(ended[static_cast<std::size_t>(i)] == i);
  }
}

TEST_CASE("jobs of the pool, and of different lanes, run side by side") {
  UvLoop loop;
  UvWorker worker(loop, 3);
  std::latch all_run(3);  // each waits for the others
  int ended = 0;
  for (const Lane lane : {kPool, worker.new_lane(), worker.new_lane()}) {
    worker.run(
        lane, [&] { all_run.arrive_and_wait(); },
        [&] {
          if (++ended == 3) loop.stop();
        });
  }
  loop.run();
  CHECK(ended == 3);
}

TEST_CASE("a long lane does not keep others from their turn") {
  UvLoop loop;
  UvWorker worker(loop, 1);
  const Lane lane = worker.new_lane();
  std::vector<int> order;
  int ended = 0;
  const auto end = [&] {
    if (++ended == 4) loop.stop();
  };
  for (int i = 0; i < 3; ++i)
    worker.run(
        lane, [&order] { order.push_back(1); }, end);
  worker.run(
      worker.new_lane(), [&order] { order.push_back(2); }, end);
  loop.run();
  CHECK(order.size() == 4);
  CHECK(std::find(order.begin(), order.end(), 2) - order.begin() < 3);
}

TEST_CASE("a value goes from the job to its end, on the loop thread") {
  UvLoop loop;
  UvWorker worker(loop);
  const auto loop_thread = std::this_thread::get_id();
  worker.compute(
      kPool, [] { return std::make_unique<std::thread::id>(std::this_thread::get_id()); },
      [&](std::unique_ptr<std::thread::id> job_thread) {
        CHECK(*job_thread != loop_thread);
        CHECK(std::this_thread::get_id() == loop_thread);
        loop.stop();
      });
  loop.run();
}

TEST_CASE("what a job and its end share is destroyed on the loop thread") {
  struct Witness {
    explicit Witness(std::thread::id* on) : died_on(on) {}
    std::thread::id* died_on;
    ~Witness() { *died_on = std::this_thread::get_id(); }
  };
  UvLoop loop;
  UvWorker worker(loop, 4);
  int left = 200;
  std::vector<std::thread::id> died_on(200);
  for (auto& id : died_on) {
    auto witness = std::make_shared<Witness>(&id);
    worker.run(
        kPool, [witness] {},
        [&, witness] {
          if (--left == 0) loop.stop();
        });
  }
  loop.run();
  loop.post([&] { loop.stop(); });
  loop.run();
  for (const auto& id : died_on)
    CHECK(id == std::this_thread::get_id());
}

TEST_CASE("its end waits for the job that runs, drops what it holds, and calls nobody") {
  constexpr int kWaiting = 1000;
  UvLoop loop;
  std::atomic<int> ran = 0;
  std::promise<void> running;
  std::promise<void> go_on;
  const auto held = std::make_shared<int>(1);
  auto worker = std::make_unique<UvWorker>(loop, 1);
  const Lane lane = worker->new_lane();
  const auto end = [held] { FAIL("an end was called"); };
  worker->run(
      lane,
      [&] {
        running.set_value();
        go_on.get_future().wait();
        ++ran;
      },
      end);
  for (int i = 0; i < kWaiting; ++i)
    worker->run(
        lane, [&ran, held] { ++ran; }, end);
  running.get_future().wait();
  std::thread release([&] { go_on.set_value(); });
  worker.reset();
  const int ran_until_the_end = ran;
  release.join();
  CHECK(ran_until_the_end >= 1);
  CHECK(held.use_count() == 2);  // here and in `end`
  loop.post([&] { loop.stop(); });
  loop.run();
  CHECK(ran == ran_until_the_end);
}

TEST_CASE("a worker may go in the end of a job") {
  UvLoop loop;
  auto worker = std::make_unique<UvWorker>(loop, 2);
  int ended = 0;
  for (int i = 0; i < 20; ++i) {
    worker->run(
        kPool, [] {},
        [&] {
          ++ended;
          worker.reset();
          loop.stop();
        });
  }
  loop.run();
  loop.post([&] { loop.stop(); });
  loop.run();
  CHECK(ended == 1);
}

}  // namespace dagsync
