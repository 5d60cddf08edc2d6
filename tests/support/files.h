// Files in tests.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace dagsync {

// What is left of an open file, block by block: an istreambuf_iterator takes a byte at a time,
// which under the sanitizers was a fifth of the time of the tests of races.
[[nodiscard]] inline std::string read_rest(std::ifstream& file) {
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return std::move(bytes).str();
}
// All bytes of a file; "" where it cannot be opened.
[[nodiscard]] inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return read_rest(file);
}

}  // namespace dagsync
