#include "posix/inotify_watcher.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <utility>

#include "dagsync/base/assert.h"
#include "dagsync/base/log.h"
#include "posix/beneath.h"

namespace dagsync {
namespace {

// IN_MODIFY, since neither truncate(2) nor setting an mtime alone has any other event. Without
// IN_DONT_FOLLOW: what is added is the descriptor's link under /proc, which must be followed; the
// descriptor itself was opened beneath the root without following anything.
constexpr std::uint32_t kMask = IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE |
                                IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF |
                                IN_ONLYDIR | IN_EXCL_UNLINK;

// The parent's events only wake us up, to look whether the root still has a name: as long as anyone
// has the root open, as we do, its own IN_DELETE_SELF does not come.
constexpr std::uint32_t kParentMask = IN_DELETE | IN_ONLYDIR;

constexpr const char* kMaxWatches = "fs.inotify.max_user_watches";
constexpr const char* kMaxInstances = "fs.inotify.max_user_instances";

int add_watch(int inotify, int directory, std::uint32_t mask) {
  return ::inotify_add_watch(inotify, proc_path(directory).c_str(), mask);
}

std::string doing(const RelPath& directory) {
  return "watch " + display(directory);
}

Unexpected fail_open(int error_number, const RelPath& directory) {
  if (error_number == ELOOP)
    return fail(ErrorCode::kNotFound, doing(directory) + ": a symlink, not a directory");
  if (error_number == EXDEV)
    return fail(ErrorCode::kUnsupported,
                doing(directory) + ": another file system is mounted there");
  return fail_errno(error_number, doing(directory));
}

// A limit as it stands now, for people: "192536", or "unknown".
std::string current_limit(const std::string& sysctl) {
  std::string path = "/proc/sys/" + sysctl;
  for (char& c : path)
    if (c == '.') c = '/';
  std::ifstream file(path);
  std::string value;
  return file >> value ? value : "unknown";
}

std::string how_to_raise(const char* sysctl, const char* value) {
  return std::string("raise it with: sysctl -w ") + sysctl + "=" + value + " (now " +
         current_limit(sysctl) + "), and in /etc/sysctl.d to keep it";
}

Unexpected fail_add(int error_number, const RelPath& directory) {
  if (error_number == ENOSPC)
    return fail(ErrorCode::kNoSpace, doing(directory) + ": the system's inotify watches ran out: " +
                                         how_to_raise(kMaxWatches, "1048576"));
  if (error_number == ENOENT)  // the directory is open, so it is not that which is missing
    return fail(ErrorCode::kUnsupported, doing(directory) + ": /proc is not there: mount it");
  return fail_errno(error_number, doing(directory));
}

bool has_no_name(int directory) {
  struct stat now {};
  return ::fstat(directory, &now) == 0 && now.st_nlink == 0;
}

}  // namespace

Result<std::unique_ptr<InotifyWatcher>> InotifyWatcher::open(std::string root) {
  const std::string what = "watch " + escape_bytes(root);
  UniqueFd root_fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!root_fd) return fail_errno(errno, what);
  UniqueFd inotify(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  const int error_number = errno;
  if (inotify)
    return std::unique_ptr<InotifyWatcher>(
        new InotifyWatcher(std::move(root), std::move(root_fd), std::move(inotify)));
  if (error_number == EMFILE || error_number == ENFILE)
    return fail(ErrorCode::kUnavailable,
                what + ": the user's inotify instances, or the process's open files, ran out: " +
                    how_to_raise(kMaxInstances, "1024") + "; or raise the open files (ulimit -n)");
  return fail_errno(error_number, what);
}

InotifyWatcher::InotifyWatcher(std::string root, UniqueFd root_fd, UniqueFd inotify)
    : root_(std::move(root)), root_fd_(std::move(root_fd)), inotify_(std::move(inotify)) {
  counts_links_ = !has_no_name(root_fd_.get());
  // Where the parent may not be read, the end of the root is noticed with the next event below it.
  const UniqueFd parent(::openat(root_fd_.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (parent) add_watch(inotify_.get(), parent.get(), kParentMask);
}

void InotifyWatcher::start(Handlers handlers) {
  DAGSYNC_ASSERT(handlers.on_hints && handlers.on_overflow && handlers.on_root_gone);
  handlers_ = std::move(handlers);
}

Status InotifyWatcher::watch(const RelPath& directory) {
  if (root_gone_)
    return fail(ErrorCode::kNotFound, doing(directory) + ": the folder " + escape_bytes(root_) +
                                          " was moved, deleted or unmounted");
  const auto opened = open_beneath(root_fd_.get(), directory, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!opened) return fail_open(opened.error().number, directory);
  const int added = add_watch(inotify_.get(), opened->get(), kMask);
  if (added < 0) return fail_add(errno, directory);
  const WatchId displaced = table_.put(WatchId{added}, directory);
  if (displaced.value >= 0) ::inotify_rm_watch(inotify_.get(), displaced.value);
  return {};
}

void InotifyWatcher::unwatch(const RelPath& directory) {
  // Fails for a directory that is deleted already: its watch went with it.
  for (const WatchId watch : table_.take(directory))
    ::inotify_rm_watch(inotify_.get(), watch.value);
}

void InotifyWatcher::on_readable() {
  for (int turn = 0; turn < kReadsPerTurn; ++turn)
    if (read_once() == 0) return;
}

void InotifyWatcher::drain() {
  // The bound: what the kernel holds now. Events that come meanwhile are of after the call.
  int pending = 0;
  if (::ioctl(inotify_.get(), FIONREAD, &pending) != 0) return;
  std::size_t left = static_cast<std::size_t>(pending);
  while (left > 0) {
    const std::size_t bytes = read_once();
    if (bytes == 0) return;
    left -= std::min(left, bytes);
  }
}

std::size_t InotifyWatcher::read_once() {
  ssize_t bytes = 0;
  do {
    bytes = ::read(inotify_.get(), buffer_.data(), buffer_.size());
  } while (bytes < 0 && errno == EINTR);
  if (bytes <= 0) {
    if (bytes < 0 && errno != EAGAIN) report_lost_hints(errno);
    return 0;
  }
  const auto end = static_cast<std::size_t>(bytes);
  InotifyNews news = read_inotify_events({buffer_.data(), end}, table_);
  for (const WatchId watch : news.given_up)
    ::inotify_rm_watch(inotify_.get(), watch.value);
  dispatch(std::move(news));
  return end;
}

void InotifyWatcher::report_lost_hints(int error_number) {
  const Status failed = fail_errno(error_number, "watch " + escape_bytes(root_));
  log::error("{}", failed.error().message);
  if (!root_gone_) handlers_.on_overflow();
}

void InotifyWatcher::dispatch(InotifyNews news) {
  DAGSYNC_ASSERT(handlers_.on_hints);
  if (root_gone_) return;
  if (news.root_gone || (counts_links_ && has_no_name(root_fd_.get()))) {
    // Alone: the names that vanished with the root must not pass for deletes.
    root_gone_ = true;
    unwatch(RelPath());
    handlers_.on_root_gone();
    return;
  }
  if (!news.hints.empty()) handlers_.on_hints(std::move(news.hints));
  if (news.hints_were_lost) handlers_.on_overflow();
}

}  // namespace dagsync
