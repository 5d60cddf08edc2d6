#include "daemon/state_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

constexpr std::size_t kMaxSmallFile = 4096;

// Nobody else may read kept contents, whatever made the directory (systemd makes it 0755).
Status make_private(const std::string& path) {
  if (Status made = make_directories(path, 0700); !made) return made;
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return fail_errno(errno, escape_bytes(path));
  if ((info.st_mode & 07777) == 0700 || chmod(path.c_str(), 0700) == 0) return {};
  return fail_errno(errno, "make " + escape_bytes(path) + " private (the daemon must own it)");
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

Unexpected locked_by_another(const std::string& path, const std::string& lock_file) {
  const auto pid = read_small_file(lock_file, kMaxSmallFile);
  const std::string who = pid && !pid->empty() ? " (process " + first_line(*pid) + ")" : "";
  return fail(ErrorCode::kUnavailable, "another daemon" + who + " uses the state directory " +
                                           escape_bytes(path) +
                                           ": stop it, or give each node a state_dir of its own");
}

Result<OwnedFd> take_lock(const std::string& path) {
  const std::string file = path + "/lock";
  OwnedFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail_errno(errno, "open " + escape_bytes(file));
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return locked_by_another(path, file);
    return fail_errno(errno, "lock " + escape_bytes(file));
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(fd.get(), 0) != 0 ||
      pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return fail_errno(errno, "write " + escape_bytes(file));
  }
  return fd;
}

// The index inside was issued under one name; another node that took it over would be that author.
Status check_node(const std::string& path, const NodeName& node) {
  const std::string file = path + "/node";
  const auto content = read_small_file(file, kMaxSmallFile);
  if (!content && content.error().code == ErrorCode::kNotFound) {
    return create_file(file, node.value + "\n", 0600);
  }
  if (!content) return Unexpected(content.error());
  const std::string owner = first_line(*content);
  if (owner == node.value) return {};
  return fail(ErrorCode::kInvalid,
              "the state directory " + escape_bytes(path) + " belongs to node \"" +
                  escape_bytes(owner) + "\", and this node is called \"" + node.value +
                  "\": set [node] name back, or give this node an empty state_dir of its own");
}

}  // namespace

bool StateDir::is_of_another(const std::string& path) {
  struct stat info {};
  return ::geteuid() == 0 && ::stat(path.c_str(), &info) == 0 && info.st_uid != 0;
}

Result<StateDir> StateDir::open(const std::string& path, const NodeName& node) {
  if (Status made = make_private(path); !made) return Unexpected(made.error());
  auto lock = take_lock(path);
  if (!lock) return Unexpected(lock.error());
  if (Status checked = check_node(path, node); !checked) return Unexpected(checked.error());
  return StateDir(path, std::move(*lock));
}

Result<std::string> StateDir::folder_dir(const std::string& name) const {
  const std::string folder = path_ + "/folders/" + name;
  if (Status made = make_directories(path_ + "/folders", 0700); !made) {
    return Unexpected(made.error());
  }
  if (Status made = make_directories(folder, 0700); !made) return Unexpected(made.error());
  return folder;
}

}  // namespace dagsync
