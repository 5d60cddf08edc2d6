// Stops a folder from being emptied by accident: a wrong `rm -r`, an unmounted disk, a lost share.
// Deletes are summed over a minute, so that a slow `rm -r` does not pass below the limit. Pure.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "dagsync/base/time.h"

namespace dagsync {

class DeleteGuard {
 public:
  static constexpr std::size_t kAlwaysAllowed = 20;
  static constexpr Duration kWindow = std::chrono::seconds(60);

  explicit DeleteGuard(int max_percent) : max_percent_(max_percent) {}
  void set_max_percent(int max_percent) { max_percent_ = max_percent; }

  // Whether `deletes` more deletes may pass now, where the folder holds `files` files before them.
  [[nodiscard]] bool allows(std::size_t deletes, std::size_t files, MonoNanos now) const;
  void count(std::size_t deletes, MonoNanos now);  // that passed
  void forget() { passed_.clear(); }               // a person has decided

 private:
  std::size_t recent(MonoNanos now) const;

  int max_percent_;
  std::deque<std::pair<MonoNanos, std::size_t>> passed_;
};

}  // namespace dagsync
