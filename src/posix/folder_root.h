// The directory that the folder is, opened anew for each operation, or for those of a short visit.
//
// A descriptor held open would be simpler, but it keeps an administrator from unmounting, and it
// goes on working in a directory that was moved away or in what lies hidden under a new mount.
// Opened by its path and compared with the directory that was identified, a root that vanished or
// was replaced is noticed by the next operation, whichever it is. Thread-safe.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "dagsync/ports/disk.h"
#include "posix/look.h"
#include "posix/unique_fd.h"

namespace dagsync {

class FolderRoot {
 public:
  struct Opened {
    SharedFd fd;  // O_PATH
    Look look;
  };

  explicit FolderRoot(std::string path) : path_(std::move(path)) {}

  // The directory that was identified last. kNotFound: it is not there any more, or another one is.
  [[nodiscard]] Result<Opened> open() const;

  // What stands at the path now, as Disk::identify_root. With a mark, or for the first time, it is
  // taken for the folder from then on.
  [[nodiscard]] Result<RootIdentity> identify(const std::optional<std::string>& mark);

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Known {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    UnixNanos born;  // an inode number is soon used again
    bool operator==(const Known&) const = default;
  };
  static Known known_of(const Look& look) {
    return {look.state.device, look.state.inode, look.born};
  }

  [[nodiscard]] Result<Opened> open_any() const;
  [[nodiscard]] Unexpected fail_here(ErrorCode code, const std::string& what) const;

  const std::string path_;
  mutable std::mutex mutex_;
  std::optional<Known> known_;            // under mutex_
  std::optional<RootIdentity> identity_;  // of the folder; under mutex_
};

}  // namespace dagsync
