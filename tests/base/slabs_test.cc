#include "dagsync/base/slabs.h"

#include <doctest/doctest.h>

#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace dagsync;

TEST_CASE("pieces of all sizes lie apart, are aligned and keep what is written to them") {
  std::mt19937_64 random(3);
  Slabs slabs;
  struct Piece {
    unsigned char* at;
    std::size_t bytes;
    unsigned char mark;
  };
  std::vector<Piece> pieces;
  for (int i = 0; i < 20'000; ++i) {
    if (!pieces.empty() && random() % 3 == 0) {
      std::swap(pieces[random() % pieces.size()], pieces.back());
      const Piece gone = pieces.back();
      pieces.pop_back();
      for (std::size_t at = 0; at < gone.bytes; ++at)
        REQUIRE(gone.at[at] == gone.mark);
      slabs.give_back(gone.at, gone.bytes);
      continue;
    }
    const std::size_t bytes = 1 + random() % Slabs::kLargest;
    auto* at = static_cast<unsigned char*>(slabs.take(bytes));
    REQUIRE(reinterpret_cast<std::uintptr_t>(at) % alignof(void*) == 0);
    pieces.push_back({at, bytes, static_cast<unsigned char>(random())});
    std::memset(at, pieces.back().mark, bytes);
  }
}

TEST_CASE("what was given back is taken again") {
  Slabs slabs;
  void* const one = slabs.take(40);
  slabs.give_back(one, 40);
  CHECK(slabs.take(33) == one);  // as many units
  CHECK(slabs.take(40) != one);
}

TEST_CASE("a container takes its slabs with it, and one that was moved from goes on") {
  using Map =
      std::map<int, std::string, std::less<>, SlabAllocator<std::pair<const int, std::string>>>;
  Map map;
  for (int i = 0; i < 1'000; ++i)
    map.emplace(i, "a value that has memory of its own: " + std::to_string(i));
  const std::string* const stays = &map.at(500);
  Map other = std::move(map);
  CHECK(&other.at(500) == stays);
  map = Map();
  map.emplace(1, "one");
  other.erase(7);
  Map third;
  third.emplace(5, "goes");
  third = std::move(other);
  CHECK(&third.at(500) == stays);
  CHECK(third.size() == 999);
  std::swap(map, third);
  CHECK(&map.at(500) == stays);
  const Map copy = map;
  CHECK(copy == map);
}
