#include "dagsync/core/delete_guard.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace dagsync;

namespace {

MonoNanos at_second(std::int64_t second) {
  return MonoNanos{second * 1'000'000'000};
}

std::vector<RelPath> paths(int first, int last) {
  std::vector<RelPath> made;
  for (int i = first; i <= last; ++i) {
    const auto path = RelPath::parse("f" + std::to_string(i));
    REQUIRE(path.has_value());
    made.push_back(*path);
  }
  return made;
}

}  // namespace

TEST_CASE("a batch may delete its part of the files, and twenty always") {
  struct Row {
    int percent;
    std::size_t deletes;
    std::size_t files;
    bool allowed;
  };
  const Row rows[] = {
      {50, 0, 0, true},         {50, 20, 20, true},     {0, 20, 20, true},
      {0, 21, 1000, false},     {50, 21, 42, true},     {50, 21, 41, false},
      {50, 500, 1000, true},    {50, 501, 1000, false}, {100, 999, 1000, true},
      {100, 1000, 1000, false}, {10, 100, 1000, true},  {10, 101, 1000, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.percent);
    CAPTURE(row.deletes);
    CAPTURE(row.files);
    DeleteGuard guard(row.percent);
    CHECK(guard.allows(row.deletes, row.files, at_second(1)) == row.allowed);
  }
}

TEST_CASE("a slow rm is summed over a minute, against the files at its start") {
  DeleteGuard guard(50);
  REQUIRE(guard.allows(50, 100, at_second(1)));
  guard.passed(paths(1, 50), at_second(1));
  CHECK_FALSE(guard.allows(1, 50, at_second(2)));
  CHECK_FALSE(guard.allows(1, 50, at_second(60)));
  CHECK(guard.allows(1, 50, at_second(61)));
}

TEST_CASE("each delete leaves the window on its own") {
  DeleteGuard guard(50);
  guard.passed(paths(1, 30), at_second(0));
  guard.passed(paths(31, 50), at_second(50));
  CHECK_FALSE(guard.allows(1, 50, at_second(59)));
  CHECK(guard.allows(15, 50, at_second(60)));  // 20 + 15 of 70
  CHECK_FALSE(guard.allows(16, 50, at_second(60)));
}

TEST_CASE("what came back does not count") {
  DeleteGuard guard(50);
  guard.passed(paths(1, 50), at_second(1));
  for (const RelPath& path : paths(1, 50))
    guard.came_back(path);
  CHECK(guard.allows(50, 100, at_second(2)));
  CHECK_FALSE(guard.allows(51, 100, at_second(2)));
}

TEST_CASE("a person's decision begins anew, with another limit if they want") {
  DeleteGuard guard(50);
  guard.passed(paths(1, 50), at_second(1));
  guard.forget();
  CHECK(guard.allows(25, 50, at_second(2)));
  guard.set_max_percent(40);
  CHECK_FALSE(guard.allows(25, 50, at_second(2)));
}
