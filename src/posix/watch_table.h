// Which inotify watch stands for which directory, both ways. A path is held once, so that hundreds
// of thousands of directories stay cheap. Loop thread only.
#pragma once

#include <map>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dagsync/base/rel_path.h"

namespace dagsync {

// A watch descriptor as inotify numbers them; the kernel does not soon give a number out again.
struct WatchId {
  int value = -1;
  bool operator==(const WatchId&) const = default;
};

class WatchTable {
 public:
  // `watch` stands for `directory` from now on, and for nothing else. Returns the other watch that
  // stood for it until now and that nobody knows any more; a value of -1: there was none.
  WatchId put(WatchId watch, const RelPath& directory);
  // Null: unknown. Valid until the table changes.
  [[nodiscard]] const RelPath* find(WatchId watch) const;
  void erase(WatchId watch);
  // Forgets `directory` and all below it, and returns their watches.
  std::vector<WatchId> take(const RelPath& directory);
  [[nodiscard]] std::size_t size() const { return by_path_.size(); }

 private:
  struct Bytewise {
    using is_transparent = void;
    bool operator()(const RelPath& a, const RelPath& b) const { return a < b; }
    bool operator()(const RelPath& a, std::string_view b) const { return a.bytes() < b; }
    bool operator()(std::string_view a, const RelPath& b) const { return a < b.bytes(); }
  };
  std::map<RelPath, WatchId, Bytewise> by_path_;       // what lies below a directory is one range
  std::unordered_map<int, const RelPath*> directory_;  // by watch; the keys of by_path_
};

}  // namespace dagsync
