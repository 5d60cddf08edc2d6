#include "dagsync/delta/block_sums.h"

#include <doctest/doctest.h>

#include "delta/contents.h"

using namespace dagsync;

namespace {

constexpr std::size_t kBlock = BlockSums::kBlockBytes;

BlockCompare compared(const BlockSums* basis, std::string_view content, std::size_t piece,
                      BlockSums& own) {
  BlockCompare compare(basis, content.size());
  for (std::size_t at = 0; at < content.size(); at += piece)
    compare.update(content.substr(at, piece));
  own = compare.finish();
  return compare;
}

std::string random_bytes(std::size_t size, std::uint64_t seed) {
  test::Random random(seed);
  return test::noise(random, size);
}

struct Outcome {
  std::string content;  // what the delta makes of the basis
  std::size_t literal = 0;
};

Outcome travel(std::string_view basis, std::string_view content, std::size_t piece) {
  BlockSums old;
  (void)compared(nullptr, basis, piece, old);
  BlockSums own;
  const BlockCompare compare = compared(&old, content, piece, own);
  Outcome outcome;
  DeltaWriter writer;
  for (const BlockCompare::Run& run : compare.runs()) {
    if (run.basis) {
      writer.copy(*run.basis, run.length);
    } else {
      writer.literal(content.substr(run.offset, run.length));
      outcome.literal += run.length;
    }
  }
  const auto made = test::patch(basis, std::move(writer).finish(), content.size());
  CHECK(made.has_value());
  if (made) outcome.content = *made;
  return outcome;
}

}  // namespace

TEST_CASE("block sums find what an edit left in place, and no more than a block around it is new") {
  const std::string old = random_bytes(20 * kBlock + 777, 1);
  std::string flipped = old;
  flipped[7 * kBlock + 5] ^= 1;
  flipped[15 * kBlock] ^= 1;
  const std::string inserted =
      old.substr(0, 100'000) + random_bytes(70'001, 2) + old.substr(100'000);
  const std::string removed = old.substr(0, 100'000) + old.substr(130'000);
  std::string inserted_and_flipped = inserted;
  inserted_and_flipped[kBlock] ^= 1;
  inserted_and_flipped.back() ^= 1;
  std::string removed_and_flipped = removed;
  removed_and_flipped[3] ^= 1;
  removed_and_flipped[12 * kBlock] ^= 1;
  const std::string longer = old + "one line more\n";
  std::string longer_and_flipped = longer;
  longer_and_flipped[0] ^= 1;
  const std::string shorter = old.substr(0, old.size() - 5000);
  struct Case {
    const std::string* content;
    std::size_t most_new;
  };
  const Case cases[] = {{&old, 0},
                        {&flipped, 2 * kBlock},
                        {&inserted_and_flipped, 70'001 + 4 * kBlock},
                        {&removed_and_flipped, 4 * kBlock},
                        {&longer_and_flipped, 2 * kBlock},
                        {&inserted, 70'001 + 2 * kBlock},
                        {&removed, 2 * kBlock},
                        {&longer, 2 * kBlock},
                        {&shorter, kBlock}};
  for (const auto& [content, most_new] : cases) {
    for (const std::size_t piece : {std::size_t{4096}, std::size_t{10'007}, 16 * kBlock}) {
      const Outcome outcome = travel(old, *content, piece);
      CHECK(outcome.content == *content);
      CHECK(outcome.literal <= most_new);
    }
  }
}

TEST_CASE("block sums make something right of any two contents") {
  const std::string one = random_bytes(5 * kBlock, 3);
  for (const std::string& other :
       {std::string(), std::string("x"), one.substr(0, kBlock), one.substr(kBlock), one + one,
        std::string(3 * kBlock, 'x'), random_bytes(9 * kBlock + 1, 4)}) {
    CHECK(travel(one, other, 4096).content == other);
    CHECK(travel(other, one, 4096).content == one);
  }
}

TEST_CASE("the sums of a content do not depend on how it came") {
  const std::string content = random_bytes(3 * kBlock + 9, 5);
  BlockSums one;
  BlockSums other;
  (void)compared(nullptr, content, 1000, one);
  (void)compared(nullptr, content, content.size(), other);
  CHECK(one == other);
  CHECK(one.whole.size() == 4);
}
