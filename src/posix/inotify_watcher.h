// The Watcher on inotify. It has its own descriptor because libuv's uv_fs_event drops overflows and
// cannot tell a close after writing from a write. Whoever has the event loop polls fd() for reading
// and calls on_readable(). Loop thread only.
//
// Every hint whose path shows a directory is a reason to watch that directory (again): also one for
// a name that went away, since another directory may have come in its place; and after on_overflow
// every directory that is found. Watching again is cheap and always right.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "dagsync/ports/watcher.h"
#include "posix/inotify_events.h"
#include "posix/unique_fd.h"
#include "posix/watch_table.h"

namespace dagsync {

class InotifyWatcher final : public Watcher {
 public:
  // `root` is the folder, which must be a directory and no symlink (kNotFound). kUnavailable: no
  // more inotify instances (fs.inotify.max_user_instances).
  [[nodiscard]] static Result<std::unique_ptr<InotifyWatcher>> open(std::string root);

  [[nodiscard]] int fd() const { return inotify_.get(); }  // non-blocking, owned by this
  // Reads what is there, up to a bound, and calls the handlers; the rest stays readable.
  void on_readable();

  // Once the root is gone, on_root_gone was called, nothing is watched, and nothing follows:
  // whoever finds the root again opens a new watcher. A handler must not destroy the watcher.
  void start(Handlers handlers) override;
  // kUnsupported: another file system is mounted there.
  Status watch(const RelPath& directory) override;
  void unwatch(const RelPath& directory) override;
  void drain() override;
  [[nodiscard]] std::size_t watches() const override { return table_.size(); }

 private:
  static constexpr std::size_t kReadBytes = 64 << 10;  // a thousand events and more
  static constexpr int kReadsPerTurn = 16;             // then the loop serves others

  InotifyWatcher(std::string root, UniqueFd root_fd, UniqueFd inotify);
  std::size_t read_once();  // bytes read and dispatched; 0: nothing is pending
  void report_lost_hints(int error_number);
  void dispatch(InotifyNews news);

  std::string root_;
  UniqueFd root_fd_;
  UniqueFd inotify_;
  bool counts_links_ = true;  // a file system may show no links even of a directory that is there
  bool root_gone_ = false;
  Handlers handlers_;
  WatchTable table_;
  std::array<char, kReadBytes> buffer_;  // free again before a handler is called
};

}  // namespace dagsync
