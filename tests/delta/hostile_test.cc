// Signatures and deltas that somebody made to do harm.
#include <doctest/doctest.h>

#include <limits>

#include "delta/contents.h"

using namespace dagsync;

namespace {

constexpr std::uint64_t kHostileSeed = 20260104;
constexpr std::string_view kDeltaMagic("rs\x02\x36", 4);

std::string big_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift));
  return out;
}

std::string header(std::uint32_t magic, std::uint32_t block, std::uint32_t strong) {
  return big_endian(magic, 4) + big_endian(block, 4) + big_endian(strong, 4);
}
constexpr std::uint32_t kGoodMagic = 0x72730147;

bool is_refused(const Result<std::string>& result) {
  return !result && result.error().code == ErrorCode::kInvalid;
}
bool is_refused_signature(const std::string& bytes) {
  const Result<Signature> parsed = Signature::parse(bytes);
  return !parsed && parsed.error().code == ErrorCode::kInvalid;
}

// A delta of these commands against a basis of 1,000 bytes, for a content of 10,000.
Result<std::string> patched(const std::string& commands) {
  return test::patch(std::string(1000, 'b'), std::string(kDeltaMagic) + commands, 10'000);
}

// librsync's command for copying, with 8 bytes each of position and length.
std::string copy(std::uint64_t position, std::uint64_t length) {
  return "\x54" + big_endian(position, 8) + big_endian(length, 8);
}
std::string literal(std::uint64_t length, std::string_view bytes) {
  return "\x44" + big_endian(length, 8) + std::string(bytes);
}
const std::string kEnd(1, '\0');

void spoil(test::Random& random, std::string& bytes) {
  for (std::uint64_t i = 0, count = 1 + random() % 3; i < count && !bytes.empty(); ++i) {
    const std::size_t at = random() % bytes.size();
    switch (random() % 3) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes.erase(at, 1 + random() % 20);
        break;
      default:
        bytes.insert(at, 1 + random() % 20, static_cast<char>(random()));
    }
  }
}

}  // namespace

TEST_CASE("a signature with a header that is not ours is refused") {
  CHECK(!is_refused_signature(header(kGoodMagic, 1024, 8)));
  CHECK(is_refused_signature(""));
  CHECK(is_refused_signature(header(kGoodMagic, 1024, 8).substr(0, 11)));
  CHECK(is_refused_signature(header(0x72730136, 1024, 8)));  // MD4
  CHECK(is_refused_signature(header(0x72730137, 1024, 8)));  // the old rolling sum
  CHECK(is_refused_signature(header(0, 1024, 8)));
  for (const std::uint32_t block : {0u, 1u, 1023u, 65537u, 0x7FFFFFFFu, 0xFFFFFFFFu})
    CHECK(is_refused_signature(header(kGoodMagic, block, 8)));
  for (const std::uint32_t strong : {0u, 3u, 33u, 0xFFFFFFFFu})
    CHECK(is_refused_signature(header(kGoodMagic, 1024, strong)));
  CHECK(is_refused_signature(header(kGoodMagic, 1024, 8) + std::string(11, 's')));
  CHECK(is_refused_signature(header(kGoodMagic, 1024, 8) + std::string(12 + 3, 's')));
}

TEST_CASE("a signature that is too long is refused") {
  std::string bytes = header(kGoodMagic, 1024, 8);
  bytes.append((kDeltaMaxSignatureBytes - 12) / 12 * 12, 's');
  CHECK(!is_refused_signature(bytes));
  bytes.append(12, 's');
  CHECK(is_refused_signature(bytes));
}

TEST_CASE("a signature gets no longer than a peer takes") {
  SignatureBuilder builder({1024, 32});
  const std::string piece(1 << 20, 'x');
  Status status;
  int pieces = 0;
  for (; status && pieces < 1000; ++pieces)
    status = builder.update(piece);
  REQUIRE(!status);
  CHECK(status.error().code == ErrorCode::kUnsupported);
  CHECK(pieces < 120);
}

