#include "net/uv_loop.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "net/system_random.h"

namespace dagsync {

TEST_CASE("posts of many threads all run, those of one thread in order") {
  constexpr int kThreads = 4;
  constexpr int kPosts = 500;
  UvLoop loop;
  std::array<std::vector<int>, kThreads> seen;  // touched by the loop thread alone
  int total = 0;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&loop, &seen, &total, t] {
      for (int i = 0; i < kPosts; ++i) {
        loop.post([&loop, &seen, &total, t, i] {
          seen[t].push_back(i);
          if (++total == kThreads * kPosts) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (auto& thread : threads)
    thread.join();
  for (const auto& of_thread : seen) {
    REQUIRE(of_thread.size() == kPosts);
    for (int i = 0; i < kPosts; ++i)
      CHECK(of_thread[static_cast<std::size_t>(i)] == i);
  }
}

TEST_CASE("a post from within a post runs in a later round") {
  UvLoop loop;
  std::vector<int> order;
  loop.post([&] {
    loop.post([&] {
      order.push_back(2);
      loop.stop();
    });
    order.push_back(1);
  });
  loop.run();
  CHECK(order == std::vector{1, 2});
}

TEST_CASE("posts that never ran are dropped with what they hold") {
  const auto held = std::make_shared<int>(1);
  {
    UvLoop loop;
    loop.post([held] { FAIL("ran"); });
    CHECK(held.use_count() == 2);
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("a stop before the run ends it at its start") {
  UvLoop loop;
  loop.stop();
  loop.run();
}

TEST_CASE("a signal calls its watch, and no longer once that is gone") {
  UvLoop loop;
  int calls = 0;
  auto watch = loop.on_signal(SIGHUP, [&] {
    ++calls;
    loop.stop();
  });
  REQUIRE(watch.has_value());
  REQUIRE(::raise(SIGHUP) == 0);
  loop.run();
  CHECK(calls == 1);
}

TEST_CASE("a readable descriptor calls its watch, which may be destroyed in the call") {
  UvLoop loop;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  std::optional<ReadableWatch> watch;
  int calls = 0;
  const auto held = std::make_shared<int>(1);
  auto made = loop.on_readable(ends[0], [&, held] {
    ++calls;
    watch.reset();
    CHECK(*held == 1);
    loop.stop();
  });
  REQUIRE(made.has_value());
  watch = std::move(*made);
  REQUIRE(::write(ends[1], "x", 1) == 1);
  loop.run();
  CHECK(calls == 1);
  loop.post([&] { loop.stop(); });  // still readable, but nobody watches
  loop.run();
  CHECK(calls == 1);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("a write to a reader that went is an error, not the end of the process") {
  UvLoop loop;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  CHECK(::write(ends[1], "x", 1) == -1);
  ::close(ends[1]);
}

TEST_CASE("the system's random numbers differ") {
  SystemRandom random;
  const auto first = random.next();
  CHECK(random.next() != first);
}

}  // namespace dagsync
