#include "daemon/config_values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <limits>
#include <vector>

#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

constexpr std::size_t kMaxFolderName = 64;
constexpr std::size_t kMaxSocketPath = 107;  // sun_path without its NUL
constexpr std::size_t kMaxQuoted = 80;       // of a wrong value, in a message

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alnum(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

Unexpected wrong(std::string_view text, std::string_view allowed) {
  return fail(ErrorCode::kInvalid,
              "is \"" + escape_bytes(text.substr(0, kMaxQuoted)) + "\": " + std::string(allowed));
}

bool is_ipv4(std::string_view text) {
  in_addr address{};
  return inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// A whole number and one of `units`, their product at most `limit`.
template <std::size_t N>
std::optional<std::uint64_t> parse_quantity(std::string_view text, const std::array<Unit, N>& units,
                                            std::uint64_t limit) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : units) {
    if (text == unit.name && number <= limit / unit.factor) return number * unit.factor;
  }
  return std::nullopt;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

bool is_host(std::string_view host) {
  if (!host.starts_with('[')) return is_dns_name(lowered(host));  // an IPv4 address looks like one
  if (!host.ends_with(']')) return false;
  const std::string_view inside = host.substr(1, host.size() - 2);
  in6_addr address{};
  return inet_pton(AF_INET6, std::string(inside.substr(0, inside.find('%'))).c_str(), &address) ==
         1;
}

bool is_port(std::string_view port) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return error == std::errc() && end == port.data() + port.size() && number > 0 && number <= 65535;
}

// How many letters must be put in, left out, changed or swapped (Damerau's distance).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j)
    d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

Result<NodeName> parse_node_name(std::string_view text) {
  std::string name = lowered(text);
  if (is_dns_name(name) && !is_ipv4(name)) return NodeName{std::move(name)};
  return wrong(
      text,
      "give a DNS name as in the node's certificate: letters, digits, hyphens and dots, no "
      "IP address, e.g. \"node1\"");
}

Result<Duration> parse_duration(std::string_view text) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  constexpr std::uint64_t kDay = 24 * 3600 * kSecond;
  static constexpr std::array<Unit, 5> kUnits{
      {{"ms", 1'000'000}, {"s", kSecond}, {"m", 60 * kSecond}, {"h", 3600 * kSecond}, {"d", kDay}}};
  const auto value = parse_quantity(text, kUnits, 36'500 * kDay);
  if (!value) {
    return wrong(text, "give a whole number and a unit (ms, s, m, h, d), e.g. \"10m\" or \"30d\"");
  }
  return Duration(static_cast<Duration::rep>(*value));
}

Result<std::uint64_t> parse_size(std::string_view text) {
  static constexpr std::array<Unit, 5> kUnits{{{"B", 1},
                                               {"KiB", std::uint64_t{1} << 10},
                                               {"MiB", std::uint64_t{1} << 20},
                                               {"GiB", std::uint64_t{1} << 30},
                                               {"TiB", std::uint64_t{1} << 40}}};
  constexpr auto kLimit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (const auto value = parse_quantity(text, kUnits, kLimit)) return *value;
  return wrong(text, "give a whole number and a unit (B, KiB, MiB, GiB, TiB), e.g. \"4GiB\"");
}

Result<std::string> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_host(text.substr(0, colon)) ||
      !is_port(text.substr(colon + 1))) {
    return wrong(text,
                 "give HOST:PORT with a port from 1 to 65535, e.g. \"node2:7411\", "
                 "\"10.0.0.2:7411\" or \"[fd00::2]:7411\"");
  }
  return std::string(text);
}

Result<std::string> parse_absolute_path(std::string_view text) {
  if (!text.starts_with('/') || text.find('\0') != std::string_view::npos) {
    return wrong(text, "give an absolute path, one that begins with /");
  }
  const std::filesystem::path path(text);
  if (std::ranges::find(path, "..") != path.end()) {
    return wrong(text, "give an absolute path without ..");
  }
  std::string normal = path.lexically_normal().string();
  while (normal.size() > 1 && normal.ends_with('/'))
    normal.pop_back();
  if (normal.starts_with("//")) normal.erase(0, 1);  // POSIX lets two leading slashes be special
  return normal;
}

