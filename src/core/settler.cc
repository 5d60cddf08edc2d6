#include "dagsync/core/settler.h"

#include <algorithm>
#include <utility>

#include "dagsync/base/assert.h"

namespace dagsync {
namespace {

constexpr int kLoneShare = 4;    // of the quiet time
constexpr int kQuietBefore = 3;  // quiet times before a lone save: it is no part of a slow writer's
constexpr int kMomentShare = 16;  // of the quiet time: so close a move touches its two names

}  // namespace

Settler::Settler(Duration settle, Duration settle_max) {
  set_times(settle, settle_max);
}

void Settler::set_times(Duration settle, Duration settle_max) {
  DAGSYNC_ASSERT(settle >= Duration::zero());
  DAGSYNC_ASSERT(settle_max >= Duration::zero());
  settle_ = settle;
  settle_max_ = settle_max;
}

void Settler::add(RelPath path, MonoNanos now, bool may_be_lone) {
  if (overflowed_) return;
  const bool is_first = paths_.empty();
  const bool was_quiet = !last_ || now - *last_ >= settle_ * kQuietBefore;
  const bool was_now = last_ && now - *last_ <= settle_ / kMomentShare;
  const bool is_new = paths_.insert(std::move(path)).second;
  const bool is_other_name = paths_.size() == 2 && was_now;
  if (is_first) first_ = now;
  is_lone_ = may_be_lone && (is_first ? was_quiet : is_lone_ && (!is_new || is_other_name));
  last_ = now;
  if (paths_.size() <= kMaxWaiting) return;
  clear();
  overflowed_ = true;
}

std::optional<MonoNanos> Settler::due() const {
  if (paths_.empty()) return std::nullopt;
  const Duration quiet = is_lone_ ? settle_ / kLoneShare : settle_;
  return std::min(*last_ + quiet, first_ + settle_max_);
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
