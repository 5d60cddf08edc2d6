#include "dagsync/base/time.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

using dagsync::Duration;
using dagsync::MonoNanos;
using dagsync::to_rfc3339;
using dagsync::UnixNanos;

TEST_CASE("a moment is written as RFC 3339 in UTC with milliseconds") {
  struct Row {
    std::int64_t nanos;
    std::string text;
  };
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::vector<Row> table = {
      {0, "1970-01-01T00:00:00.000Z"},
      {999'999, "1970-01-01T00:00:00.000Z"},  // cut, not rounded: never a moment that is to come
      {1'000'000, "1970-01-01T00:00:00.001Z"},
      {kSecond - 1, "1970-01-01T00:00:00.999Z"},
      {-1, "1969-12-31T23:59:59.999Z"},
      {-kSecond, "1969-12-31T23:59:59.000Z"},
      {951'782'400 * kSecond, "2000-02-29T00:00:00.000Z"},
      {1'795'241'820 * kSecond + 123'456'789, "2026-11-21T06:17:00.123Z"},
      {4'102'444'799 * kSecond, "2099-12-31T23:59:59.000Z"},
      {INT64_MAX, "2262-04-11T23:47:16.854Z"},
      {INT64_MIN, "1677-09-21T00:12:43.145Z"},
  };
  for (const Row& row : table)
    CHECK(to_rfc3339(UnixNanos{row.nanos}) == row.text);
}

TEST_CASE("moments and durations add up") {
  const UnixNanos moment{1'000};
  CHECK(moment + Duration(5) == UnixNanos{1'005});
  CHECK(moment - Duration(5) == UnixNanos{995});
  CHECK(UnixNanos{7} - UnixNanos{10} == Duration(-3));
  CHECK(MonoNanos{7} + Duration(3) == MonoNanos{10});
  CHECK(MonoNanos{7} - MonoNanos{10} == Duration(-3));
  CHECK(UnixNanos{1} < UnixNanos{2});
  CHECK(MonoNanos{2} > MonoNanos{1});
  CHECK(std::chrono::milliseconds(5) == Duration(5'000'000));
}
