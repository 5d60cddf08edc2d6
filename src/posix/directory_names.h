// The names in a directory.
#pragma once

#include <string>
#include <vector>

#include "posix/sys.h"

namespace dagsync {

inline constexpr std::size_t kMaxNamesPerDirectory = 4'000'000;  // EOVERFLOW beyond

struct NamedType {
  std::string name;
  unsigned char type = 0;  // DT_…; DT_UNKNOWN where the file system does not say
};

// Without "." and "..", in no order. `directory` may be O_PATH; its position does not matter.
[[nodiscard]] Sys<std::vector<std::string>> names_in(int directory);
[[nodiscard]] Sys<std::vector<NamedType>> types_in(int directory);

}  // namespace dagsync
