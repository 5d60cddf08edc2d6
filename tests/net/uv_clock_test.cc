#include "net/uv_clock.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace dagsync {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

struct Timers {
  UvLoop loop;
  UvClock clock{loop};
  std::vector<int> order;

  void note(int name, Duration delay) {
    clock.after(delay, [this, name] { order.push_back(name); });
  }
  void run_for(Duration time) {
    clock.after(time, [this] { loop.stop(); });
    loop.run();
  }
};

}  // namespace

TEST_CASE("timers fire in the order of their moments, not of their making") {
  Timers timers;
  timers.note(3, milliseconds(9));
  timers.note(1, milliseconds(1));
  timers.note(2, milliseconds(5));
  timers.run_for(milliseconds(20));
  CHECK(timers.order == std::vector{1, 2, 3});
}

TEST_CASE("a cancelled timer never fires, nor does one cancelled by the one before it") {
  Timers timers;
  const TimerId first = timers.clock.after(milliseconds(1), [&] { timers.order.push_back(1); });
  TimerId third;
  timers.clock.after(milliseconds(2), [&] {
    timers.order.push_back(2);
    timers.clock.cancel(third);
  });
  third = timers.clock.after(milliseconds(2), [&] { timers.order.push_back(3); });
  timers.clock.cancel(first);
  timers.clock.cancel(first);
  timers.clock.cancel(TimerId{});
  timers.note(4, milliseconds(3));
  timers.run_for(milliseconds(10));
  CHECK(timers.order == std::vector{2, 4});
}

TEST_CASE("what need not be punctual fires together, again and again, about when it should") {
  Timers timers;
  std::vector<MonoNanos> moments;
  const MonoNanos start = timers.clock.mono();
  const auto note = [&] { moments.push_back(timers.clock.mono()); };
  timers.clock.about(std::chrono::seconds(1), [&] {
    note();
    timers.clock.about(std::chrono::seconds(1), note);
  });
  timers.clock.after(milliseconds(300), [&] { timers.clock.about(std::chrono::seconds(1), note); });
  timers.run_for(milliseconds(2400));
  REQUIRE(moments.size() == 3);
  CHECK(moments[0] - start < milliseconds(1400));
  CHECK(moments[1] - moments[0] < milliseconds(200));
  CHECK(moments[2] - moments[0] > milliseconds(800));
  CHECK(timers.clock.about(milliseconds(1), note).value != 0);
}

TEST_CASE("a timer without delay fires later, and one made by it in a later round") {
  Timers timers;
  bool posted = false;
  int rounds = 0;
  std::function<void()> again = [&] {
    if (++rounds < 3) timers.clock.after(Duration(0), again);
  };
  timers.clock.after(Duration(0), again);
  timers.clock.after(Duration(-5), [&] { timers.order.push_back(1); });
  CHECK(rounds == 0);
  CHECK(timers.order.empty());
  timers.loop.post([&] { posted = true; });
  timers.run_for(milliseconds(5));
  CHECK(rounds == 3);
  CHECK(timers.order == std::vector{1});
  CHECK(posted);
}

TEST_CASE("a timer never fires early, and at its best within a part of a millisecond") {
  constexpr Duration kDelay = microseconds(300);
  Timers timers;
  Duration best = std::chrono::seconds(1);
  for (int i = 0; i < 100; ++i) {
    const MonoNanos start = timers.clock.mono();
    Duration took{};
    timers.clock.after(kDelay, [&] {
      took = timers.clock.mono() - start;
      timers.loop.stop();
    });
    timers.loop.run();
    CHECK(took >= kDelay);
    best = std::min(best, took);
  }
  CHECK(best < microseconds(950));
}

TEST_CASE("a timer put off a thousand times fires once, after the last delay") {
  Timers timers;
  TimerId timer;
  const MonoNanos start = timers.clock.mono();
  for (int i = 0; i < 1000; ++i) {
    timers.clock.cancel(timer);
    timer = timers.clock.after(milliseconds(3), [&] { timers.order.push_back(1); });
  }
  const MonoNanos last = timers.clock.mono();
  CHECK(last >= start);
  timers.run_for(milliseconds(20));
  CHECK(timers.order == std::vector{1});
}

TEST_CASE("timers pending at the end are dropped with what they hold") {
  const auto held = std::make_shared<int>(1);
  {
    Timers timers;
    timers.clock.after(std::chrono::hours(1), [held] { FAIL("fired"); });
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("the clocks tell nanoseconds of this century, and never go back") {
  Timers timers;
  CHECK(to_rfc3339(timers.clock.now()).substr(0, 2) == "20");
  MonoNanos last = timers.clock.mono();
  for (int i = 0; i < 1000; ++i) {
    const MonoNanos next = timers.clock.mono();
    CHECK(next >= last);
    last = next;
  }
}

}  // namespace dagsync
