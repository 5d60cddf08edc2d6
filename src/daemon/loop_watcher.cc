#include "daemon/loop_watcher.h"

#include <utility>

#include "dagsync/base/log.h"

namespace dagsync {

LoopWatcher::LoopWatcher(UvLoop& loop, std::string root)
    : loop_(loop),
      root_(std::move(root)),
      trouble_{ErrorCode::kUnavailable, "watching has not been started"} {}

void LoopWatcher::start(Handlers handlers) {
  readable_ = {};
  inotify_.reset();
  auto opened = InotifyWatcher::open(root_);
  if (!opened) {
    log::warning("{}", opened.error().message);
    trouble_ = {ErrorCode::kNoSpace, opened.error().message};
    return;
  }
  auto readable = loop_.on_readable((*opened)->fd(), [this] { inotify_->on_readable(); });
  if (!readable) {
    trouble_ = {ErrorCode::kNoSpace, readable.error().message};
    return;
  }
  inotify_ = std::move(*opened);
  readable_ = std::move(*readable);
  inotify_->start(std::move(handlers));
}

Status LoopWatcher::watch(const RelPath& directory) {
  return inotify_ ? inotify_->watch(directory) : Unexpected(trouble_);
}

void LoopWatcher::unwatch(const RelPath& directory) {
  if (inotify_) inotify_->unwatch(directory);
}

void LoopWatcher::drain() {
  if (inotify_) inotify_->drain();
}

std::size_t LoopWatcher::watches() const {
  return inotify_ ? inotify_->watches() : 0;
}

}  // namespace dagsync
