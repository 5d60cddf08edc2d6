// Contents that neither a delta nor a compressor can make smaller.
#pragma once

#include <cstddef>
#include <random>
#include <string>

namespace dagsync {

[[nodiscard]] inline std::string noise(std::size_t bytes, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::string text(bytes, '\0');
  for (char& byte : text)
    byte = static_cast<char>(random());
  return text;
}

}  // namespace dagsync
