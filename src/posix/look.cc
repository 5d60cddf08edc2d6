#include "posix/look.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace dagsync {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

#ifndef STATX_MNT_ID  // Linux 5.8
#define STATX_MNT_ID 0x1000U
#endif

FileType type_of(std::uint32_t mode) {
  if (S_ISREG(mode)) return FileType::kFile;
  if (S_ISDIR(mode)) return FileType::kDirectory;
  if (S_ISLNK(mode)) return FileType::kSymlink;
  return FileType::kSpecial;
}

// File systems have years that nanoseconds do not reach, and anybody can set a file's mtime there.
UnixNanos nanos_of(const struct statx_timestamp& time) {
  constexpr std::int64_t kFarthestSecond = kFarthestMoment.value / kNanosPerSecond;
  if (time.tv_sec >= kFarthestSecond) return kFarthestMoment;
  if (time.tv_sec < -kFarthestSecond) return {-kFarthestMoment.value};
  return {time.tv_sec * kNanosPerSecond + time.tv_nsec};
}

}  // namespace

Sys<Look> look_at(int directory, const char* name) {
  constexpr int kFlags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
  struct statx seen {};
  if (::statx(directory, name, kFlags, STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID, &seen) != 0)
    return sys_error();
  Look look;
  look.state.type = type_of(seen.stx_mode);
  look.state.device = makedev(seen.stx_dev_major, seen.stx_dev_minor);
  look.state.inode = seen.stx_ino;
  look.state.size = seen.stx_size;
  look.state.mtime = nanos_of(seen.stx_mtime);
  look.state.ctime = nanos_of(seen.stx_ctime);
  look.state.mode = static_cast<std::uint16_t>(seen.stx_mode & 07777u);
  look.state.links = seen.stx_nlink;
  if ((seen.stx_mask & STATX_MNT_ID) != 0) look.mount = seen.stx_mnt_id;
  look.mount_root = (seen.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  if ((seen.stx_mask & STATX_BTIME) != 0) look.born = nanos_of(seen.stx_btime);
  look.state.user = seen.stx_uid;
  look.state.group = seen.stx_gid;
  return look;
}

bool is_removed(int directory) {
  struct stat now {};
  return ::fstat(directory, &now) == 0 && now.st_nlink == 0;
}

bool matches(const DiskState& expected, const DiskState& now) {
  DiskState then = expected;
  then.racy = false;
  return is_unchanged(then, now);
}

bool matches_but_for_ctime(const DiskState& expected, const DiskState& now) {
  DiskState then = expected;
  then.ctime = now.ctime;
  return matches(then, now);
}

}  // namespace dagsync
