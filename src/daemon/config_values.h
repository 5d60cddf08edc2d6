// The values of dagsync.toml and of the command line, each read from its text. The message of an
// error begins with "is ..." and says what is allowed; the caller puts the key in front. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "dagsync/base/log.h"
#include "dagsync/base/result.h"
#include "dagsync/base/time.h"
#include "dagsync/core/names.h"
#include "dagsync/engine/config.h"

namespace dagsync {

// A DNS name as a certificate bears it: letters, digits, hyphens and dots, at most 253 bytes. Comes
// back in lower case. No wildcard, no IP address.
[[nodiscard]] Result<NodeName> parse_node_name(std::string_view text);

// "1500ms", "5s", "10m", "2h", "30d": a whole number and a unit, up to 100 years.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

// "512B", "64KiB", "512MiB", "4GiB", "1TiB": a whole number and a unit.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

// "HOST:PORT", "10.0.0.1:7411", "[::1]:7411"; comes back as it was.
[[nodiscard]] Result<std::string> parse_address(std::string_view text);

// An absolute path without "..", a doubled slash or one at the end. Comes back lexically normal.
[[nodiscard]] Result<std::string> parse_absolute_path(std::string_view text);

// The name of a folder: it is a directory's name in state_dir, and typed on the command line.
[[nodiscard]] Result<std::string> parse_folder_name(std::string_view text);

// Values of one key each, as interface.md has them.
enum class May { kSend, kReceive };
[[nodiscard]] Result<May> parse_may(std::string_view text);
[[nodiscard]] Result<FolderMode> parse_mode(std::string_view text);
[[nodiscard]] Result<log::Level> parse_log_level(std::string_view text);
[[nodiscard]] Result<std::string> parse_file_name(std::string_view text);
[[nodiscard]] Result<std::string> parse_http(std::string_view text);     // an address, or ""
[[nodiscard]] Result<std::string> parse_socket(std::string_view text);   // fits a sockaddr_un
[[nodiscard]] Result<std::string> parse_root(std::string_view text);     // absolute, not "/"
[[nodiscard]] Result<std::string> parse_pattern(std::string_view text);  // one line
// "keep", a user, user:group or ""
[[nodiscard]] Result<FolderOwner> parse_owner(std::string_view text);
[[nodiscard]] Result<Duration> parse_interval(std::string_view text);        // a second or more
[[nodiscard]] Result<std::uint64_t> parse_some_size(std::string_view text);  // a byte or more
[[nodiscard]] Result<std::string> parse_user(std::string_view text);         // a user, or ""
[[nodiscard]] Result<std::string> parse_argument(std::string_view text);     // of a program: no NUL

// Whether the one absolute, lexically normal path is the other one or lies below it.
[[nodiscard]] bool is_within(std::string_view path, std::string_view directory);

// The word of `known` that somebody who typed `word` most likely meant.
[[nodiscard]] std::optional<std::string_view> nearest_word(std::string_view word,
                                                           std::span<const std::string> known);

}  // namespace dagsync
