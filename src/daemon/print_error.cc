#include "daemon/print_error.h"

#include <spdlog/fmt/fmt.h>

#include <cstdio>

namespace dagsync {

std::string without_controls(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
  }
  return out;
}

void print_error(std::string_view message) {
  while (!message.empty()) {
    const std::size_t end = message.find('\n');
    const std::string line = "dagsync: " + without_controls(message.substr(0, end)) + "\n";
    std::fputs(line.c_str(), stderr);
    message = end == std::string_view::npos ? std::string_view() : message.substr(end + 1);
  }
}

}  // namespace dagsync
