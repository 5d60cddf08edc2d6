#include "dagsync/delta/delta.h"

#include <doctest/doctest.h>

#include <vector>

#include "delta/contents.h"

using namespace dagsync;

namespace {

constexpr std::uint64_t kDeltaSeed = 20260103;

// How long the delta was; fails the test where the content does not come back.
std::size_t check_delta(std::string_view basis, const std::string& content) {
  const Result<std::string> delta = test::delta_of(test::signature_of(basis), content);
  REQUIRE(delta.has_value());
  const Result<std::string> back = test::patch(basis, *delta, content.size());
  REQUIRE_MESSAGE(back.has_value(), (back ? "" : back.error().message));
  CHECK((*back == content));
  return delta->size();
}

std::string edited(test::Random& random, std::string content) {
  for (std::uint64_t i = 0, edits = random() % 6; i < edits; ++i) {
    const std::size_t at = content.empty() ? 0 : random() % content.size();
    const std::size_t size = random() % 5000;
    switch (random() % 4) {
      case 0:
        content.insert(at, test::noise(random, size));
        break;
      case 1:
        content.erase(at, size);
        break;
      case 2:
        content.append(content.substr(at, size));
        break;
      default:
        content = content.substr(at) + content.substr(0, at);
    }
  }
  return content;
}

}  // namespace

TEST_CASE("the shape follows the size") {
  struct Row {
    std::uint64_t basis, block, strong;
  };
  constexpr std::uint64_t kKiB = 1 << 10, kMiB = 1 << 20, kGiB = 1 << 30;
  const Row rows[] = {
      {0, 1024, 6},         {1, 1024, 6},           {64 * kKiB, 1024, 6},
      {kMiB, 1024, 7},      {kMiB + 1, 1024, 7},    {2 * kMiB, 1536, 7},
      {64 * kMiB, 8192, 8}, {256 * kMiB, 16384, 8}, {kGiB, 32768, 8},
      {4 * kGiB, 65536, 9}, {18 * kGiB, 65536, 9},  {~std::uint64_t{0}, 65536, 16},
  };
  for (const Row& row : rows) {
    CAPTURE(row.basis);
    CHECK(choose_shape(row.basis).block_bytes == row.block);
    CHECK(choose_shape(row.basis).strong_bytes == row.strong);
    if (row.basis > 18 * kGiB) continue;
    const std::uint64_t blocks = (row.basis + row.block - 1) / row.block;
    const std::uint64_t signature = 12 + blocks * (4 + row.strong);
    CHECK(signature <= kDeltaMaxSignatureBytes);
    if (row.basis <= 256 * kMiB) CHECK(signature <= 200 * kKiB);
  }
}

