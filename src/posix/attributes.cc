#include "posix/attributes.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "posix/disk_error.h"
#include "posix/lease.h"
#include "posix/times.h"

namespace dagsync {
namespace {

// What is right already needs no new ctime. The owner comes first, since giving a file away may
// take bits from its mode.
Sys<Gave> set(int fd, const DiskState& now, const Attributes& to, const OwnerOrder& owner) {
  const auto gave = give(fd, owner, now);
  if (!gave) return gave;
  const bool is_directory = now.type == FileType::kDirectory;
  const std::uint32_t mode = to.mode & (is_directory ? kDirectoryModeBits : kFileModeBits);
  if (now.type != FileType::kSymlink && mode != now.mode &&
      ::fchmodat(AT_FDCWD, proc_path(fd).c_str(), mode, 0) != 0)
    return sys_error();
  if (!to.mtime || is_directory || *to.mtime == now.mtime) return gave;
  const auto times = times_with_mtime(*to.mtime);
  if (::utimensat(fd, "", times.data(), AT_EMPTY_PATH) != 0) return sys_error();
  return gave;
}

// Neither what it was nor what we have made of it: a person was faster than our look.
template <typename T>
bool is_anothers(const T& now, const T& before, const T& set) {
  return now != before && now != set;
}

// The state that we have made. What a person has set since is not in it, so that the next look
// finds it as a change.
DiskState made_of(DiskState now, const DiskState& before, const Attributes& to, Gave gave,
                  const OwnerOrder& owner) {
  const bool is_directory = now.type == FileType::kDirectory;
  const auto mode =
      static_cast<std::uint16_t>(to.mode & (is_directory ? kDirectoryModeBits : kFileModeBits));
  if (now.type != FileType::kSymlink && is_anothers(now.mode, before.mode, mode)) now.mode = mode;
  if (gave != Gave::kDone || !owner.ids) return now;
  if (is_anothers(Owner{now.user, now.group}, Owner{before.user, before.group}, *owner.ids)) {
    now.user = owner.ids->user;
    now.group = owner.ids->group;
  }
  return now;
}

}  // namespace

Result<Published> set_attributes_at(const RelPath& path, const Place& place,
                                    const DiskState& expected, const Attributes& attributes,
                                    Owners& owners) {
  const OwnerOrder owner = owners.for_standing(attributes.owner);
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
  const auto gave = set(thing->inode.get(), before->state, attributes, owner);
  if (!gave) return fail_at(gave.error().number, "set the owner, mode or time of", path);
  const auto now = look_at(thing->inode.get());
  if (!now) return fail_at(now.error().number, "look at", path);
  owners.note(path, *gave, owner.name, now->state);
  return Published{PublishOutcome::kDone,
                   made_of(now->state, before->state, attributes, *gave, owner), false};
}

}  // namespace dagsync
