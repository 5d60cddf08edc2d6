#include "daemon/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

namespace fs = std::filesystem;

std::string staging_name(const std::string& path) {
  const fs::path file(path);
  return (file.parent_path() / ("." + file.filename().string() + ".tmp")).string();
}

Status write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(errno, "write");
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status sync_parent(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  const OwnedFd fd(open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0)
    return fail_errno(errno, "sync " + escape_bytes(parent.string()));
  return {};
}

// The whole content under `staging`; O_EXCL, since a symlink there would lead the key elsewhere.
Status stage(const std::string& staging, std::string_view content, mode_t mode) {
  const std::string doing = "write " + escape_bytes(staging);
  unlink(staging.c_str());  // of an earlier crash
  const OwnedFd fd(open(staging.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) return fail_errno(errno, doing);
  Status written = write_all(fd.get(), content);
  if (!written) return Unexpected(written.error().with_context(escape_bytes(staging)));
  if (fchmod(fd.get(), mode) != 0 || fsync(fd.get()) != 0) return fail_errno(errno, doing);
  return {};
}

template <typename Publish>
Status publish_staged(const std::string& path, std::string_view content, mode_t mode,
                      Publish publish) {
  const std::string staging = staging_name(path);
  Status done = stage(staging, content, mode);
  if (done && publish(staging.c_str(), path.c_str()) != 0) {
    done = fail_errno(errno, "make " + escape_bytes(path));
  }
  unlink(staging.c_str());
  return done ? sync_parent(path) : done;
}

}  // namespace

void OwnedFd::reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

Result<std::string> read_small_file(const std::string& path, std::size_t limit) {
  const std::string shown = escape_bytes(path);
  const OwnedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(errno, shown);
  std::string content(limit + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = read(fd.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, shown);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > limit) {
    return fail(ErrorCode::kInvalid, shown + ": is larger than " + std::to_string(limit) +
                                         " bytes: is it the right file?");
  }
  content.resize(size);
  return content;
}

Status create_file(const std::string& path, std::string_view content, mode_t mode) {
  return publish_staged(path, content, mode, link);
}

Status replace_file(const std::string& path, std::string_view content, mode_t mode) {
  return publish_staged(path, content, mode,
                        [](const char* a, const char* b) { return rename(a, b); });
}

Status make_directories(const std::string& path, mode_t mode) {
  const fs::path parent = fs::path(path).parent_path();
  std::error_code error;
  if (!parent.empty()) fs::create_directories(parent, error);
  if (error) return fail_errno(error.value(), "make directory " + escape_bytes(parent.string()));
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return fail_errno(errno, "make directory " + escape_bytes(path));
  }
  if (!fs::is_directory(path, error)) {
    return fail(ErrorCode::kExists, escape_bytes(path) + " is no directory: move it away");
  }
  return {};
}

}  // namespace dagsync
