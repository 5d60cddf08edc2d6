// Makes names and contents in the folder survive a power cut.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "dagsync/base/rel_path.h"
#include "dagsync/base/result.h"
#include "dagsync/core/record.h"
#include "dagsync/ports/disk.h"

namespace dagsync {

// Directories in which nothing has changed since they were made durable: to sync one again would
// only flush the disk once more, which is most of what it costs. Whatever is made, moved or removed
// in a directory moves its ctime on; within a tick of the file system's clock that does not show,
// so one that changed lately is not among them. Thread-safe.
class DurableDirectories {
 public:
  static constexpr std::size_t kMost = 10'000;                       // 1 MiB; more begin anew
  static constexpr Duration kLongestTick = std::chrono::seconds(3);  // FAT's are 2 s

  [[nodiscard]] bool has(const DiskState& directory) const;
  // One that was made durable after it looked like this; `moment`: when it did, or before.
  void add(const DiskState& directory, UnixNanos moment);

 private:
  struct Seen {
    std::uint64_t device;
    UnixNanos ctime;
  };
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, Seen> by_inode_;
};

// Beneath the directory `root`, with all directories above that are not among `durable`: one that
// somebody has moved there, in the place of another one, looks as before. What is gone meanwhile
// has nothing to be made durable but the directories that it is gone from. `moment` is now.
[[nodiscard]] Status make_durable(int root, const std::vector<RelPath>& paths,
                                  DurableDirectories& durable, UnixNanos moment);

// Everything on the file system of this directory, in the folder or not.
[[nodiscard]] Status sync_file_system(int root);

}  // namespace dagsync
