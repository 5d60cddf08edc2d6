// A PATH of the command line on its way to the folder that it names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/rel_path.h"
#include "dagsync/base/result.h"
#include "dagsync/engine/config.h"

namespace dagsync {

// Paths are bytes, JSON is text: on the control socket each byte of a path is the code point of the
// same number (Latin-1), so "\xff" travels as U+00FF. kInvalid: a code point above U+00FF.
[[nodiscard]] std::string path_to_json(std::string_view bytes);
[[nodiscard]] Result<std::string> path_from_json(std::string_view text);

struct FolderPath {
  std::size_t folder = 0;  // its index
  RelPath path;
};

// An absolute path names the folder that it lies in; another is relative to the folder of that
// name, or to the only one there is. Pure: nothing is looked up on the disk.
[[nodiscard]] Result<FolderPath> resolve_path(const std::vector<FolderConfig>& folders,
                                              const std::optional<std::string>& folder_name,
                                              std::string_view path);

// The folder of that name, or the only one there is. kNotFound, kInvalid.
[[nodiscard]] Result<std::size_t> choose_folder(const std::vector<FolderConfig>& folders,
                                                const std::optional<std::string>& folder_name);

}  // namespace dagsync
