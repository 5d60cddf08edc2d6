// What stands under a name, seen without following it.
#pragma once

#include <cstdint>

#include "dagsync/core/record.h"
#include "posix/sys.h"

namespace dagsync {

// What of a mode is replicated: never setuid, and setgid of directories alone.
inline constexpr std::uint32_t kFileModeBits = 0777;
inline constexpr std::uint32_t kDirectoryModeBits = 03777;

struct Look {
  DiskState state;
  std::uint64_t mount = 0;  // the mount it was seen through; 0: the kernel does not say
  bool mount_root = false;  // a file system, or a bind mount, begins here
  UnixNanos born;           // 0 where the file system does not know
};

// The name in the directory `directory`, or with "" the thing that the descriptor itself is.
[[nodiscard]] Sys<Look> look_at(int directory, const char* name);
[[nodiscard]] inline Sys<Look> look_at(int fd) {
  return look_at(fd, "");
}

// Whether somebody has removed the directory that we hold open.
[[nodiscard]] bool is_removed(int directory);

// Whether `now` is what a caller expected: the rule of is_unchanged(). How young the expectation
// was when it was made is the observer's care.
[[nodiscard]] bool matches(const DiskState& expected, const DiskState& now);
// The same for a thing that was renamed or linked since, which alone moves its ctime.
[[nodiscard]] bool matches_but_for_ctime(const DiskState& expected, const DiskState& now);

}  // namespace dagsync
