// Paths resolved beneath a directory: never out of it, through a symlink, or into another mount,
// whatever is swapped in meanwhile; the kernel checks each step (openat2). A descriptor of the
// parent and a plain last component is what the *at() calls then act on.
#pragma once

#include <string>

#include "dagsync/base/rel_path.h"
#include "posix/sys.h"
#include "posix/unique_fd.h"

namespace dagsync {

// A name in an open directory.
struct Place {
  SharedFd directory;  // O_PATH
  std::string name;    // a plain component
};

// Opens `path` beneath `root` with these flags (O_CLOEXEC is added); with O_PATH | O_NOFOLLOW the
// last component may be a symlink. ELOOP: a symlink on the way; EXDEV: another mount.
[[nodiscard]] Sys<UniqueFd> open_beneath(int root, const RelPath& path, int flags);

// The place of a path other than the root, whose parent must be there.
[[nodiscard]] Sys<Place> place_of(int root, const RelPath& path);

// Opens the inode of `fd`, which may be O_PATH, once more. Needs /proc.
[[nodiscard]] Sys<UniqueFd> reopen(int fd, int flags);

// "/proc/self/fd/N", for the calls that take only a path.
[[nodiscard]] std::string proc_path(int fd);

}  // namespace dagsync
