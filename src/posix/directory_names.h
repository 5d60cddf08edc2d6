// The names in a directory.
#pragma once

#include <string>
#include <vector>

#include "posix/sys.h"

namespace dagsync {

inline constexpr std::size_t kMaxNamesPerDirectory = 4'000'000;  // EOVERFLOW beyond

// Without "." and "..", in no order. `directory` may be O_PATH; its position does not matter.
[[nodiscard]] Sys<std::vector<std::string>> names_in(int directory);

}  // namespace dagsync
