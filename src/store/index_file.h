// The directory and the file of an index, before SQLite sees them.
#pragma once

#include <cstdint>
#include <string>

#include "dagsync/base/result.h"

namespace dagsync {

// Makes the directory, and the missing ones above it (0700), and an empty file for the index in it
// (0600) where there is none. kPermission: it belongs to another user.
[[nodiscard]] Status make_index_file(const std::string& directory);

[[nodiscard]] std::string index_file_in(const std::string& directory);

// The bytes of the index and of its write-ahead log; 0 where there is none. Never opens them.
[[nodiscard]] std::uint64_t index_bytes_in(const std::string& directory);

// The index is empty though its write-ahead log is not: it was truncated, and SQLite would silently
// throw the log away.
[[nodiscard]] bool has_log_without_index(const std::string& directory);

// Renames the index and its write-ahead log to index.db.corrupt-<UTC time>[-n], so that the sqlite3
// tool can still open what is left; returns that name.
[[nodiscard]] Result<std::string> set_index_aside(const std::string& directory);

}  // namespace dagsync
