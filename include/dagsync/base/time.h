// Time types. Time is always passed in; only the Clock port reads it.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

namespace dagsync {

// A wall clock moment: UTC nanoseconds since 1970. What mtimes and stamps are made of.
struct UnixNanos {
  std::int64_t value = 0;
  auto operator<=>(const UnixNanos&) const = default;
};

// No moment that is stored, sent or compared lies further from 1970, to either side: sums and
// differences of any two fit. The years 1823 to 2116; what lies beyond is moved to the edge.
inline constexpr UnixNanos kFarthestMoment{INT64_MAX / 2};

// A moment of a clock that never goes back; only differences mean anything.
struct MonoNanos {
  std::int64_t value = 0;
  auto operator<=>(const MonoNanos&) const = default;
};

using Duration = std::chrono::nanoseconds;

inline UnixNanos operator+(UnixNanos t, Duration d) {
  return {t.value + d.count()};
}
inline UnixNanos operator-(UnixNanos t, Duration d) {
  return {t.value - d.count()};
}
inline Duration operator-(UnixNanos a, UnixNanos b) {
  return Duration(a.value - b.value);
}
inline MonoNanos operator+(MonoNanos t, Duration d) {
  return {t.value + d.count()};
}
inline Duration operator-(MonoNanos a, MonoNanos b) {
  return Duration(a.value - b.value);
}

inline double to_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// RFC 3339 in UTC with milliseconds: "2026-11-21T06:17:00.123Z".
[[nodiscard]] std::string to_rfc3339(UnixNanos moment);

}  // namespace dagsync
