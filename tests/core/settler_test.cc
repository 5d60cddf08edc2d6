#include "dagsync/core/settler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/paths.h"

using dagsync::Duration;
using dagsync::MonoNanos;
using dagsync::path;
using dagsync::RelPath;
using dagsync::Settler;

namespace {

MonoNanos at_ms(std::int64_t ms) {
  return MonoNanos{ms * 1'000'000};
}

constexpr Duration kSettle = std::chrono::milliseconds(5);
constexpr Duration kSettleMax = std::chrono::milliseconds(1000);

}  // namespace

TEST_CASE("where nothing was touched nothing is due") {
  Settler settler(kSettle, kSettleMax);
  CHECK(settler.empty());
  CHECK_FALSE(settler.due().has_value());
  CHECK(settler.take(at_ms(1'000'000)).empty());
  CHECK(settler.take_all().empty());
}

TEST_CASE("a saved file is due once its folder was quiet") {
  Settler settler(kSettle, kSettleMax);
  settler.add(path("a.py"), at_ms(100));
  CHECK(settler.due() == at_ms(105));
  CHECK(settler.take(MonoNanos{at_ms(105).value - 1}).empty());
  CHECK(settler.waiting() == 1);
  CHECK(settler.take(at_ms(105)) == std::vector{path("a.py")});
  CHECK(settler.empty());
  CHECK_FALSE(settler.due().has_value());
  CHECK(settler.take(at_ms(106)).empty());
}

TEST_CASE("an editor that touches a name again starts the quiet time anew, and it is one path") {
  Settler settler(kSettle, kSettleMax);
  settler.add(path("a.py"), at_ms(0));
  settler.add(path("a.py"), at_ms(4));
  CHECK(settler.due() == at_ms(9));
  CHECK(settler.take(at_ms(8)).empty());
  CHECK(settler.take(at_ms(9)) == std::vector{path("a.py")});
}

TEST_CASE("a lone save in a quiet folder waits for a quarter of the quiet time") {
  Settler settler(std::chrono::milliseconds(8), kSettleMax);
  settler.add(path("a.py"), at_ms(100), true);
  CHECK(settler.due() == at_ms(102));
  settler.add(path("a.py"), at_ms(101), true);  // written, then closed
  CHECK(settler.due() == at_ms(103));
  CHECK(settler.take(at_ms(103)) == std::vector{path("a.py")});
}

TEST_CASE("what comes close to another path is no lone save") {
  Settler settler(std::chrono::milliseconds(8), kSettleMax);
  settler.add(path("a.py"), at_ms(100), true);
  settler.add(path("b.py"), at_ms(101), true);
  CHECK(settler.due() == at_ms(109));
  CHECK(settler.take(at_ms(109)).size() == 2);
  settler.add(path("c.py"), at_ms(124), true);  // 23 ms after b.py
  CHECK(settler.due() == at_ms(132));
  CHECK(settler.take(at_ms(132)).size() == 1);
  settler.add(path("c.py"), at_ms(148), true);  // 24 ms after that
  CHECK(settler.due() == at_ms(150));
}

TEST_CASE(
    "a lone file that is moved, or written beside its name and moved there, waits as shortly") {
  Settler settler(std::chrono::milliseconds(8), kSettleMax);
  settler.add(path("old.py"), at_ms(100), true);
  settler.add(path("new.py"), at_ms(100), true);
  CHECK(settler.due() == at_ms(102));
  CHECK(settler.take(at_ms(102)).size() == 2);
  settler.add(path("a.py.new"), at_ms(200), true);
  settler.add(path("a.py.new"), at_ms(201), true);  // moved from there
  settler.add(path("a.py"), at_ms(201), true);
  CHECK(settler.due() == at_ms(203));
  settler.add(path("b.py.new"), at_ms(201), true);  // no lone one: the next file
  CHECK(settler.due() == at_ms(209));
  CHECK(settler.take(at_ms(209)).size() == 3);
  settler.add(path("old"), at_ms(300), false);
  settler.add(path("new"), at_ms(300), false);  // directories
  CHECK(settler.due() == at_ms(308));
}

TEST_CASE("a path that is no file, or nobody's touch, is no lone save") {
  Settler settler(std::chrono::milliseconds(8), kSettleMax);
  settler.add(path("directory"), at_ms(100), false);
  CHECK(settler.due() == at_ms(108));
  settler.clear();
  settler.add(path("a.py"), at_ms(200), true);
  settler.add(path("a.py"), at_ms(201), false);
  CHECK(settler.due() == at_ms(209));
}

