// Randomness from a seed, the same on every machine and with every library.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <iterator>

#include "dagsync/base/assert.h"
#include "dagsync/base/time.h"
#include "dagsync/ports/clock.h"

namespace dagsync::sim {

// splitmix64 (Steele, Lea, Flood 2014): one word of state, and good enough for dice.
class Seeded {
 public:
  explicit Seeded(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // 0 to bound - 1.
  std::uint64_t below(std::uint64_t bound) {
    DAGSYNC_ASSERT(bound > 0);
    return next() % bound;
  }
  std::size_t index(std::size_t size) { return static_cast<std::size_t>(below(size)); }
  bool chance(double probability) {
    return static_cast<double>(next() >> 11) < probability * 9007199254740992.0;
  }
  Duration between(Duration least, Duration most) {
    const auto span = static_cast<std::uint64_t>((most - least).count()) + 1;
    return least + Duration(static_cast<std::int64_t>(below(span)));
  }
  template <typename Container>
  const auto& pick(const Container& container) {
    return *std::next(container.begin(), static_cast<std::ptrdiff_t>(index(container.size())));
  }
  template <typename T>
  T pick(std::initializer_list<T> list) {
    return list.begin()[index(list.size())];
  }

 private:
  std::uint64_t state_;
};

class SimRandom final : public Random {
 public:
  explicit SimRandom(std::uint64_t seed) : seeded_(seed) {}
  std::uint64_t next() override { return seeded_.next(); }

 private:
  Seeded seeded_;
};

}  // namespace dagsync::sim
