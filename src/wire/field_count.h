// The first look at untrusted bytes.
#pragma once

#include <string_view>

#include "dagsync/base/result.h"

namespace dagsync {

// Refuses an envelope that would make protobuf allocate far more than it is long: a repeated
// message takes two bytes on the wire and a hundred in memory.
[[nodiscard]] Status check_field_count(std::string_view envelope);

}  // namespace dagsync
