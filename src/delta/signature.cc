#include <bit>
#include <cstring>
#include <vector>

#include "dagsync/base/assert.h"
#include "delta/job.h"

namespace dagsync {
namespace {

constexpr rs_magic_number kMagic = RS_RK_BLAKE2_SIG_MAGIC;
constexpr std::size_t kHeaderBytes = 12;  // magic, block length, strong length
constexpr std::size_t kWeakBytes = 4;
constexpr std::uint32_t kMinStrongBytes = 4;
static_assert(kDeltaMaxStrongBytes == RS_MAX_STRONG_SUM_LENGTH);

Unexpected bad_signature(const char* what) {
  return fail(ErrorCode::kInvalid, std::string("malformed signature: ") + what);
}

std::uint32_t read_u32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4))
    value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

// librsync puts the rolling sums into a hash table whose hash is the sum itself, so whoever chooses
// the sums can make building it take the square of their count. This does the same walk
// (hashtable.h of 2.3.2: triangular probing in a power of two, load 0.7, equal blocks once) and
// stops when it gets long; contents of bytes with few different low bits can get there by
// themselves.
bool is_crowded(std::string_view sums, std::size_t row_bytes) {
  const std::size_t count = sums.size() / row_bytes;
  const std::size_t mask = std::bit_ceil(std::max<std::size_t>(2, 1 + count * 10 / 7)) - 1;
  constexpr std::uint32_t kFree = ~std::uint32_t{0};
  std::vector<std::uint32_t> slots(mask + 1, kFree);
  std::size_t steps_left = 1024 + 64 * count;
  for (std::size_t row = 0; row < count; ++row) {
    const std::string_view sum = sums.substr(row * row_bytes, row_bytes);
    std::size_t slot = read_u32(sum) & mask;
    for (std::size_t step = 1; slots[slot] != kFree; slot = (slot + step++) & mask) {
      if (steps_left-- == 0) return true;
      if (sums.substr(slots[slot] * row_bytes, row_bytes) == sum) break;
    }
    if (slots[slot] == kFree) slots[slot] = static_cast<std::uint32_t>(row);
  }
  return false;
}

// Everything that librsync would assert, or believe.
Result<SignatureShape> check(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return bad_signature("cut short");
  if (bytes.size() > kDeltaMaxSignatureBytes) return bad_signature("too long");
  if (read_u32(bytes) != static_cast<std::uint32_t>(kMagic)) return bad_signature("another kind");
  const SignatureShape shape{read_u32(bytes.substr(4)), read_u32(bytes.substr(8))};
  if (shape.block_bytes < kDeltaMinBlockBytes || shape.block_bytes > kDeltaMaxBlockBytes)
    return bad_signature("a block length that is not used");
  if (shape.strong_bytes < kMinStrongBytes || shape.strong_bytes > kDeltaMaxStrongBytes)
    return bad_signature("a sum length that is not used");
  const std::size_t row_bytes = kWeakBytes + shape.strong_bytes;
  const std::string_view sums = bytes.substr(kHeaderBytes);
  if (sums.size() % row_bytes != 0) return bad_signature("a sum is cut short");
  if (is_crowded(sums, row_bytes)) return bad_signature("its sums are too much alike");
  return shape;
}

}  // namespace

SignatureBuilder::SignatureBuilder(SignatureShape shape) {
  DAGSYNC_ASSERT(shape.block_bytes >= kDeltaMinBlockBytes);
  DAGSYNC_ASSERT(shape.block_bytes <= kDeltaMaxBlockBytes);
  DAGSYNC_ASSERT(shape.strong_bytes >= kMinStrongBytes);
  DAGSYNC_ASSERT(shape.strong_bytes <= kDeltaMaxStrongBytes);
  job_ = std::make_unique<DeltaJob>(rs_sig_begin(shape.block_bytes, shape.strong_bytes, kMagic));
}
SignatureBuilder::~SignatureBuilder() = default;
SignatureBuilder::SignatureBuilder(SignatureBuilder&&) noexcept = default;
SignatureBuilder& SignatureBuilder::operator=(SignatureBuilder&&) noexcept = default;

Status SignatureBuilder::append(std::string_view basis, bool is_last) {
  return job_->run(basis, is_last, [this](std::string_view sums) -> Status {
    if (sums.size() > kDeltaMaxSignatureBytes - signature_.size())
      return fail(ErrorCode::kUnsupported, "signature: too long: send the content whole");
    signature_.append(sums);
    return {};
  });
}

Status SignatureBuilder::update(std::string_view basis) {
  return append(basis, false);
}

Result<std::string> SignatureBuilder::finish() {
  if (Status status = append({}, true); !status) return Unexpected(status.error());
  return std::move(signature_);
}

struct Signature::Sums {
  rs_signature_t* value = nullptr;
  ~Sums() {
    if (value != nullptr) rs_free_sumset(value);
  }
};

Signature::Signature() : sums_(std::make_unique<Sums>()) {}
Signature::~Signature() = default;
Signature::Signature(Signature&&) noexcept = default;
Signature& Signature::operator=(Signature&&) noexcept = default;

Result<Signature> Signature::parse(std::string_view bytes) {
  const Result<SignatureShape> shape = check(bytes);
  if (!shape) return Unexpected(shape.error());
  Signature signature;
  signature.shape_ = *shape;
  DeltaJob job(rs_loadsig_begin(&signature.sums_->value));
  const Status loaded = job.run(bytes, true, [](std::string_view) -> Status { return {}; });
  if (!loaded) return Unexpected(loaded.error());
  if (rs_build_hash_table(signature.sums_->value) != RS_DONE)
    return fail(ErrorCode::kUnavailable, "signature: no memory for its table");
  return signature;
}

DeltaBuilder::DeltaBuilder(const Signature& signature)
    : job_(std::make_unique<DeltaJob>(rs_delta_begin(signature.sums_->value))) {}
DeltaBuilder::~DeltaBuilder() = default;
DeltaBuilder::DeltaBuilder(DeltaBuilder&&) noexcept = default;
DeltaBuilder& DeltaBuilder::operator=(DeltaBuilder&&) noexcept = default;

Status DeltaBuilder::update(std::string_view new_bytes, const WriteBytes& out) {
  return job_->run(new_bytes, false, out);
}

Status DeltaBuilder::finish(const WriteBytes& out) {
  return job_->run({}, true, out);
}

}  // namespace dagsync
