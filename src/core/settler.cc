#include "dagsync/core/settler.h"

#include <algorithm>
#include <utility>

#include "dagsync/base/assert.h"

namespace dagsync {

Settler::Settler(Duration settle, Duration settle_max) {
  set_times(settle, settle_max);
}

void Settler::set_times(Duration settle, Duration settle_max) {
  DAGSYNC_ASSERT(settle >= Duration::zero());
  DAGSYNC_ASSERT(settle_max >= Duration::zero());
  settle_ = settle;
  settle_max_ = settle_max;
}

void Settler::add(RelPath path, MonoNanos now) {
  if (overflowed_) return;
  if (paths_.empty()) first_ = now;
  last_ = now;
  paths_.insert(std::move(path));
  if (paths_.size() <= kMaxWaiting) return;
  clear();
  overflowed_ = true;
}

std::optional<MonoNanos> Settler::due() const {
  if (paths_.empty()) return std::nullopt;
  return std::min(last_ + settle_, first_ + settle_max_);
}

std::vector<RelPath> Settler::take(MonoNanos now) {
  const auto moment = due();
  return moment && *moment <= now ? take_all() : std::vector<RelPath>();
}

std::vector<RelPath> Settler::take_all() {
  std::vector<RelPath> batch;
  batch.reserve(paths_.size());
  while (!paths_.empty())
    batch.push_back(std::move(paths_.extract(paths_.begin()).value()));
  std::sort(batch.begin(), batch.end());
  return batch;
}

void Settler::clear() {
  paths_.clear();
  overflowed_ = false;
}

}  // namespace dagsync
