// Takes a name out of the folder.
#pragma once

#include "posix/publishing.h"

namespace dagsync {

// As Disk::remove.
[[nodiscard]] Result<Published> remove_file(Publishing& job, const DiskState& expected);
// As Disk::remove_directory.
[[nodiscard]] Result<Published> remove_tree(const RelPath& path, const Place& place,
                                            const Disk::Disposable& disposable);

}  // namespace dagsync
