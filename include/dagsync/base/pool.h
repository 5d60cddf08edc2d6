// One copy of each value that many hold, for values whose copies share (shared.h). One thread at a
// time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <set>

namespace dagsync {

// `Value` is ordered, and has is_copy_of() and is_alone().
template <typename Value>
class Pool {
 public:
  // Makes `value` a copy of the first equal one that came.
  void share(Value& value) {
    if (values_.size() >= most_) {
      std::erase_if(values_, [](const Value& each) { return each.is_alone(); });
      most_ = std::max(kFew, 2 * values_.size());
    }
    const Value& first = *values_.insert(value).first;
    if (!first.is_copy_of(value)) value = first;
  }

 private:
  static constexpr std::size_t kFew = 64;

  std::set<Value> values_;
  std::size_t most_ = kFew;  // before those that nobody else holds any more are let go
};

}  // namespace dagsync
