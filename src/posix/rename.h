// The renames that publishing is made of.
#pragma once

#include "posix/sys.h"

namespace dagsync {

// A name in an open directory; valid as long as what it was made of.
struct NameAt {
  int directory;
  const char* name;
};

// Never replaces anything: EEXIST. Where the file system has no RENAME_NOREPLACE, a link and an
// unlink do it.
[[nodiscard]] Sys<void> rename_new(NameAt from, NameAt to);
// Both names keep standing for something throughout. is_unsupported(): not on this file system.
[[nodiscard]] Sys<void> exchange(NameAt a, NameAt b);
// The plain rename, which replaces.
[[nodiscard]] Sys<void> rename_over(NameAt from, NameAt to);

}  // namespace dagsync
