// What a crash left under a name of publishing's: what was staged goes, what somebody wrote is
// kept.
#pragma once

#include "posix/kept_versions.h"
#include "posix/rename.h"
#include "posix/swap_name.h"

namespace dagsync {

// Empties the name `at`, whose text says `swap`: by a move into the kept versions or, where they
// lie on another file system, by a copy.
[[nodiscard]] Sys<void> recover(NameAt at, const SwapName& swap, KeptVersions& kept);

// Moves or copies what lies at a name of ours, of any kind, into the kept versions under a fresh
// id; it stood, or was about to stand, at `path`.
[[nodiscard]] Sys<KeptId> rescue(NameAt at, const RelPath& path, KeptVersions& kept);

}  // namespace dagsync
