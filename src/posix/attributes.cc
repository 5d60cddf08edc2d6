#include "posix/attributes.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "posix/disk_error.h"
#include "posix/lease.h"
#include "posix/times.h"

namespace dagsync {
namespace {

Sys<void> set(const Standing& thing, std::uint32_t mode, std::optional<UnixNanos> mtime) {
  const int fd = thing.inode.get();
  const FileType type = thing.state.type;
  const std::uint32_t bits = type == FileType::kDirectory ? kDirectoryModeBits : kFileModeBits;
  // A symlink has no mode; and one that is right already needs no new ctime.
  if (type != FileType::kSymlink && (mode & bits) != thing.state.mode &&
      ::fchmodat(AT_FDCWD, proc_path(fd).c_str(), mode & bits, 0) != 0)
    return sys_error();
  if (!mtime || type == FileType::kDirectory || *mtime == thing.state.mtime) return {};
  const auto times = times_with_mtime(*mtime);
  if (::utimensat(fd, "", times.data(), AT_EMPTY_PATH) != 0) return sys_error();
  return {};
}

}  // namespace

Result<Published> set_attributes_at(const RelPath& path, const Place& place,
                                    const DiskState& expected, std::uint32_t mode,
                                    std::optional<UnixNanos> mtime) {
  const auto thing = hold(place);
  if (!thing && thing.error().number == ENOENT) return kChanged;
  if (!thing) return fail_at(thing.error().number, "look at", path);
  if (thing->state.type == FileType::kSpecial) return kChanged;
  const bool is_file = thing->state.type == FileType::kFile;
  // Held throughout: the new mtime must not hide what somebody writes after the look.
  std::optional<HeldLease> lease;
  if (is_file) lease.emplace(thing->inode.get());
  if (is_file && lease->check() == WriterCheck::kWriter) return kBusy;
  const auto before = look_at(thing->inode.get());
  if (!before || !matches(expected, before->state)) return kChanged;
  const auto done = set(*thing, mode, mtime);
  if (!done) return fail_at(done.error().number, "set the mode or time of", path);
  const auto now = look_at(thing->inode.get());
  if (!now) return fail_at(now.error().number, "look at", path);
  return Published{PublishOutcome::kDone, now->state, false};
}

}  // namespace dagsync
