#include "dagsync/delta/block_sums.h"

#include <algorithm>
#include <cstring>

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

// Blocks that stand where they stood; where the length is another one, only as long as they do.
std::uint64_t BlockCompare::add_front(std::vector<Run>& runs) const {
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < own_.whole.size() && i < basis_->whole.size(); ++i) {
    const std::uint64_t length = std::min(kBlock, own_.size - offset);
    const bool same =
        own_.whole[i] == basis_->whole[i] && length == std::min(kBlock, basis_->size - offset);
    if (!same && from_end_) break;
    add(runs, {offset, length, same ? std::optional(offset) : std::nullopt});
    offset += length;
  }
  return offset;
}

// Where those begin that stand as far from the end as they did, behind `front`.
std::uint64_t BlockCompare::back_begin(std::uint64_t front) const {
  std::uint64_t begin = own_.size;
  for (std::size_t k = from_end_->sums.size(); k-- > 0;) {
    const bool is_first_part = shift_ != 0 && k == 0;
    if (is_first_part) break;
    const std::uint64_t offset = (shift_ == 0 ? k : k - 1) * kBlock + shift_;
    const bool is_before = offset + basis_->size < own_.size;
    if (offset < front || is_before) break;
    const std::uint64_t there = offset + basis_->size - own_.size;
    if (from_end_->sums[k] != basis_->whole[there / kBlock]) break;
    begin = offset;
  }
  return begin;
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
  const std::uint64_t front = add_front(runs);
  if (!from_end_) return runs;
  const std::uint64_t back = back_begin(front);
  add(runs, {front, back - front, std::nullopt});
  if (back < own_.size) add(runs, {back, own_.size - back, back + basis_->size - own_.size});
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
