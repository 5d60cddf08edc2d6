// Nanoseconds as the system calls want them.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include <array>

#include "dagsync/base/time.h"

namespace dagsync {

// For utimensat and futimens: this mtime, the access time left alone.
[[nodiscard]] inline std::array<struct timespec, 2> times_with_mtime(UnixNanos mtime) {
  constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
  struct timespec access {};
  access.tv_nsec = UTIME_OMIT;
  struct timespec change {};
  change.tv_sec = mtime.value / kNanosPerSecond;
  change.tv_nsec = mtime.value % kNanosPerSecond;
  if (change.tv_nsec < 0) {  // before 1970
    change.tv_nsec += kNanosPerSecond;
    --change.tv_sec;
  }
  return {access, change};
}

}  // namespace dagsync
