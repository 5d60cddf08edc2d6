// Files in tests.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace dagsync {

// All bytes of a file; "" where it cannot be opened. Not by istreambuf_iterator, which takes a byte
// at a time: under the sanitizers that was a fifth of the time of the tests of races.
[[nodiscard]] inline std::string read_rest(std::ifstream& file) {
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return std::move(bytes).str();
}
[[nodiscard]] inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return read_rest(file);
}

}  // namespace dagsync
