// Contents to make deltas of, and the whole way from a basis to the new content.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "dagsync/delta/delta.h"

namespace dagsync::test {

using Random = std::mt19937_64;

[[nodiscard]] std::string noise(Random& random, std::size_t size);

[[nodiscard]] std::string signature_of(std::string_view basis);
[[nodiscard]] Result<std::string> delta_of(std::string_view signature, std::string_view content,
                                           std::size_t piece = std::size_t{1} << 20);
[[nodiscard]] Result<std::string> patch(std::string_view basis, std::string_view delta,
                                        std::uint64_t max_output,
                                        std::size_t piece = std::size_t{1} << 20);

}  // namespace dagsync::test
