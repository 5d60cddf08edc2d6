// csync2's patterns as lines of .gitignore, which [[folder]] ignore and [[hook]] match are written
// in. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dagsync {

// A path matches with what lies below it; any other pattern is of names, which may stand anywhere.
[[nodiscard]] bool is_csync2_path(std::string_view pattern);

[[nodiscard]] bool has_csync2_glob(std::string_view pattern);

// With a backslash before what .gitignore would take for a mark of its own.
[[nodiscard]] std::string ignore_line(std::string pattern);

// An absolute include as the directory and what in it: "/srv/x/*.conf" is "/srv/x" and "/*.conf".
struct Csync2Root {
  std::string path;
  std::string glob;  // "": all of it
};
// None where the pattern goes over several directories.
[[nodiscard]] std::optional<Csync2Root> csync2_root(const std::string& include);

// What an absolute pattern matches in a folder, as a path from there: "/logs". "" where it matches
// the folder itself, or what is above it; none where it lies elsewhere.
[[nodiscard]] std::optional<std::string> part_in_folder(const std::string& pattern,
                                                        const std::string& folder);

}  // namespace dagsync
