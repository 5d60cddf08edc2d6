// Hints that something changed under a directory; never what. Loop thread only.
#pragma once

#include <functional>
#include <vector>

#include "dagsync/base/rel_path.h"
#include "dagsync/base/result.h"

namespace dagsync {

// "Look at this path": a file closed after writing, created, moved in or out, deleted, given other
// attributes; a directory or symlink made, moved or removed. A directory that appears is not yet
// watched: whoever gets the hint calls watch() and then lists it.
struct Hint {
  RelPath path;
  bool is_directory = false;
  bool operator==(const Hint&) const = default;
};

class Watcher {
 public:
  struct Handlers {
    std::function<void(std::vector<Hint>)> on_hints;
    std::function<void()> on_overflow;   // hints were lost: everything must be compared
    std::function<void()> on_root_gone;  // the root was moved, deleted or unmounted
  };

  virtual ~Watcher() = default;
  // Handlers are called on the loop thread from now on, never from within watch() or unwatch(), and
  // from within drain().
  virtual void start(Handlers handlers) = 0;
  // Watches the names in one directory, not those below it. Watching twice is fine. kNoSpace: the
  // system's watches ran out (fs.inotify.max_user_watches); kNotFound: gone, or no directory.
  virtual Status watch(const RelPath& directory) = 0;
  // Stops watching this directory and all below it.
  virtual void unwatch(const RelPath& directory) = 0;
  // Delivers, before it returns, the hints of everything that happened before the call.
  virtual void drain() = 0;
  [[nodiscard]] virtual std::size_t watches() const = 0;
};

}  // namespace dagsync
