// Whom published files belong to: `[[folder]] owner` as a rule for the disk.
#pragma once

#include "dagsync/base/result.h"
#include "dagsync/engine/config.h"
#include "posix/owners.h"

namespace dagsync {

// A fixed owner is "user" (with its own group) or "user:group", names or numbers of this machine.
// kNotFound: there is no such user or group. Blocks while it asks.
[[nodiscard]] Result<OwnerRule> owner_rule(const FolderConfig& folder);

// Says in the log, at once, that files cannot be given to whom the folder's owner asks for: the
// process lacks CAP_CHOWN. They belong to its own user then.
void warn_of_owner(const FolderConfig& folder, const OwnerRule& rule);

}  // namespace dagsync
