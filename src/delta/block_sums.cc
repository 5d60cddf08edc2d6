#include "dagsync/delta/block_sums.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "dagsync/base/assert.h"

namespace dagsync {
namespace {

constexpr std::uint64_t kBlock = BlockSums::kBlockBytes;

std::uint64_t sum_of(std::string_view block) {
  const Digest digest = digest_of(block);
  std::uint64_t sum = 0;
  std::memcpy(&sum, digest.bytes.data(), sizeof sum);
  return sum;
}

// Where in the new content the first block ends that lies as far from the end as one of the basis.
std::uint64_t shift(std::uint64_t basis, std::uint64_t now) {
  return now >= basis ? (now - basis) % kBlock : (kBlock - (basis - now) % kBlock) % kBlock;
}

// Opcodes of librsync's delta format.
constexpr std::uint32_t kDeltaMagic = 0x72730236;
constexpr std::uint8_t kEnd = 0;
constexpr std::uint8_t kLiteral4 = 67;  // a length of 4 bytes, then so many
constexpr std::uint8_t kCopy88 = 84;    // an offset and a length of 8 bytes each

template <typename Number>
void append_number(std::string& bytes, Number number) {
  for (std::size_t i = sizeof number; i-- > 0;)
    bytes.push_back(static_cast<char>(number >> (8 * i) & 0xFF));
}

}  // namespace

void BlockCompare::Cutter::update(std::string_view piece) {
  while (!piece.empty()) {
    const std::string_view part = piece.substr(0, left_);
    piece.remove_prefix(part.size());
    left_ -= part.size();
    if (block_.empty() && left_ == 0) {
      sums.push_back(sum_of(part));  // mostly a whole block lies within a piece
      left_ = kBlock;
      continue;
    }
    block_.append(part);
    if (left_ == 0) close();
  }
}

void BlockCompare::Cutter::close() {
  sums.push_back(sum_of(block_));
  block_.clear();
  left_ = kBlock;
}

void BlockCompare::Cutter::finish() {
  if (!block_.empty()) close();
}

BlockCompare::BlockCompare(const BlockSums* basis, std::uint64_t size)
    : basis_(basis), from_start_(kBlock) {
  own_.size = size;
  if (basis == nullptr || basis->size == size) return;
  shift_ = shift(basis->size, size);
  from_end_.emplace(shift_ == 0 ? kBlock : shift_);
}

void BlockCompare::update(std::string_view piece) {
  from_start_.update(piece);
  if (from_end_) from_end_->update(piece);
}

BlockSums BlockCompare::finish() {
  from_start_.finish();
  if (from_end_) from_end_->finish();
  own_.whole = from_start_.sums;
  return own_;
}

std::vector<BlockCompare::Run> BlockCompare::blocks_from_start() const {
  std::vector<Run> blocks;
  blocks.reserve(own_.whole.size());
  for (std::size_t i = 0; i < own_.whole.size(); ++i) {
    const std::uint64_t offset = i * kBlock;
    const std::uint64_t length = std::min(kBlock, own_.size - offset);
    const bool same = i < basis_->whole.size() && own_.whole[i] == basis_->whole[i] &&
                      length == std::min(kBlock, basis_->size - offset);
    blocks.push_back({offset, length, same ? std::optional(offset) : std::nullopt});
  }
  return blocks;
}

std::vector<BlockCompare::Run> BlockCompare::blocks_from_end() const {
  std::vector<Run> blocks;
  blocks.reserve(from_end_->sums.size());
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < from_end_->sums.size(); ++i) {
    const bool is_part = i == 0 && shift_ != 0;
    const std::uint64_t length = std::min(is_part ? shift_ : kBlock, own_.size - offset);
    Run block{offset, length, std::nullopt};
    if (!is_part && offset + basis_->size >= own_.size) {
      const std::uint64_t there = offset + basis_->size - own_.size;
      if (from_end_->sums[i] == basis_->whole[there / kBlock]) block.basis = there;
    }
    blocks.push_back(block);
    offset += length;
  }
  return blocks;
}

// Where to go over from blocks that stand where they stood to those that stand as far from the end,
// so that as little as possible is new.
BlockCompare::Split BlockCompare::split(const std::vector<Run>& front,
                                        const std::vector<Run>& back) const {
  std::uint64_t new_behind = 0;
  for (const Run& block : back)
    new_behind += block.basis ? 0 : block.length;
  Split best;
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t new_before = 0;
  std::size_t behind = 0;
  for (std::size_t before = 0; before <= front.size(); ++before) {
    const std::uint64_t from = before < front.size() ? front[before].offset : own_.size;
    for (; behind < back.size() && back[behind].offset < from; ++behind)
      new_behind -= back[behind].basis ? 0 : back[behind].length;
    const std::uint64_t to = behind < back.size() ? back[behind].offset : own_.size;
    const std::uint64_t all_new = new_before + (to - from) + new_behind;
    if (all_new < least) {
      least = all_new;
      best = {before, behind};
    }
    if (before < front.size()) new_before += front[before].basis ? 0 : front[before].length;
  }
  return best;
}

void BlockCompare::add(std::vector<Run>& runs, Run run) {
  if (run.length == 0) return;
  if (!runs.empty()) {
    Run& last = runs.back();
    const bool goes_on = last.basis.has_value() == run.basis.has_value() &&
                         (!run.basis || *last.basis + last.length == *run.basis);
    if (goes_on) {
      last.length += run.length;
      return;
    }
  }
  runs.push_back(run);
}

std::vector<BlockCompare::Run> BlockCompare::runs() const {
  std::vector<Run> runs;
  if (basis_ == nullptr) {
    add(runs, {0, own_.size, std::nullopt});
    return runs;
  }
  const std::vector<Run> front = blocks_from_start();
  const std::vector<Run> back = from_end_ ? blocks_from_end() : std::vector<Run>();
  const auto [before, behind] = from_end_ ? split(front, back) : Split{front.size(), 0};
  for (std::size_t i = 0; i < before; ++i)
    add(runs, front[i]);
  const std::uint64_t from = before < front.size() ? front[before].offset : own_.size;
  const std::uint64_t to = behind < back.size() ? back[behind].offset : own_.size;
  add(runs, {from, to - from, std::nullopt});
  for (std::size_t i = behind; i < back.size(); ++i)
    add(runs, back[i]);
  return runs;
}

DeltaWriter::DeltaWriter() {
  append_number(bytes_, kDeltaMagic);
}

void DeltaWriter::copy(std::uint64_t offset, std::uint64_t length) {
  append_number(bytes_, kCopy88);
  append_number(bytes_, offset);
  append_number(bytes_, length);
}

void DeltaWriter::literal(std::string_view bytes) {
  DAGSYNC_ASSERT(bytes.size() <= 0xFFFF'FFFFu);
  append_number(bytes_, kLiteral4);
  append_number(bytes_, static_cast<std::uint32_t>(bytes.size()));
  bytes_.append(bytes);
}

std::string DeltaWriter::finish() && {
  append_number(bytes_, kEnd);
  return std::move(bytes_);
}

}  // namespace dagsync
