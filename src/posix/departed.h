// Files that left the folder a moment ago, while somebody may still be about to open them.
//
// An open() that found the name just before it was exchanged can get its file just after we looked
// for writers: no call of the kernel closes that gap of less than a microsecond. So such a file is
// held until the next sync, which comes milliseconds later, and looked at once more. What was
// written into it is a local edit, and is brought back. Thread-safe.
#pragma once

#include <deque>
#include <mutex>
#include <vector>

#include "dagsync/ports/disk.h"
#include "posix/kept_versions.h"
#include "posix/unique_fd.h"

namespace dagsync {

class Departed {
 public:
  // The file `inode` does not stand at `path` any more, and showed `state` when it left.
  void note(const RelPath& path, UniqueFd inode, const DiskState& state);

  struct Late {
    RelPath path;
    UniqueFd inode;
    DiskState state;  // as it was left by whoever wrote into it
  };
  // Those that somebody wrote into and closed. One that somebody has open stays, the others go.
  [[nodiscard]] std::vector<Late> take_late();

 private:
  static constexpr std::size_t kMaxHeld = 128;  // beyond, the oldest that shows no edit goes

  void make_room();

  std::mutex mutex_;
  std::deque<Late> held_;  // under mutex_; `state` as it left
};

// Publishes the edit at its path where what stands there is older, as a save of now would have; in
// any other case it becomes a kept version.
void bring_back(const Departed::Late& edit, Disk& disk, KeptVersions& kept);

}  // namespace dagsync
