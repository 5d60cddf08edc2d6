#include "csync2/csync2_patterns.h"

#include <fnmatch.h>

#include <algorithm>

namespace dagsync {
namespace {

// Takes the first name off an absolute path: "/srv/x" gives "srv" and leaves "/x".
std::string take_name(std::string_view& path) {
  path.remove_prefix(1);
  const std::string name(path.substr(0, path.find('/')));
  path.remove_prefix(name.size());
  return name;
}

}  // namespace

bool is_csync2_path(std::string_view pattern) {
  return pattern.starts_with('/') || pattern.starts_with('%');
}

bool has_csync2_glob(std::string_view pattern) {
  return pattern.find_first_of("*?[") != std::string_view::npos;
}

std::string ignore_line(std::string pattern) {
  const std::size_t end = pattern.find_last_not_of(' ');
  const std::size_t kept = end == std::string::npos ? 0 : end + 1;
  std::string line = pattern.substr(0, kept);
  for (std::size_t i = kept; i < pattern.size(); ++i)
    line += "\\ ";
  if (line.starts_with('#') || line.starts_with('!')) line.insert(line.begin(), '\\');
  return line;
}

std::optional<Csync2Root> csync2_root(const std::string& include) {
  if (!has_csync2_glob(include)) return Csync2Root{include, ""};
  const std::size_t slash = include.rfind('/', include.find_first_of("*?["));
  Csync2Root root{include.substr(0, slash), include.substr(slash)};
  if (std::count(root.glob.begin(), root.glob.end(), '/') > 1 || root.path.empty()) return {};
  return root;
}

std::optional<std::string> part_in_folder(const std::string& pattern, const std::string& folder) {
  std::string_view rest = pattern;
  std::string_view way = folder;
  while (!way.empty()) {
    if (rest.empty()) return "";
    const std::string wanted = take_name(rest);
    if (wanted.find("**") != std::string::npos) return "/" + wanted + std::string(rest);
    if (::fnmatch(wanted.c_str(), take_name(way).c_str(), 0) != 0) return {};
  }
  return std::string(rest);
}

}  // namespace dagsync
