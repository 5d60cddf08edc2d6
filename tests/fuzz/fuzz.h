// What every target has: a function that takes any bytes, and some to begin with. Built with clang
// it is a libFuzzer program (start.cc), with any compiler a test that replays inputs (replay.cc).
// A target asserts with DAGSYNC_ASSERT what must hold whatever the bytes are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace dagsync {

// Inputs that a healthy program would see, made by its own encoders; the same ones in every run.
std::vector<std::string> fuzz_seeds();

// An input, taken apart from its beginning. Past the end there are zeros and empty pieces.
class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size)
      : left_(reinterpret_cast<const char*>(data), size) {}

  [[nodiscard]] bool empty() const { return left_.empty(); }
  std::uint8_t byte() {
    const std::string_view one = take(1);
    return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one.front());
  }
  std::string_view take(std::size_t most) {
    const std::string_view taken = left_.substr(0, most);
    left_.remove_prefix(taken.size());
    return taken;
  }
  // Two bytes of length, then so many bytes.
  std::string_view piece() {
    const std::size_t high = byte();
    return take(high << 8 | byte());
  }
  std::string_view rest() { return take(left_.size()); }

 private:
  std::string_view left_;
};

// What FuzzInput::piece() gives back.
[[nodiscard]] inline std::string fuzz_piece(std::string_view bytes) {
  bytes = bytes.substr(0, 0xFFFF);
  std::string piece;
  piece.push_back(static_cast<char>(bytes.size() >> 8));
  piece.push_back(static_cast<char>(bytes.size() & 0xFF));
  return piece.append(bytes);
}

// Cuts bytes into pieces of 1 to `most` bytes, in a way that `seed` decides.
template <typename Use>
void in_pieces(std::string_view bytes, std::uint32_t seed, std::size_t most, Use use) {
  while (!bytes.empty()) {
    seed = seed * 1664525 + 1013904223;
    const std::size_t size = std::min<std::size_t>(1 + (seed >> 8) % most, bytes.size());
    use(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
}

}  // namespace dagsync