TEST_CASE("a signature whose sums collide on purpose is refused, equal blocks are not") {
  std::string same_rolling = header(kGoodMagic, 1024, 8);
  std::string same_slot = same_rolling;
  std::string equal = same_rolling;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    same_rolling += big_endian(7, 4) + big_endian(i, 8);
    same_slot += big_endian(i << 20 & 0xFFFFFFFF, 4) + big_endian(i, 8);
    equal += big_endian(7, 4) + big_endian(7, 8);
  }
  CHECK(is_refused_signature(same_rolling));
  CHECK(is_refused_signature(same_slot));
  CHECK(!is_refused_signature(equal));
}

TEST_CASE("a delta that is well formed is taken") {
  CHECK(*patched(copy(990, 10) + literal(2, "hi") + kEnd) == std::string(10, 'b') + "hi");
  CHECK(patched(kEnd)->empty());
}

TEST_CASE("a delta that reaches beyond its basis is refused") {
  CHECK(is_refused(patched(copy(990, 11) + kEnd)));
  CHECK(is_refused(patched(copy(1000, 1) + kEnd)));
  CHECK(is_refused(patched(copy(std::numeric_limits<std::int64_t>::max(), 1) + kEnd)));
  CHECK(is_refused(patched(
      copy(std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::max()) +
      kEnd)));
  CHECK(is_refused(patched(copy(~std::uint64_t{0}, 1) + kEnd)));
}

TEST_CASE("a delta with a length that cannot be is refused") {
  CHECK(is_refused(patched(copy(0, 0) + kEnd)));
  CHECK(is_refused(patched(copy(0, ~std::uint64_t{0}) + kEnd)));
  CHECK(is_refused(patched(literal(0, "") + kEnd)));
  CHECK(is_refused(patched(literal(~std::uint64_t{0}, "x") + kEnd)));
  CHECK(is_refused(patched(literal(std::uint64_t{1} << 62, "x"))));
  CHECK(is_refused(patched("\x55")));  // reserved
  CHECK(is_refused(patched("\xFF")));
}

TEST_CASE("a delta that makes more than was announced is stopped") {
  std::string commands;
  for (int i = 0; i < 11; ++i)
    commands += copy(0, 1000);
  CHECK(is_refused(patched(commands + kEnd)));
  CHECK(is_refused(patched(literal(10'001, std::string(10'001, 'x')) + kEnd)));
  CHECK(!is_refused(patched(literal(10'000, std::string(10'000, 'x')) + kEnd)));
}

TEST_CASE("a delta ends once, with its end") {
  CHECK(is_refused(patched("")));
  CHECK(is_refused(patched(copy(0, 10))));
  CHECK(is_refused(patched(literal(5, "1234"))));
  CHECK(is_refused(patched(kEnd + "x")));
  CHECK(is_refused(test::patch("basis", "", 10)));
  CHECK(is_refused(test::patch("basis", "rs\x02", 10)));
  CHECK(is_refused(test::patch("basis", "rs\x01\x47 and more", 10)));
  // What comes after the end may come later, too.
  CHECK(is_refused(test::patch("basis", std::string(kDeltaMagic) + kEnd + kEnd, 10, 1)));
}

TEST_CASE("a changed delta never makes more than it may") {
  test::Random random(kHostileSeed);
  const std::string basis = test::noise(random, 40'000);
  std::string content = basis.substr(20'000) + test::noise(random, 500) + basis.substr(0, 20'000);
  const std::string good = *test::delta_of(test::signature_of(basis), content);
  for (int i = 0; i < 3000; ++i) {
    std::string delta = good;
    spoil(random, delta);
    // patch() asserts the bound.
    const Result<std::string> back = test::patch(basis, delta, content.size(), 1 + random() % 9000);
    if (!back) CHECK(back.error().code == ErrorCode::kInvalid);
  }
}

TEST_CASE("a changed signature is refused or makes a delta of bounded length") {
  test::Random random(kHostileSeed);
  const std::string basis = test::noise(random, 40'000);
  const std::string good = test::signature_of(basis);
  int taken = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string signature = good;
    spoil(random, signature);
    const Result<std::string> delta = test::delta_of(signature, basis);
    if (!delta) continue;
    ++taken;
    CHECK(delta->size() <= basis.size() + basis.size() / 1000 + 64);
  }
  CHECK(taken > 50);
}
