#include "dagsync/engine/transfer/turns.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

using namespace dagsync;

namespace {

const NodeName kItsAuthor{"author"};

std::vector<NodeName> nodes(int number) {
  std::vector<NodeName> names;
  for (int i = 0; i < number; ++i)
    names.push_back({"node" + std::to_string(i)});
  return names;
}

std::vector<NodeName> without(std::vector<NodeName> names, const NodeName& one) {
  std::erase(names, one);
  return names;
}

struct Spread {
  int rounds = 0;
  std::map<NodeName, int> served;  // copies that each sent, in all
  int most_at_once = 0;            // that one sent in one round
};

// Every node that has its turn gets the content within a round, and everybody knows so.
Spread spread(const Digest& digest, int receivers) {
  Spread spread;
  std::vector<NodeName> lacking = nodes(receivers);
  std::vector<NodeName> holders;
  for (; !lacking.empty(); ++spread.rounds) {
    REQUIRE(spread.rounds < 10);
    std::map<NodeName, int> served;
    std::vector<NodeName> got;
    for (const NodeName& self : lacking) {
      const auto sources =
          sources_in_turn(digest, {self, {kItsAuthor}, holders, without(lacking, self)});
      if (sources.empty()) continue;
      CHECK(sources.back() == kItsAuthor);  // whoever else fails
      ++served[sources.front()];
      got.push_back(self);
    }
    for (const auto& [node, copies] : served) {
      spread.served[node] += copies;
      spread.most_at_once = std::max(spread.most_at_once, copies);
    }
    for (const NodeName& self : got) {
      std::erase(lacking, self);
      holders.push_back(self);
    }
  }
  return spread;
}

}  // namespace

TEST_CASE("in a small mesh everybody asks the author at once") {
  const Spread small = spread(digest_of("content"), 3);
  CHECK(small.rounds == 1);
  CHECK(small.served.at(kItsAuthor) == 3);
}

TEST_CASE("in a large mesh the author sends few copies, and nobody many at once") {
  for (const char* content : {"one", "two", "three"}) {
    const Spread large = spread(digest_of(content), 29);
    CHECK(large.rounds == 3);  // 3, 9 and 17 of them
    CHECK(large.served.at(kItsAuthor) == static_cast<int>(kFanOut));
    CHECK(large.most_at_once == static_cast<int>(kFanOut));
  }
}

TEST_CASE("contents go different ways through the mesh") {
  std::vector<NodeName> first;
  for (int i = 0; i < 20; ++i) {
    const Digest digest = digest_of(std::to_string(i));
    for (const NodeName& self : nodes(29)) {
      if (!sources_in_turn(digest, {self, {kItsAuthor}, {}, without(nodes(29), self)}).empty())
        first.push_back(self);
    }
  }
  std::sort(first.begin(), first.end());
  first.erase(std::unique(first.begin(), first.end()), first.end());
  CHECK(first.size() > 20);
}
