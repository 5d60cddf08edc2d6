// Empties a directory of names that nobody will miss, and of nothing else.
#pragma once

#include "dagsync/ports/disk.h"

namespace dagsync {

// kExists, naming the first, where something lies at any depth below `path` that `disposable` does
// not accept; a directory is asked for before what lies in it. Nothing is removed.
[[nodiscard]] Status check_disposable(int directory, const RelPath& path,
                                      const Disk::Disposable& disposable);

// Removes everything below it that `disposable` accepts; what turned up meanwhile stays.
[[nodiscard]] Status remove_disposable(int directory, const RelPath& path,
                                       const Disk::Disposable& disposable);

// kExists: "<path> holds <name>: …", also for a name that is not known any more ("").
[[nodiscard]] Unexpected fail_not_empty(const RelPath& path, const std::string& name);

}  // namespace dagsync
