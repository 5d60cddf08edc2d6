#include "posix/watch_table.h"

#include <string>
#include <utility>

namespace dagsync {

WatchId WatchTable::put(WatchId watch, const RelPath& directory) {
  const RelPath* known = find(watch);
  if (known != nullptr && *known == directory) return {};
  erase(watch);  // the same directory under another name: it was moved
  const auto [place, is_new] = by_path_.try_emplace(directory, watch);
  WatchId displaced;
  if (!is_new) {
    displaced = std::exchange(place->second, watch);
    directory_.erase(displaced.value);
  }
  directory_[watch.value] = &place->first;
  return displaced;
}

const RelPath* WatchTable::find(WatchId watch) const {
  const auto it = directory_.find(watch.value);
  return it == directory_.end() ? nullptr : it->second;
}

void WatchTable::erase(WatchId watch) {
  const auto it = directory_.find(watch.value);
  if (it == directory_.end()) return;
  by_path_.erase(by_path_.find(*it->second));
  directory_.erase(it);
}

std::vector<WatchId> WatchTable::take(const RelPath& directory) {
  std::vector<WatchId> taken;
  const auto take_range = [&](auto begin, auto end) {
    for (auto it = begin; it != end; it = by_path_.erase(it)) {
      taken.push_back(it->second);
      directory_.erase(it->second.value);
    }
  };
  if (directory.is_root()) {
    take_range(by_path_.begin(), by_path_.end());
    return taken;
  }
  if (const auto it = by_path_.find(directory); it != by_path_.end()) take_range(it, std::next(it));
  // "a.b" and "a-b" sort between "a" and "a/b"; '0' is the byte after '/'.
  take_range(by_path_.lower_bound(std::string_view(directory.bytes() + "/")),
             by_path_.lower_bound(std::string_view(directory.bytes() + "0")));
  return taken;
}

}  // namespace dagsync
