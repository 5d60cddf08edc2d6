// zstd on whole buffers, with a context kept per thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "dagsync/base/result.h"

namespace dagsync {

// nullopt where it saves less than a tenth.
[[nodiscard]] std::optional<std::string> compress(std::string_view bytes);

// Untrusted bytes: one zstd frame that says its size, which is at most `max_bytes`, and keeps to
// it.
[[nodiscard]] Result<std::string> decompress(std::string_view bytes, std::size_t max_bytes);

}  // namespace dagsync
