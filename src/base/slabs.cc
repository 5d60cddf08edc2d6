#include "dagsync/base/slabs.h"

#include <algorithm>
#include <utility>

#include "dagsync/base/assert.h"

namespace dagsync {
namespace {

// Small folders take little; of large ones, what is left of the last block does not count.
constexpr std::size_t kFirstBlock = 4 << 10;
constexpr std::size_t kLargestBlock = 256 << 10;
constexpr std::size_t kBlocksOfASize = 4;

}  // namespace

void* Slabs::take(std::size_t bytes) {
  DAGSYNC_ASSERT(bytes > 0 && bytes <= kLargest);
  const std::size_t units = (bytes + kUnit - 1) / kUnit;
  if (Free* free = free_[units]) {
    free_[units] = free->next;
    return free;
  }
  if (left_ < units * kUnit) {
    const std::size_t doublings = std::min<std::size_t>(blocks_.size() / kBlocksOfASize, 6);
    left_ = std::min(kFirstBlock << doublings, kLargestBlock);
    blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(left_));
    next_ = blocks_.back().get();
  }
  left_ -= units * kUnit;
  return std::exchange(next_, next_ + units * kUnit);
}

void Slabs::give_back(void* piece, std::size_t bytes) {
  const std::size_t units = (bytes + kUnit - 1) / kUnit;
  free_[units] = new (piece) Free{free_[units]};
}

}  // namespace dagsync
