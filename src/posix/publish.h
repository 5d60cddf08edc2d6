// Makes something staged visible under its name, in one step.
#pragma once

#include "posix/publishing.h"

namespace dagsync {

// As Disk::publish, for a name whose parent directory is held.
[[nodiscard]] Result<Published> publish_staged(Publishing& job, const Disk::Expected& expected,
                                               StagedThing& staged,
                                               const Disk::Disposable& disposable);

}  // namespace dagsync
