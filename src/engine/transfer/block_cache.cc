#include "dagsync/engine/transfer/block_cache.h"

#include <algorithm>

namespace dagsync {

BlockCache::Sums BlockCache::find(const Digest& content) {
  const auto it = std::find_if(entries_.begin(), entries_.end(),
                               [&](const auto& entry) { return entry.first == content; });
  if (it == entries_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, it);
  return it->second;
}

void BlockCache::put(const Digest& content, Sums sums) {
  if (bytes_of(*sums) > kMostBytes || find(content) != nullptr) return;
  bytes_ += bytes_of(*sums);
  entries_.emplace_front(content, std::move(sums));
  while (bytes_ > kMostBytes || entries_.size() > kMostFiles) {
    bytes_ -= bytes_of(*entries_.back().second);
    entries_.pop_back();
  }
}

}  // namespace dagsync
