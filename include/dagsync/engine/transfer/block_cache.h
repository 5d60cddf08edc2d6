// Sums of the blocks of large files that were read lately, so that the next version's delta travels
// with its announcement (delta/block_sums.h). Loop thread only.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <utility>

#include "dagsync/base/digest.h"
#include "dagsync/delta/block_sums.h"

namespace dagsync {

class BlockCache {
 public:
  static constexpr std::size_t kMostFiles = 256;  // also what a look for one costs
  static constexpr std::size_t kMostBytes = 4 << 20;

  using Sums = std::shared_ptr<const BlockSums>;
  [[nodiscard]] Sums find(const Digest& content);  // null: not here
  void put(const Digest& content, Sums sums);

 private:
  static std::size_t bytes_of(const BlockSums& sums) { return sums.whole.size() * 8; }
  std::list<std::pair<Digest, Sums>> entries_;  // the one used last in front
  std::size_t bytes_ = 0;
};

}  // namespace dagsync
