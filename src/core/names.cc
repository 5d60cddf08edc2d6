#include "dagsync/core/names.h"

#include <algorithm>

namespace dagsync {
namespace {

constexpr std::size_t kMaxDnsNameBytes = 253;  // RFC 1035, without the final dot
constexpr std::size_t kMaxDnsLabelBytes = 63;
constexpr int kEpochRandomBits = 20;  // what is left of 64 lasts until the year 2527

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kMaxDnsLabelBytes) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

bool is_dns_name(std::string_view text) {
  if (text.size() > kMaxDnsNameBytes) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

Epoch epoch_after(Epoch last, UnixNanos now, std::uint64_t random) {
  const auto milliseconds =
      static_cast<std::uint64_t>(std::max<std::int64_t>(now.value, 0)) / 1'000'000;
  const std::uint64_t moment = std::max(milliseconds, (last.value >> kEpochRandomBits) + 1);
  const std::uint64_t mask = (std::uint64_t{1} << kEpochRandomBits) - 1;
  return {(moment << kEpochRandomBits) | (random & mask)};
}

}  // namespace dagsync
