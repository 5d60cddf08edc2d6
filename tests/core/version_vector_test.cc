#include "dagsync/core/version_vector.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

using dagsync::AuthorId;
using dagsync::Causality;
using dagsync::Sequence;
using dagsync::VersionVector;

namespace {

AuthorId author(int node, std::uint64_t epoch = 1) {
  return {{"node" + std::to_string(node)}, {epoch}};
}

VersionVector random_vector(std::mt19937_64& random) {
  VersionVector vector;
  for (int node = 0; node < 4; ++node)
    vector.raise(author(node, random() % 2), random() % 3);
  return vector;
}

// What a vector means, said the slow way.
std::map<AuthorId, Sequence> as_map(const VersionVector& vector) {
  return {vector.entries().begin(), vector.entries().end()};
}

}  // namespace

TEST_CASE("a vector that saw nothing knows nothing") {
  const VersionVector none;
  CHECK(none.empty());
  CHECK(none.at(author(1)) == 0);
  CHECK(none.has_seen(none));
  CHECK(none.compare(none) == Causality::kEqual);
}

TEST_CASE("raising goes up, never down, and zero leaves no entry") {
  VersionVector vector;
  vector.raise(author(1), 0);
  CHECK(vector.empty());
  vector.raise(author(1), 5);
  vector.raise(author(1), 3);
  CHECK(vector.at(author(1)) == 5);
  vector.raise(author(1), 6);
  CHECK(vector.at(author(1)) == 6);
  CHECK(vector.entries().size() == 1);
}

TEST_CASE("a node that lost its index is another author") {
  VersionVector vector;
  vector.raise(author(1, 100), 7);
  CHECK(vector.at(author(1, 200)) == 0);
  vector.raise(author(1, 200), 1);
  CHECK(vector.at(author(1, 100)) == 7);
}

TEST_CASE("changing a copy of a vector leaves the vector alone") {
  VersionVector one;
  one.raise(author(1), 1);
  VersionVector two = one;
  two.raise(author(2), 1);
  VersionVector three = two;
  three.raise(author(2), 5);
  three.raise(author(3), 1);
  CHECK(one.entries().size() == 1);
  CHECK(two.entries().size() == 2);
  CHECK(two.at(author(2)) == 1);
  CHECK(three.at(author(2)) == 5);
}

TEST_CASE("two versions stand to each other in exactly one of four ways") {
  VersionVector base;
  base.raise(author(1), 1);
  VersionVector later = base;
  later.raise(author(2), 1);
  VersionVector other = base;
  other.raise(author(3), 1);
  CHECK(later.compare(base) == Causality::kAfter);
  CHECK(base.compare(later) == Causality::kBefore);
  CHECK(later.compare(other) == Causality::kConcurrent);
  CHECK(later.compare(later) == Causality::kEqual);
  CHECK(VersionVector().compare(base) == Causality::kBefore);
}

TEST_CASE("random vectors: the entries are sorted, without zero, and the join is the maximum") {
  std::mt19937_64 random(31);
  for (int round = 0; round < 5000; ++round) {
    const VersionVector a = random_vector(random);
    const VersionVector b = random_vector(random);
    VersionVector joined = a;
    joined.join(b);
    auto expected = as_map(a);
    for (const auto& [who, sequence] : b.entries())
      expected[who] = std::max(expected[who], sequence);
    REQUIRE(as_map(joined) == expected);
    REQUIRE(std::is_sorted(joined.entries().begin(), joined.entries().end()));
    REQUIRE(std::all_of(joined.entries().begin(), joined.entries().end(),
                        [](const auto& entry) { return entry.second > 0; }));
  }
}

TEST_CASE("random vectors: the join is commutative, associative, idempotent and the least bound") {
  std::mt19937_64 random(37);
  const auto join = [](VersionVector a, const VersionVector& b) {
    a.join(b);
    return a;
  };
  for (int round = 0; round < 5000; ++round) {
    const VersionVector a = random_vector(random);
    const VersionVector b = random_vector(random);
    const VersionVector c = random_vector(random);
    REQUIRE(join(a, b) == join(b, a));
    REQUIRE(join(join(a, b), c) == join(a, join(b, c)));
    REQUIRE(join(a, a) == a);
    REQUIRE(join(a, b).has_seen(a));
    REQUIRE(join(a, b).has_seen(b));
    REQUIRE((!c.has_seen(a) || !c.has_seen(b) || c.has_seen(join(a, b))));
  }
}

TEST_CASE("random vectors: comparing is the mirror of comparing the other way round") {
  std::mt19937_64 random(41);
  int seen[4] = {};
  for (int round = 0; round < 5000; ++round) {
    const VersionVector a = random_vector(random);
    const VersionVector b = random() % 8 == 0 ? a : random_vector(random);
    const Causality forth = a.compare(b);
    const Causality back = b.compare(a);
    ++seen[static_cast<int>(forth)];
    if (forth == Causality::kEqual) REQUIRE(a == b);
    if (forth == Causality::kAfter) REQUIRE(back == Causality::kBefore);
    if (forth == Causality::kBefore) REQUIRE(back == Causality::kAfter);
    if (forth == Causality::kConcurrent || forth == Causality::kEqual) REQUIRE(back == forth);
  }
  CHECK(std::all_of(std::begin(seen), std::end(seen), [](int count) { return count > 100; }));
}