TEST_CASE("a signature is as long as its shape says") {
  test::Random random(kDeltaSeed);
  CHECK(test::signature_of("").size() == 12);
  CHECK(test::signature_of(test::noise(random, 10'000)).size() == 12 + 10 * (4 + 6));
}

TEST_CASE("an unchanged content is a short delta") {
  test::Random random(kDeltaSeed);
  const std::string content = test::noise(random, 1'000'000);
  CHECK(check_delta(content, content) < 32);
}

TEST_CASE("inserted, deleted, changed and moved bytes cost about what they are") {
  test::Random random(kDeltaSeed);
  const std::string basis = test::noise(random, 1 << 20);
  std::string inserted = basis;
  inserted.insert(300'001, test::noise(random, 100));
  CHECK(check_delta(basis, inserted) < 1'300);
  std::string deleted = basis;
  deleted.erase(300'001, 5'000);
  CHECK(check_delta(basis, deleted) < 2'200);
  std::string changed = basis;
  changed[500'000] ^= 1;
  CHECK(check_delta(basis, changed) < 1'100);
  CHECK(check_delta(basis, basis.substr(1 << 19) + basis.substr(0, 1 << 19)) < 64);
  CHECK(check_delta(basis, basis + basis) < 64);
  CHECK(check_delta(basis, test::noise(random, 1 << 20)) < (1 << 20) + 200);
}

TEST_CASE("a basis or a content may be empty") {
  test::Random random(kDeltaSeed);
  const std::string some = test::noise(random, 300'000);
  CHECK(check_delta("", "") == 5);
  CHECK(check_delta("", some) < some.size() + 100);
  CHECK(check_delta(some, "") == 5);
  CHECK(check_delta("a", "b") == 7);
}

TEST_CASE("contents that end at the edge of a block, or one byte beside it, come back") {
  test::Random random(kDeltaSeed);
  const std::string noise = test::noise(random, 1 << 19);
  const std::size_t edges[] = {1, 1024, 2048, 32768, 65536, 128 << 10, 256 << 10, 512 << 10};
  for (const std::size_t edge : edges)
    for (const std::size_t basis : {edge - 1, edge, std::min(edge + 1, noise.size())})
      for (const std::size_t content : {edge - 1, edge, std::min(edge + 1, noise.size())}) {
        check_delta(noise.substr(0, basis), noise.substr(0, content));
        check_delta(noise.substr(0, basis), noise.substr(noise.size() - content));
      }
}

TEST_CASE("any edits come back, however the bytes are cut") {
  test::Random random(kDeltaSeed);
  for (int i = 0; i < 150; ++i) {
    CAPTURE(i);
    // Few different bytes make many equal blocks.
    std::string basis =
        i % 3 == 0 ? std::string(random() % 100'000, 'z') : test::noise(random, random() % 100'000);
    const std::string content = edited(random, basis);
    const std::string signature = test::signature_of(basis);
    const Result<std::string> delta = test::delta_of(signature, content, 1 + random() % 40'000);
    REQUIRE(delta.has_value());
    CHECK(delta->size() <= content.size() + content.size() / 1000 + 64);
    const Result<std::string> back =
        test::patch(basis, *delta, content.size(), 1 + random() % 3'000);
    REQUIRE(back.has_value());
    CHECK((*back == content));
  }
}

TEST_CASE("a byte changed in 64 MiB costs a block") {
  test::Random random(kDeltaSeed);
  std::string content = test::noise(random, 64 << 20);
  const std::string signature = test::signature_of(content);
  CHECK(signature.size() < 100'000);
  const std::string basis = content;
  content[40'000'000] ^= 1;
  const Result<std::string> delta = test::delta_of(signature, content);
  REQUIRE(delta.has_value());
  CHECK(delta->size() < 8'300);
  CHECK((*test::patch(basis, *delta, content.size()) == content));
}

TEST_CASE("an error of a callback comes back as it is") {
  const std::string basis(100'000, 'b');
  const std::string delta = *test::delta_of(test::signature_of(basis), basis);
  const WriteBytes full = [](std::string_view) -> Status {
    return fail(ErrorCode::kNoSpace, "full");
  };
  const ReadBasis gone = [](std::uint64_t, std::span<char>) -> Result<std::size_t> {
    return fail(ErrorCode::kNotFound, "gone");
  };
  const ReadBasis good = [](std::uint64_t, std::span<char> into) -> Result<std::size_t> {
    return into.size();
  };
  Patcher no_basis(gone, 1 << 20);
  CHECK(no_basis.update(delta, full).error().code == ErrorCode::kNotFound);
  Patcher no_room(good, 1 << 20);
  CHECK(no_room.update(delta, full).error().code == ErrorCode::kNoSpace);
}

TEST_CASE("half-done work can be moved and thrown away") {
  const std::string basis(100'000, 'b');
  const std::string signature = test::signature_of(basis);
  std::string out;
  const WriteBytes append = [&](std::string_view bytes) -> Status {
    out.append(bytes);
    return {};
  };
  SignatureBuilder thrown_away(choose_shape(1));
  REQUIRE(thrown_away.update(basis));
  Signature parsed = *Signature::parse(signature);
  const Signature moved = std::move(parsed);
  DeltaBuilder first(moved);
  REQUIRE(first.update(basis, append));
  DeltaBuilder second = std::move(first);
  REQUIRE(second.finish(append));
  const std::string delta = std::move(out);
  out.clear();
  const ReadBasis read = [&](std::uint64_t offset, std::span<char> into) -> Result<std::size_t> {
    return basis.copy(into.data(), into.size(), static_cast<std::size_t>(offset));
  };
  Patcher patcher(read, basis.size());
  REQUIRE(patcher.update(std::string_view(delta).substr(0, 6), append));
  Patcher rest = std::move(patcher);
  REQUIRE(rest.update(std::string_view(delta).substr(6), append));
  REQUIRE(rest.finish(append));
  CHECK((out == basis));
}
