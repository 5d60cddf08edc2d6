#include "posix/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

namespace dagsync {
namespace {

// openat2 gives up with EAGAIN when something is renamed under it; each try is a new chance.
constexpr int kMaxResolveTries = 128;

constexpr std::uint64_t kBeneath =
    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;

int openat2(int directory, const char* path, int flags) {
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = kBeneath;
  return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
}

}  // namespace

Sys<UniqueFd> open_beneath(int root, const RelPath& path, int flags) {
  const char* name = path.is_root() ? "." : path.bytes().c_str();
  for (int tries = 0; tries < kMaxResolveTries; ++tries) {
    const int fd = openat2(root, name, flags);
    if (fd >= 0) return UniqueFd(fd);
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return sys_error();
}

Sys<Place> place_of(int root, const RelPath& path) {
  auto directory = open_beneath(root, path.parent(), O_PATH | O_DIRECTORY);
  if (!directory) return tl::unexpected(directory.error());
  return Place{share(std::move(*directory)), std::string(path.name())};
}

std::string proc_path(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

Sys<UniqueFd> reopen(int fd, int flags) {
  while (true) {
    const int again = ::open(proc_path(fd).c_str(), flags | O_CLOEXEC);
    if (again >= 0) return UniqueFd(again);
    if (errno != EINTR) return sys_error();
  }
}

}  // namespace dagsync
