#include "dagsync/base/time.h"

#include <cstdio>
#include <ctime>

namespace dagsync {

std::string to_rfc3339(UnixNanos moment) {
  constexpr std::int64_t kNanos = 1'000'000'000;
  std::int64_t seconds = moment.value / kNanos;
  std::int64_t nanos = moment.value % kNanos;
  if (nanos < 0) {
    nanos += kNanos;
    --seconds;
  }
  const std::time_t time = static_cast<std::time_t>(seconds);
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                static_cast<int>(nanos / 1'000'000));
  return text;
}

}  // namespace dagsync
