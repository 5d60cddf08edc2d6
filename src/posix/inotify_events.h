// What the bytes that inotify hands out say. Touches neither the kernel nor the disk. Loop thread
// only, as the table.
#pragma once

#include <string_view>
#include <vector>

#include "dagsync/ports/watcher.h"
#include "posix/watch_table.h"

namespace dagsync {

struct InotifyNews {
  std::vector<Hint> hints;        // each once, in the order of the events
  std::vector<WatchId> given_up;  // no longer in the table: to be taken from inotify too
  bool hints_were_lost = false;   // an overflow, or bytes that are no events
  bool root_gone = false;         // the root itself was moved, deleted or unmounted
};

// `bytes` are whole events, as a read(2) returns them. Watches that ended, and those of directories
// that went away with all below them, leave `table`.
[[nodiscard]] InotifyNews read_inotify_events(std::string_view bytes, WatchTable& table);

}  // namespace dagsync
