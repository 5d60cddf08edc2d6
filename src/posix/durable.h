// Makes names and contents in the folder survive a power cut.
#pragma once

#include <vector>

#include "dagsync/base/rel_path.h"
#include "dagsync/base/result.h"

namespace dagsync {

// Beyond that many paths the whole file system is synced: one journal commit instead of many.
inline constexpr std::size_t kMaxPathsSyncedSingly = 64;

// Beneath the directory `root`, with all directories above: one that somebody has moved there, in
// the place of another one, looks as before. What is gone meanwhile has nothing to be made durable
// but the directories that it is gone from.
[[nodiscard]] Status make_durable(int root, const std::vector<RelPath>& paths);

// Everything on the file system of this directory, in the folder or not.
[[nodiscard]] Status sync_file_system(int root);

}  // namespace dagsync
