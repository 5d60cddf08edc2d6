// What is wrong between values that are each right: a name given twice, folders in each other.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "daemon/config.h"

namespace dagsync {

struct ConfigConflict {
  std::string section;    // "node", "log", "folder", "peer" or "hook"
  std::size_t index = 0;  // which of them
  std::string key;
  std::string what;  // "is ...: what to do"
};

// Values that are empty were refused already and are passed over.
[[nodiscard]] std::vector<ConfigConflict> find_conflicts(const Config& config);

// The same with the paths that the symlinks on the way lead to. Looks at the disk; kInvalid, with a
// line each.
[[nodiscard]] Status check_resolved(const Config& config);

}  // namespace dagsync
