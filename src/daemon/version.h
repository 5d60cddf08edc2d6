// The version of this dagsync, as CMakeLists.txt has it: "0.1.0".
#pragma once

#include <string_view>

namespace dagsync {

[[nodiscard]] std::string_view dagsync_version();

}  // namespace dagsync
