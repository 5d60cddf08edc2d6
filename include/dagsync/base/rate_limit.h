// Keeps what outsiders can cause from flooding the log. One thread at a time.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "dagsync/base/time.h"

namespace dagsync {

// Lets one event a key through in each period.
class RateLimit {
 public:
  static constexpr std::size_t kMaxKeys = 256;  // with more, nothing new passes until some age out

  explicit RateLimit(Duration period) : period_(period) {}

  [[nodiscard]] bool allows(const std::string& key, MonoNanos now) {
    if (last_.size() >= kMaxKeys) {
      std::erase_if(last_, [&](const auto& entry) { return now - entry.second >= period_; });
    }
    const auto found = last_.find(key);
    if (found == last_.end()) {
      if (last_.size() >= kMaxKeys) return false;
      last_.emplace(key, now);
      return true;
    }
    if (now - found->second < period_) return false;
    found->second = now;
    return true;
  }

 private:
  Duration period_;
  std::map<std::string, MonoNanos> last_;
};

}  // namespace dagsync
