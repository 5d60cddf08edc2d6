// Stops a folder from being emptied by accident: a wrong `rm -r`, an unmounted disk, a lost share.
// Deletes are summed over a minute, so that a slow `rm -r` does not pass below the limit; a path
// that comes back meanwhile does not count, so that switching branches to and fro does pass. Pure.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <vector>

#include "dagsync/base/rel_path.h"
#include "dagsync/base/time.h"

namespace dagsync {

class DeleteGuard {
 public:
  static constexpr std::size_t kAlwaysAllowed = 20;
  static constexpr Duration kWindow = std::chrono::seconds(60);

  explicit DeleteGuard(int max_percent) : max_percent_(max_percent) {}
  void set_max_percent(int max_percent) { max_percent_ = max_percent; }

  // Whether `deletes` more files may go now, where the folder holds `files` before that.
  [[nodiscard]] bool allows(std::size_t deletes, std::size_t files, MonoNanos now);
  // How many went within the window, and are still gone; as of the last allows().
  [[nodiscard]] std::size_t gone() const { return gone_.size(); }
  void passed(const std::vector<RelPath>& deleted, MonoNanos now);
  void came_back(const RelPath& path) { gone_.erase(path); }
  void forget() { gone_.clear(); }  // a person has decided

 private:
  int max_percent_;
  std::unordered_map<RelPath, MonoNanos> gone_;  // within the window, and still gone
};

}  // namespace dagsync
