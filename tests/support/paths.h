// A path of a test, which must be a good one; "" for the folder itself.
#pragma once

#include <doctest/doctest.h>

#include <string_view>

#include "dagsync/base/rel_path.h"

namespace dagsync {

[[nodiscard]] inline RelPath path(std::string_view bytes) {
  if (bytes.empty()) return {};
  const auto parsed = RelPath::parse(bytes);
  REQUIRE(parsed.has_value());
  return *parsed;
}

}  // namespace dagsync
