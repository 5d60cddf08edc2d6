// A disk, rows and intents as an unclean stop may leave them.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "core/record_samples.h"
#include "dagsync/engine/observe/observer.h"
#include "dagsync/engine/publish/recovery.h"
#include "posix/disk_world.h"
#include "support/memory_store.h"
#include "support/noting_disk.h"

namespace dagsync {

inline constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
inline constexpr std::int64_t kOldTime = 1'500'000'000 * kNanosPerSecond + 1;
inline constexpr std::int64_t kNewTime = 1'600'000'000 * kNanosPerSecond + 2;
inline constexpr std::int64_t kOtherTime = 1'650'000'000 * kNanosPerSecond + 3;
inline constexpr UnixNanos kRestart{1'700'000'000 * kNanosPerSecond};
inline const Disk::Disposable kNothing = [](const RelPath&, FileType) { return false; };

struct RecoveryWorld {
  DiskWorld disk;
  Record old = edit("a", 1, file_content("old", kOldTime), kOldTime);
  Record intended = edit("b", 1, file_content("new!", kNewTime), kNewTime, &old);
  FolderImage image;
  Transaction writes;
  std::vector<RelPath> doubtful;

  void write(const std::string& name, const std::string& bytes, std::int64_t mtime) const {
    disk.write(name, bytes);
    set_mtime(name, mtime);
    REQUIRE(::chmod(disk.real(name).c_str(), 0644) == 0);
  }
  // Of a symlink itself, too.
  void set_mtime(const std::string& name, std::int64_t mtime) const {
    const struct timespec times[2] = {{0, UTIME_OMIT},
                                      {mtime / kNanosPerSecond, mtime % kNanosPerSecond}};
    REQUIRE(::utimensat(AT_FDCWD, disk.real(name).c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
  }
  // The index has `old`, whose state on the disk is out of date.
  IndexEntry entry_of(const Record& record) const {
    DiskState stale;
    stale.inode = 1;
    return {record, record.origin, stale};
  }
  // a.py was being published over `old`.
  void intend(const std::optional<Record>& before) {
    Intent intent;
    intent.path = DiskWorld::path("a.py");
    intent.intended = {intent.path, intended.origin, intended};
    if (before) {
      intent.old = entry_of(*before);
      image.entries.emplace_back(intent.path, *intent.old);
    }
    image.intents.push_back(intent);
  }
  void run() { run_on(disk.disk()); }
  void run_on(Disk& its_disk) {
    Recovered recovered = recover(its_disk, kNothing, image, kRestart);
    writes = std::move(recovered.writes);
    doubtful = std::move(recovered.doubtful);
  }

  [[nodiscard]] const IndexEntry* entry() const {
    for (const auto& [path, entry] : image.entries) {
      if (path == DiskWorld::path("a.py")) return &entry;
    }
    return nullptr;
  }
  // Whether the next scan takes what stands there for an edit.
  [[nodiscard]] bool is_edit() {
    LookAt at;
    at.path = DiskWorld::path("a.py");
    Content known;
    if (entry() != nullptr && entry()->record.is_live()) {
      at.known_state = entry()->disk;
      known = at.known = entry()->record.content;
    }
    return look_at(disk.disk(), at, kRestart, false).seen.content != known;
  }
};

}  // namespace dagsync
