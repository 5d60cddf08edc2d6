// The delta of a large file from what it was before, for the node that has seen both: a sum of each
// block of the old content is kept, the new one is compared block by block as it is hashed.
//
// Nobody is asked for a signature (190 kB from every peer for 256 MiB), and nothing is searched at
// every byte (a second of librsync). It finds what edits of large files do: bytes changed in place,
// and beside them one insertion or removal, before which blocks stand where they stood, and behind
// which they stand as far from the end. Whatever else changed makes a long delta, which the caller
// gives up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/digest.h"

namespace dagsync {

// Of 16 KiB a sum of 8 bytes: 128 KiB for a file of 256 MiB. Two blocks that happen to be equal in
// it give a wrong content, which whoever patches finds by its digest.
struct BlockSums {
  static constexpr std::size_t kBlockBytes = 16 << 10;
  std::uint64_t size = 0;            // of the content
  std::vector<std::uint64_t> whole;  // of each block, the last one shorter
  bool operator==(const BlockSums&) const = default;
};

// Reads the new content once, front to back. `basis` must live as long; null: only the new sums.
class BlockCompare {
 public:
  BlockCompare(const BlockSums* basis, std::uint64_t size);

  void update(std::string_view piece);
  // Once, after all of it: the content's own sums.
  [[nodiscard]] BlockSums finish();

  // A run of the new content: where it stands in the basis, or that it is new.
  struct Run {
    std::uint64_t offset = 0;  // in the new content
    std::uint64_t length = 0;
    std::optional<std::uint64_t> basis;
    bool operator==(const Run&) const = default;
  };
  // After finish(): all of the new content, in order, neighbours of a kind joined.
  [[nodiscard]] std::vector<Run> runs() const;

 private:
  // Cuts a stream into blocks, the first of them of `first` bytes.
  class Cutter {
   public:
    explicit Cutter(std::size_t first) : left_(first) {}
    void update(std::string_view piece);
    void finish();
    std::vector<std::uint64_t> sums;

   private:
    void close();
    std::size_t left_;
    std::string block_;
  };

  struct Split {
    std::size_t before = 0;  // so many blocks from the start are taken
    std::size_t behind = 0;  // and those from the end from this one on
  };
  // The new content in blocks, with what of the basis each is: what stands at the same offset, or
  // as far from the end.
  [[nodiscard]] std::vector<Run> blocks_from_start() const;
  [[nodiscard]] std::vector<Run> blocks_from_end() const;
  [[nodiscard]] Split split(const std::vector<Run>& front, const std::vector<Run>& back) const;
  static void add(std::vector<Run>& runs, Run run);

  const BlockSums* basis_;
  BlockSums own_;
  std::uint64_t shift_ = 0;  // where the first whole block of `from_end_` begins
  Cutter from_start_;
  std::optional<Cutter> from_end_;  // cut so that blocks lie as far from the end as the basis's
};

// The delta (librsync's format) that these runs make; `bytes_of` gives bytes of the new content.
class DeltaWriter {
 public:
  DeltaWriter();
  void copy(std::uint64_t offset, std::uint64_t length);
  void literal(std::string_view bytes);
  [[nodiscard]] std::string finish() &&;

 private:
  std::string bytes_;
};

}  // namespace dagsync
