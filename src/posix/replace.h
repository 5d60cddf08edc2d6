// Puts a staged thing in the place of what stands there, so that the name never stands for nothing.
#pragma once

#include "posix/keeping.h"

namespace dagsync {

// Whether what was swapped out to `out` is `old` as it was looked at: kDone, or why it must go
// back.
[[nodiscard]] PublishOutcome judge(const Standing& old, const TempName& out,
                                   const Keeping& keeping);

// `old` is a file or a symlink, and what was expected a moment ago.
[[nodiscard]] Result<Published> replace_file(Publishing& job, Standing old, StagedThing& staged);

// `old` is a directory, `staged` none.
[[nodiscard]] Result<Published> replace_directory(Publishing& job, const Standing& old,
                                                  StagedThing& staged,
                                                  const Disk::Disposable& disposable);

}  // namespace dagsync
