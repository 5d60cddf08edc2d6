// zstd on whole buffers, with a context kept per thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "dagsync/base/result.h"

namespace dagsync {

// Appends the compressed bytes to `out`; false, and nothing, where it saves less than a tenth.
[[nodiscard]] bool append_compressed(std::string& out, std::string_view bytes);

// Untrusted bytes, of one zstd frame: how many it says to hold, at most `max_bytes`.
[[nodiscard]] Result<std::size_t> decompressed_size(std::string_view bytes, std::size_t max_bytes);
// Fills `out`, which has that size; kInvalid where the frame does not keep to it.
[[nodiscard]] Status decompress(std::string_view bytes, std::span<char> out);

}  // namespace dagsync
