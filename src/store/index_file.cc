#include "store/index_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

constexpr int kMaxSetAsidesPerSecond = 100;

std::string shown(const std::string& path) {
  return escape_bytes(path);
}

void sync_directory(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);  // at worst the directory is made again after a power cut, and the index is new
  ::close(fd);
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status make_directories(std::string path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  if (::mkdir(path.c_str(), 0700) == 0) {
    sync_directory(parent_of(path));
    return {};
  }
  if (errno == EEXIST) return {};
  if (errno != ENOENT || parent_of(path) == path)
    return fail_errno(errno, "make the state directory " + shown(path));
  if (Status above = make_directories(parent_of(path)); !above) return above;
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno(errno, "make the state directory " + shown(path));
  sync_directory(parent_of(path));
  return {};
}

Status check_owner(const std::string& directory) {
  struct stat found {};
  if (::stat(directory.c_str(), &found) != 0)
    return fail_errno(errno, "look at the state directory " + shown(directory));
  if (!S_ISDIR(found.st_mode))
    return fail(ErrorCode::kInvalid,
                "state directory " + shown(directory) + ": it is a file: name another state_dir");
  if (found.st_uid == ::geteuid()) return {};
  return fail(ErrorCode::kPermission,
              "state directory " + shown(directory) + ": it belongs to user " +
                  std::to_string(found.st_uid) + " and dagsync runs as user " +
                  std::to_string(::geteuid()) + ": run it as that user, or chown the directory");
}

off_t size_of(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 ? found.st_size : 0;
}

bool exists(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

// "20261121T061700Z"
std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);
  return text;
}

}  // namespace

std::string index_file_in(const std::string& directory) {
  return directory + "/index.db";
}

std::uint64_t index_bytes_in(const std::string& directory) {
  const std::string file = index_file_in(directory);
  return static_cast<std::uint64_t>(size_of(file) + size_of(file + "-wal"));
}

Status make_index_file(const std::string& directory) {
  if (Status made = make_directories(directory); !made) return made;
  if (Status owned = check_owner(directory); !owned) return owned;
  const std::string file = index_file_in(directory);
  // Never opened but to make it: closing any descriptor of it would drop SQLite's locks.
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::close(fd);
    sync_directory(directory);
    return {};
  }
  if (errno != EEXIST) return fail_errno(errno, "make the index " + shown(file));
  if (::access(file.c_str(), R_OK | W_OK) != 0)
    return fail(error_code_of(errno), "index " + shown(file) +
                                          ": not readable and writable: give it to the user that "
                                          "dagsync runs as");
  return {};
}

bool has_log_without_index(const std::string& directory) {
  const std::string file = index_file_in(directory);
  return size_of(file) == 0 && size_of(file + "-wal") > 0;
}

Result<std::string> set_index_aside(const std::string& directory) {
  const std::string file = index_file_in(directory);
  const std::string dated = file + ".corrupt-" + utc_now();
  std::string aside = dated;
  for (int n = 2; exists(aside) && n <= kMaxSetAsidesPerSecond; ++n)
    aside = dated + "-" + std::to_string(n);
  if (exists(aside))
    return fail(ErrorCode::kExists, "set the corrupt index " + shown(file) + " aside: " +
                                        shown(aside) + " is there already: remove old ones");
  // The log first: without it the rest would still be opened as an index, if an older one.
  for (const char* part : {"-wal", "-shm", "-journal", ""})
    if (::rename((file + part).c_str(), (aside + part).c_str()) != 0 && errno != ENOENT)
      return fail_errno(errno, "set the corrupt index " + shown(file) + " aside");
  sync_directory(directory);
  return aside;
}

}  // namespace dagsync
