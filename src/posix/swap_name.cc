#include "posix/swap_name.h"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace dagsync {
namespace {

constexpr std::size_t kTimeDigits = 16;
constexpr std::size_t kRandomDigits = 8;
constexpr std::size_t kKeptIdBytes = kTimeDigits + 1 + kRandomDigits;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

bool is_kept_id(std::string_view text) {
  return text.size() == kKeptIdBytes && text[kTimeDigits] == '-' &&
         is_hex(text.substr(0, kTimeDigits)) && is_hex(text.substr(kTimeDigits + 1));
}

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
