#include "dagsync/core/delete_guard.h"

namespace dagsync {

std::size_t DeleteGuard::recent(MonoNanos now) const {
  std::size_t sum = 0;
  for (const auto& [when, deletes] : passed_) {
    if (now - when < kWindow) sum += deletes;
  }
  return sum;
}

bool DeleteGuard::allows(std::size_t deletes, std::size_t files, MonoNanos now) const {
  if (deletes == 0) return true;
  const std::size_t before = recent(now);
  const std::size_t total = before + deletes;
  const std::size_t files_at_start = before + files;
  if (total <= kAlwaysAllowed) return true;
  if (max_percent_ >= 100) return total < files_at_start;
  return total * 100 <= files_at_start * static_cast<std::size_t>(max_percent_);
}

void DeleteGuard::count(std::size_t deletes, MonoNanos now) {
  while (!passed_.empty() && now - passed_.front().first >= kWindow)
    passed_.pop_front();
  if (deletes == 0) return;
  // One slot a second bounds the queue.
  if (!passed_.empty() && now - passed_.back().first < std::chrono::seconds(1)) {
    passed_.back().second += deletes;
  } else {
    passed_.emplace_back(now, deletes);
  }
}

}  // namespace dagsync
