// The watcher of a folder on the event loop: an inotify watcher that is opened when watching
// starts, and opened anew when the folder was gone and is there again. Loop thread only.
#pragma once

#include <memory>
#include <string>

#include "dagsync/ports/watcher.h"
#include "net/uv_loop.h"
#include "posix/inotify_watcher.h"

namespace dagsync {

class LoopWatcher final : public Watcher {
 public:
  LoopWatcher(UvLoop& loop, std::string root);

  // Where inotify cannot be had, every watch() says so, and the folder is polled.
  void start(Handlers handlers) override;
  Status watch(const RelPath& directory) override;
  void unwatch(const RelPath& directory) override;
  void drain() override;
  [[nodiscard]] std::size_t watches() const override;

 private:
  UvLoop& loop_;
  std::string root_;
  std::unique_ptr<InotifyWatcher> inotify_;
  ReadableWatch readable_;  // of inotify_'s descriptor, so it goes first
  Error trouble_;           // why there is none
};

}  // namespace dagsync
