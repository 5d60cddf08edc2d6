#include "daemon/path_argument.h"

#include <cstdint>
#include <filesystem>

#include "daemon/config_values.h"

namespace dagsync {
namespace {

std::string names_of(const std::vector<FolderConfig>& folders) {
  std::string names;
  for (const FolderConfig& folder : folders)
    names += (names.empty() ? "" : ", ") + folder.name;
  return names;
}

// "./a//b/" as "a/b"; ".." stays where it leads out, for RelPath to refuse.
std::string lexically_plain(std::string_view path) {
  std::string plain = std::filesystem::path(path).lexically_normal().string();
  while (plain.size() > 1 && plain.ends_with('/'))
    plain.pop_back();
  return plain == "." ? std::string() : plain;
}

Result<RelPath> to_rel_path(std::string_view bytes) {
  return bytes.empty() ? Result<RelPath>(RelPath()) : RelPath::parse(bytes);
}

Result<FolderPath> resolve_absolute(const std::vector<FolderConfig>& folders,
                                    const std::optional<std::string>& folder_name,
                                    const std::string& path) {
  for (std::size_t i = 0; i < folders.size(); ++i) {
    const FolderConfig& folder = folders[i];
    if (!is_within(path, folder.path) || (folder_name && *folder_name != folder.name)) continue;
    const std::string below = path.substr(std::min(path.size(), folder.path.size() + 1));
    return to_rel_path(below).map([&](RelPath rel) { return FolderPath{i, std::move(rel)}; });
  }
  const std::string where = folder_name ? "folder " + *folder_name : "any folder";
  return fail(ErrorCode::kNotFound, escape_bytes(path) + " lies not in " + where +
                                        ": give a path below the path of a [[folder]]");
}

}  // namespace

std::string path_to_json(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x80) {
      text.push_back(c);
    } else {
      text.push_back(static_cast<char>(0xC0 | (byte >> 6)));
      text.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
    }
  }
  return text;
}

Result<std::string> path_from_json(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if (byte < 0x80) {
      bytes.push_back(text[i]);
      continue;
    }
    // U+0080 to U+00FF are C2 or C3 and one more byte.
    if ((byte != 0xC2 && byte != 0xC3) || i + 1 == text.size()) {
      return fail(ErrorCode::kInvalid,
                  "a path on the control socket holds a code point above U+00FF");
    }
    const auto next = static_cast<std::uint8_t>(text[++i]);
    bytes.push_back(static_cast<char>(((byte & 3) << 6) | (next & 0x3F)));
  }
  return bytes;
}

Result<std::size_t> choose_folder(const std::vector<FolderConfig>& folders,
                                  const std::optional<std::string>& folder_name) {
  for (std::size_t i = 0; folder_name && i < folders.size(); ++i) {
    if (folders[i].name == *folder_name) return i;
  }
  if (folder_name) {
    return fail(ErrorCode::kNotFound, "no folder is called \"" + escape_bytes(*folder_name) +
                                          "\": there is " + names_of(folders));
  }
  if (folders.size() == 1) return std::size_t{0};
  return fail(ErrorCode::kInvalid,
              "there is more than one folder: say which with --folder: " + names_of(folders));
}

Result<FolderPath> resolve_path(const std::vector<FolderConfig>& folders,
                                const std::optional<std::string>& folder_name,
                                std::string_view path) {
  const std::string plain = lexically_plain(path);
  if (plain.starts_with('/')) return resolve_absolute(folders, folder_name, plain);
  const auto folder = choose_folder(folders, folder_name);
  if (!folder) return Unexpected(folder.error());
  return to_rel_path(plain).map([&](RelPath rel) { return FolderPath{*folder, std::move(rel)}; });
}

}  // namespace dagsync
