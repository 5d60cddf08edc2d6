#include "posix/folder_root.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "posix/beneath.h"
#include "posix/disk_error.h"

namespace dagsync {
namespace {

constexpr const char* kMarkerAttribute = "user.dagsync.id";
constexpr std::size_t kMaxMarkerBytes = 256;

// "" where there is none, or the file system keeps none.
std::string read_marker(int directory) {
  std::array<char, kMaxMarkerBytes> value;
  const ssize_t size = ::fgetxattr(directory, kMarkerAttribute, value.data(), value.size());
  return size < 0 ? std::string() : std::string(value.data(), static_cast<std::size_t>(size));
}

// The marker that the directory has afterwards: another one may have been faster. Durable, as the
// index that remembers it will be: or after a power cut the folder would be another one.
std::string write_marker(int directory, const std::string& mark) {
  (void)::fsetxattr(directory, kMarkerAttribute, mark.data(), mark.size(), XATTR_CREATE);
  (void)::fsync(directory);
  return read_marker(directory);
}

std::uint64_t file_system_of(int fd) {
  struct statfs seen {};
  if (::fstatfs(fd, &seen) != 0) return 0;
  std::uint64_t id = 0;
  static_assert(sizeof seen.f_fsid == sizeof id);
  std::memcpy(&id, &seen.f_fsid, sizeof id);
  return id;
}

}  // namespace

Unexpected FolderRoot::fail_here(ErrorCode code, const std::string& what) const {
  return fail(code, "folder " + escape_bytes(path_) + ": " + what);
}

Result<FolderRoot::Opened> FolderRoot::open_any() const {
  UniqueFd fd(::open(path_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) {
    if (!is_no_directory(errno)) return fail_at(errno, "open the folder", escape_bytes(path_));
    return fail_here(ErrorCode::kNotFound, "it is not there: mount it, or make the directory");
  }
  const auto look = look_at(fd.get());
  if (!look) return fail_at(look.error().number, "look at the folder", escape_bytes(path_));
  if (look->state.type == FileType::kSymlink)
    return fail_here(ErrorCode::kInvalid,
                     "a symlink stands there: name the directory that it points to");
  if (look->state.type != FileType::kDirectory)
    return fail_here(ErrorCode::kNotFound, "no directory stands there: make one");
  return Opened{share(std::move(fd)), *look};
}

Result<FolderRoot::Opened> FolderRoot::open() const {
  auto opened = open_any();
  if (!opened) return opened;
  const std::lock_guard lock(mutex_);
  if (known_ != known_of(opened->look))
    return fail_here(ErrorCode::kNotFound, "another directory stands there than before");
  return opened;
}

Result<RootIdentity> FolderRoot::identify(const std::optional<std::string>& mark) {
  auto opened = open_any();
  if (!opened) return tl::unexpected(std::move(opened.error()));
  auto directory = reopen(opened->fd->get(), O_RDONLY | O_DIRECTORY);
  if (!directory) return fail_at(directory.error().number, "read the folder", escape_bytes(path_));
  RootIdentity identity;
  identity.inode = opened->look.state.inode;
  identity.file_system = file_system_of(directory->get());
  identity.marker = read_marker(directory->get());
  if (identity.marker.empty() && mark) identity.marker = write_marker(directory->get(), *mark);
  const std::lock_guard lock(mutex_);
  // A question about another directory must not make it ours: something may be publishing.
  if (mark || !identity_ || *identity_ == identity) {
    known_ = known_of(opened->look);
    identity_ = identity;
  }
  return identity;
}

}  // namespace dagsync
