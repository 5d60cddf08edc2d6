#include "posix/swap_name.h"

#include <charconv>
#include <system_error>

namespace dagsync {

std::string to_string(const SwapName& name) {
  return name.id.value + "." + std::to_string(name.inode);
}

std::optional<SwapName> parse_swap_name(std::string_view text) {
  if (text.size() < kKeptIdBytes + 2 || text[kKeptIdBytes] != '.') return std::nullopt;
  if (!is_kept_id(text.substr(0, kKeptIdBytes))) return std::nullopt;
  SwapName name{KeptId{std::string(text.substr(0, kKeptIdBytes))}, 0};
  const std::string_view number = text.substr(kKeptIdBytes + 1);
  const auto end = number.data() + number.size();
  const auto parsed = std::from_chars(number.data(), end, name.inode);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return name;
}

}  // namespace dagsync
