#include "posix/durable.h"

#include <fcntl.h>
#include <unistd.h>

#include <set>

#include "posix/beneath.h"
#include "posix/contents.h"
#include "posix/disk_error.h"
#include "posix/look.h"

namespace dagsync {
namespace {

Sys<void> sync_content(int file, std::uint64_t size) {
  for (std::uint64_t done = 0; done + kWriteBackStep < size; done += kWriteBackStep)
    if (const auto written = write_back(file, done, kWriteBackStep); !written) return written;
  return ::fsync(file) == 0 ? Sys<void>() : sys_error();
}

// False: it can only be done by syncing the whole file system, since nobody may read the file, or a
// mount hides it.
Result<bool> sync_one(int root, const RelPath& path, DurableDirectories& durable,
                      UnixNanos moment) {
  const auto thing = open_beneath(root, path, O_PATH | O_NOFOLLOW);
  if (!thing && is_no_directory(thing.error().number)) return true;
  if (!thing && thing.error().number == EXDEV) return false;
  if (!thing) return fail_at(thing.error().number, "open", path);
  const auto look = look_at(thing->get());
  if (!look) return fail_at(look.error().number, "look at", path);
  // A symlink is durable with the directory that it stands in.
  const bool is_directory = look->state.type == FileType::kDirectory;
  if (look->state.type != FileType::kFile && !is_directory) return true;
  if (is_directory && durable.has(look->state)) return true;
  const auto file = reopen(thing->get(), O_RDONLY | O_NONBLOCK);
  if (!file && (file.error().number == EACCES || file.error().number == EAGAIN)) return false;
  if (!file && file.error().number == ENOENT) return true;
  if (!file) return fail_at(file.error().number, "open", path);
  const std::uint64_t bytes = is_directory ? 0 : look->state.size;
  const auto synced = sync_content(file->get(), bytes);
  if (!synced) return fail_at(synced.error().number, "make durable", path);
  if (is_directory) durable.add(look->state, moment);
  return true;
}

// The closest directory above that is still there: its own removal is what must be durable.
RelPath standing_parent(int root, const RelPath& path) {
  RelPath parent = path.parent();
  while (!parent.is_root() && !open_beneath(root, parent, O_PATH | O_DIRECTORY))
    parent = parent.parent();
  return parent;
}

}  // namespace

Status sync_file_system(int root) {
  const auto directory = reopen(root, O_RDONLY | O_DIRECTORY);
  if (!directory) return fail_at(directory.error().number, "read", "the folder");
  if (::syncfs(directory->get()) != 0) return fail_at(errno, "make durable", "the folder");
  return {};
}

bool DurableDirectories::has(const DiskState& directory) const {
  const std::lock_guard lock(mutex_);
  const auto it = by_inode_.find(directory.inode);
  return it != by_inode_.end() && it->second.device == directory.device &&
         it->second.ctime == directory.ctime;
}

void DurableDirectories::add(const DiskState& directory, UnixNanos moment) {
  if (directory.ctime + kLongestTick > moment) return;
  const std::lock_guard lock(mutex_);
  if (by_inode_.size() >= kMost) by_inode_.clear();
  by_inode_.insert_or_assign(directory.inode, Seen{directory.device, directory.ctime});
}

Status make_durable(int root, const std::vector<RelPath>& paths, DurableDirectories& durable,
                    UnixNanos moment) {
  if (paths.empty()) return {};
  if (paths.size() > kMaxPathsSyncedSingly) return sync_file_system(root);
  std::set<RelPath> directories;
  for (const RelPath& path : paths) {
    RelPath above = standing_parent(root, path);
    while (directories.insert(above).second && !above.is_root())
      above = above.parent();
  }
  std::set<RelPath> all(paths.begin(), paths.end());
  all.merge(directories);
  for (const RelPath& path : all) {
    const auto synced = sync_one(root, path, durable, moment);
    if (!synced) return tl::unexpected(synced.error());
    if (!*synced) return sync_file_system(root);
  }
  return {};
}

}  // namespace dagsync
