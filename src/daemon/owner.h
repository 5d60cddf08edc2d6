// Whom published files belong to: `[[folder]] owner` as numbers.
#pragma once

#include <cstdint>
#include <string>

#include "dagsync/base/result.h"

namespace dagsync {

struct OwnerIds {
  std::uint32_t user = 0;
  std::uint32_t group = 0;
};

// "user" (with its own group) or "user:group", names or numbers of this machine. kNotFound: there
// is no such user or group. Blocks while it asks.
[[nodiscard]] Result<OwnerIds> look_up_owner(const std::string& owner);

}  // namespace dagsync
