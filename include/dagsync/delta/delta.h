// Deltas: what changed between two contents, found by the node that has only the new one from a
// signature of the old one (librsync: RabinKarp rolling sums and BLAKE2). Everything streams;
// nothing here knows files. Each object belongs to one thread at a time; callbacks run within the
// calls.
//
// A delta that does not fit its basis, or two blocks whose sums happen to be equal, give a wrong
// content and no error: who patches compares the digest of the result and falls back to the whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "dagsync/base/result.h"

namespace dagsync {

inline constexpr std::size_t kDeltaMaxSignatureBytes = 4 << 20;
inline constexpr std::uint32_t kDeltaMinBlockBytes = 1 << 10;
inline constexpr std::uint32_t kDeltaMaxBlockBytes = 64 << 10;
inline constexpr std::uint32_t kDeltaMaxStrongBytes = 32;

// Contents shorter than this are sent whole. Measured with Python sources and one line inserted, at
// -O2; the delta counts signature, search, patch and both transfers, the whole content is zstd
// level 1 and its transfer; a round trip on top of the delta is not counted:
//
//   size      delta CPU   signature + delta   whole, zstd   1 Gbit/s: delta, whole   100 Mbit/s
//   16 KiB       74 us              1.2 KB        5.9 KB          84 us     81 us    170, 500 us
//   64 KiB      290 us              1.7 KB         18 KB         300 us    230 us    430, 1500 us
//   256 KiB     1.2 ms              3.9 KB         66 KB         1.2 ms    1.1 ms    1.5, 5.9 ms
//   1 MiB       4.8 ms               12 KB        280 KB         4.9 ms    4.5 ms    5.8, 25 ms
//   16 MiB       82 ms               49 KB        4.5 MB          82 ms     72 ms     86, 400 ms
//
// On a fast link a delta never wins time, only bytes, from a slow link or many peers on it does
// both. Below 64 KiB a content travels with its announcement, in half a round trip, which a delta
// cannot beat; above it has to be asked for anyway, and the signature rides along with the
// question.
inline constexpr std::uint64_t kWholeBelow = 64 << 10;

// How a basis is cut and how much of each block's BLAKE2 sum the signature holds.
struct SignatureShape {
  std::uint32_t block_bytes = 0;
  std::uint32_t strong_bytes = 0;
  bool operator==(const SignatureShape&) const = default;
};

// Blocks of about the square root of the basis: signature and delta are then about equally long. Up
// to 18 GiB the signature keeps within kDeltaMaxSignatureBytes.
[[nodiscard]] SignatureShape choose_shape(std::uint64_t basis_bytes);

using WriteBytes = std::function<Status(std::string_view)>;  // its error ends the call with it
// Up to `into.size()` bytes of the basis from `offset` on; 0 at its end.
using ReadBasis = std::function<Result<std::size_t>(std::uint64_t offset, std::span<char> into)>;

class DeltaJob;  // src/delta/job.h

// Makes the signature of a basis.
class SignatureBuilder {
 public:
  explicit SignatureBuilder(SignatureShape shape);
  ~SignatureBuilder();
  SignatureBuilder(SignatureBuilder&&) noexcept;
  SignatureBuilder& operator=(SignatureBuilder&&) noexcept;

  // kUnsupported where the signature gets longer than kDeltaMaxSignatureBytes.
  Status update(std::string_view basis);
  [[nodiscard]] Result<std::string> finish();  // once, and nothing after it

 private:
  Status append(std::string_view basis, bool is_last);
  std::unique_ptr<DeltaJob> job_;
  std::string signature_;
};

// A signature, ready to be searched.
class Signature {
 public:
  // From untrusted bytes. kInvalid where they are no signature, or one made to take time: too many
  // of its sums would have to be compared with each other.
  [[nodiscard]] static Result<Signature> parse(std::string_view bytes);
  ~Signature();
  Signature(Signature&&) noexcept;
  Signature& operator=(Signature&&) noexcept;
  [[nodiscard]] SignatureShape shape() const { return shape_; }

 private:
  friend class DeltaBuilder;
  struct Sums;
  Signature();
  std::unique_ptr<Sums> sums_;
  SignatureShape shape_;
};

// Makes the delta that turns the basis of a signature into a new content. The signature must live
// longer, and serves one builder at a time. The delta is never much longer than the new content. A
// hostile signature can make a byte cost a BLAKE2 sum of a block, so whoever has a deadline gives
// small pieces to update() and looks at it in between.
class DeltaBuilder {
 public:
  explicit DeltaBuilder(const Signature& signature);
  ~DeltaBuilder();
  DeltaBuilder(DeltaBuilder&&) noexcept;
  DeltaBuilder& operator=(DeltaBuilder&&) noexcept;

  Status update(std::string_view new_bytes, const WriteBytes& out);
  Status finish(const WriteBytes& out);  // once, and nothing after it

 private:
  std::unique_ptr<DeltaJob> job_;
};

// Applies an untrusted delta to a basis. kInvalid where it is malformed, refers to bytes that the
// basis does not have, or would make more than `max_output` bytes; no byte beyond them is given
// out. Errors of `read_basis` and of `out` come back as they are.
class Patcher {
 public:
  Patcher(ReadBasis read_basis, std::uint64_t max_output);
  ~Patcher();
  Patcher(Patcher&&) noexcept;
  Patcher& operator=(Patcher&&) noexcept;

  Status update(std::string_view delta, const WriteBytes& out);
  Status finish(const WriteBytes& out);  // once; kInvalid where the delta has not come to its end

 private:
  struct State;
  Status run(std::string_view delta, bool is_last, const WriteBytes& out);
  std::unique_ptr<State> state_;
};

}  // namespace dagsync
