#include <algorithm>
#include <bit>
#include <cmath>

#include "dagsync/delta/delta.h"

namespace dagsync {
namespace {

// BLAKE2b works on blocks of 128 bytes, so other lengths waste part of a round.
constexpr std::uint64_t kBlake2Bytes = 128;

unsigned bits(std::uint64_t value) {
  return static_cast<unsigned>(std::bit_width(value));
}

}  // namespace

// The strong sum, after rs_sig_args() of librsync (sumset.c) and section 3.2 of A. Tridgell's
// thesis "Efficient Algorithms for Sorting and Synchronization": at worst a new content of basis +
// 16 MiB without a match is compared at every byte with every block, that is new * blocks times. n
// bits of sums make each a false match with a chance of 2^-n. librsync takes the rolling sum for 16
// bits and allows 2^-32; RabinKarp mixes better than the old rolling sum and is taken for 24 here,
// and 2^-40 is asked for: strong bits = log2(new) + log2(blocks) + 40 - 24, rounded up to bytes. A
// false match costs a second transfer, not the content: the digest of the whole finds it.
SignatureShape choose_shape(std::uint64_t basis_bytes) {
  constexpr std::uint64_t kGrowth = 16 << 20;
  constexpr unsigned kChanceBits = 40;
  constexpr unsigned kRollingBits = 24;
  const auto root = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(basis_bytes)));
  const std::uint64_t rounded = (root + kBlake2Bytes - 1) / kBlake2Bytes * kBlake2Bytes;
  const std::uint64_t block =
      std::clamp<std::uint64_t>(rounded, kDeltaMinBlockBytes, kDeltaMaxBlockBytes);
  const unsigned strong_bits = bits(basis_bytes + std::min(kGrowth, ~basis_bytes)) +
                               bits(basis_bytes / block) + kChanceBits - kRollingBits;
  return {static_cast<std::uint32_t>(block), std::min((strong_bits + 7) / 8, kDeltaMaxStrongBytes)};
}

}  // namespace dagsync
