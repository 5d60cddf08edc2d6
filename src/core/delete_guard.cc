#include "dagsync/core/delete_guard.h"

namespace dagsync {

bool DeleteGuard::allows(std::size_t deletes, std::size_t files, MonoNanos now) {
  if (deletes == 0) return true;
  std::erase_if(gone_, [&](const auto& entry) { return now - entry.second >= kWindow; });
  const std::size_t total = gone_.size() + deletes;
  const std::size_t files_at_start = gone_.size() + files;
  if (total <= kAlwaysAllowed) return true;
  if (max_percent_ >= 100) return total < files_at_start;
  return total * 100 <= files_at_start * static_cast<std::size_t>(max_percent_);
}

void DeleteGuard::passed(const std::vector<RelPath>& deleted, MonoNanos now) {
  for (const RelPath& path : deleted) gone_[path] = now;
}

}  // namespace dagsync
