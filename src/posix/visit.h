// What a run of calls of one thread shares: the root, and the directory that the last one was in.
//
// Of the 40 system calls that it took to publish a small file, more than half opened these two
// again. A directory that is moved away or replaced meanwhile is still the one that was opened:
// such a call counts as made before that. The time is bounded so that "before" means a moment ago,
// that a root which vanished is noticed, and that nobody is kept from unmounting it.
#pragma once

#include <chrono>
#include <optional>

#include "dagsync/ports/disk.h"
#include "posix/beneath.h"
#include "posix/folder_root.h"

namespace dagsync {

class PosixVisit final : public Disk::Visit {
 public:
  explicit PosixVisit(const FolderRoot& root);
  ~PosixVisit() override;
  PosixVisit(const PosixVisit&) = delete;
  PosixVisit& operator=(const PosixVisit&) = delete;

  // Of this thread, in this folder; none: it makes no visit.
  [[nodiscard]] static PosixVisit* current(const FolderRoot& root);

  [[nodiscard]] Result<FolderRoot::Opened> open_root();
  // As beneath.h, in the root that was opened last.
  [[nodiscard]] Sys<Place> place_of(const FolderRoot::Opened& root, const RelPath& path);
  void forget_directory() { directory_.reset(); }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr Clock::duration kLongest = std::chrono::milliseconds(20);

  const FolderRoot& root_;
  Clock::time_point opened_at_;
  std::optional<FolderRoot::Opened> opened_;
  SharedFd directory_;  // at `path_`
  RelPath path_;
};

}  // namespace dagsync