Result<std::string> parse_folder_name(std::string_view text) {
  const bool good = !text.empty() && text.size() <= kMaxFolderName && text.front() != '.' &&
                    text.front() != '-' && std::ranges::all_of(text, [](char c) {
                      return is_alnum(c) || c == '-' || c == '_' || c == '.';
                    });
  if (good) return std::string(text);
  return wrong(text,
               "give a name of letters, digits, - _ and ., at most 64, not beginning with . or -, "
               "e.g. \"dags\"");
}

bool is_within(std::string_view path, std::string_view directory) {
  if (directory == "/") return path.starts_with('/');
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

Result<std::string> parse_file_name(std::string_view text) {
  if (!text.empty() && text.find('\0') == std::string_view::npos) return std::string(text);
  return fail(ErrorCode::kInvalid, "is no file's name: give the path of a PEM file");
}

Result<std::string> parse_http(std::string_view text) {
  return text.empty() ? Result<std::string>(std::string()) : parse_address(text);
}

Result<std::string> parse_socket(std::string_view text) {
  auto path = parse_absolute_path(text);
  if (path && path->size() > kMaxSocketPath) {
    return fail(ErrorCode::kInvalid, "is " + std::to_string(path->size()) +
                                         " bytes long: a socket's path has at most " +
                                         std::to_string(kMaxSocketPath));
  }
  return path;
}

Result<std::string> parse_root(std::string_view text) {
  auto path = parse_absolute_path(text);
  if (path && *path == "/") {
    return fail(ErrorCode::kInvalid, "is \"/\": give the directory to replicate, not all there is");
  }
  return path;
}

Result<FolderMode> parse_mode(std::string_view text) {
  if (text == "sync") return FolderMode::kSync;
  if (text == "send-only") return FolderMode::kSendOnly;
  if (text == "receive-only") return FolderMode::kReceiveOnly;
  return wrong(text, "give \"sync\", \"send-only\" or \"receive-only\"");
}

Result<std::string> parse_pattern(std::string_view text) {
  if (text.find('\n') == std::string_view::npos) return std::string(text);
  return fail(ErrorCode::kInvalid, "has a line break: give one pattern a string");
}

Result<FolderOwner> parse_owner(std::string_view text) {
  if (text == "keep") return FolderOwner{true, ""};
  const auto colons = std::ranges::count(text, ':');
  const bool blank = text.find_first_of(" \t\n/") != std::string_view::npos;
  if (!blank && colons <= 1 && !text.starts_with(':') && !text.ends_with(':')) {
    return FolderOwner{false, std::string(text)};
  }
  return wrong(text, "give \"keep\", or a user or user:group, e.g. \"airflow:airflow\"");
}

Result<std::string> parse_user(std::string_view text) {
  if (text.find_first_of(" \t\n/:") == std::string_view::npos) return std::string(text);
  return wrong(text, "give the name of a user, e.g. \"airflow\"");
}

Result<std::string> parse_argument(std::string_view text) {
  if (text.find('\0') == std::string_view::npos) return std::string(text);
  return wrong(text, "give an argument without a NUL");
}

Result<May> parse_may(std::string_view text) {
  if (text == "send") return May::kSend;
  if (text == "receive") return May::kReceive;
  return wrong(text, "give \"send\", \"receive\" or both");
}

Result<Duration> parse_interval(std::string_view text) {
  auto value = parse_duration(text);
  if (value && *value < std::chrono::seconds(1)) {
    return wrong(text, "give one second or more");
  }
  return value;
}

Result<std::uint64_t> parse_some_size(std::string_view text) {
  auto value = parse_size(text);
  if (value && *value == 0) return fail(ErrorCode::kInvalid, "is nothing: give one byte or more");
  return value;
}

Result<log::Level> parse_log_level(std::string_view text) {
  if (text == "debug") return log::Level::kDebug;
  if (text == "info") return log::Level::kInfo;
  if (text == "warning") return log::Level::kWarning;
  if (text == "error") return log::Level::kError;
  return wrong(text, "give \"debug\", \"info\", \"warning\" or \"error\"");
}

std::optional<std::string_view> nearest_word(std::string_view word,
                                             std::span<const std::string> known) {
  constexpr std::size_t kLongest = 64;  // nobody mistypes more, and the distance is quadratic
  std::optional<std::string_view> best;
  std::size_t best_distance = 0;
  if (word.size() > kLongest) return std::nullopt;
  for (const std::string& candidate : known) {
    const std::size_t d = distance(word, candidate);
    if (d > 1 + candidate.size() / 4) continue;
    if (!best || d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

}  // namespace dagsync