TEST_CASE("what is saved together travels together, in the order of the names") {
  Settler settler(kSettle, kSettleMax);
  settler.add(path("lib/helper.py"), at_ms(0));
  settler.add(path("dag.py"), at_ms(3));
  settler.add(path("lib"), at_ms(6));
  CHECK(settler.contains(path("lib")));
  CHECK_FALSE(settler.contains(path("other")));
  CHECK(settler.take(at_ms(10)).empty());
  CHECK(settler.take(at_ms(11)) == std::vector{path("dag.py"), path("lib"), path("lib/helper.py")});
}

TEST_CASE("a folder that never falls quiet is published every settle_max") {
  Settler settler(kSettle, kSettleMax);
  std::vector<std::int64_t> batches;
  for (std::int64_t ms = 0; ms <= 3003; ++ms) {
    if (!settler.take(at_ms(ms)).empty()) batches.push_back(ms);
    settler.add(path("log" + std::to_string(ms % 7)), at_ms(ms));
  }
  CHECK(batches == std::vector<std::int64_t>{1000, 2000, 3000});
}

TEST_CASE("without a quiet time a path is due at once") {
  Settler settler(Duration::zero(), kSettleMax);
  settler.add(path("a"), at_ms(7));
  CHECK(settler.due() == at_ms(7));
  CHECK(settler.take(at_ms(7)) == std::vector{path("a")});
}

TEST_CASE("a settle_max below settle counts") {
  Settler settler(kSettle, std::chrono::milliseconds(2));
  settler.add(path("a"), at_ms(0));
  CHECK(settler.due() == at_ms(2));
}

TEST_CASE("a push takes what waits without waiting") {
  Settler settler(kSettle, kSettleMax);
  settler.add(path("b"), at_ms(0));
  settler.add(path("a"), at_ms(0));
  CHECK(settler.take_all() == std::vector{path("a"), path("b")});
  CHECK(settler.empty());
  settler.add(path("c"), at_ms(500));
  CHECK(settler.due() == at_ms(505));  // the batch that was taken does not count any more
}

TEST_CASE("a reload changes the times of the batch that waits") {
  Settler settler(kSettle, kSettleMax);
  settler.add(path("a"), at_ms(0));
  settler.set_times(std::chrono::milliseconds(50), kSettleMax);
  CHECK(settler.due() == at_ms(50));
  settler.set_times(std::chrono::milliseconds(50), std::chrono::milliseconds(20));
  CHECK(settler.due() == at_ms(20));
}

TEST_CASE("more paths than the bound are dropped for a rescan") {
  Settler settler(kSettle, kSettleMax);
  for (std::size_t i = 0; i < Settler::kMaxWaiting; ++i)
    settler.add(path("f" + std::to_string(i)), at_ms(0));
  CHECK(settler.waiting() == Settler::kMaxWaiting);
  settler.add(path("f0"), at_ms(1));  // no new path
  CHECK_FALSE(settler.overflowed());
  settler.add(path("one-more"), at_ms(1));
  CHECK(settler.overflowed());
  CHECK(settler.empty());
  settler.add(path("later"), at_ms(2));
  CHECK(settler.empty());
  CHECK_FALSE(settler.due().has_value());

  settler.clear();  // the rescan begins: what is touched from now on counts again
  CHECK_FALSE(settler.overflowed());
  settler.add(path("during-the-rescan"), at_ms(3));
  CHECK(settler.take(at_ms(8)) == std::vector{path("during-the-rescan")});
}

TEST_CASE("clearing forgets what waits") {
  Settler settler(kSettle, kSettleMax);
  settler.add(path("a"), at_ms(0));
  settler.clear();
  CHECK(settler.empty());
  CHECK_FALSE(settler.due().has_value());
}

TEST_CASE("whatever the hints, every path comes out, once, sorted, and neither late nor early") {
  std::mt19937_64 random(23);
  for (int round = 0; round < 200; ++round) {
    Settler settler(kSettle, std::chrono::milliseconds(20));
    std::set<RelPath> waiting;
    std::int64_t first = 0;
    std::int64_t last = 0;
    for (std::int64_t ms = 0; ms < 200; ++ms) {
      const auto batch = settler.take(at_ms(ms));
      const bool due = !waiting.empty() && (ms - last >= 5 || ms - first >= 20);
      REQUIRE(batch.empty() == !due);
      if (due) {
        REQUIRE(std::equal(batch.begin(), batch.end(), waiting.begin(), waiting.end()));
        waiting.clear();
      }
      if (random() % 4 != 0) continue;
      if (waiting.empty()) first = ms;
      last = ms;
      const RelPath touched = path("p" + std::to_string(random() % 9));
      settler.add(touched, at_ms(ms));
      waiting.insert(touched);
      REQUIRE(settler.waiting() == waiting.size());
    }
  }
}
