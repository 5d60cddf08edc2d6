// zstd on whole buffers, with a context kept per thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "dagsync/base/result.h"

namespace dagsync {

// Appends the compressed bytes to `out`; false, and nothing, where it saves less than a tenth.
[[nodiscard]] bool append_compressed(std::string& out, std::string_view bytes);

// Of bytes that are written once: not set to zero before, as those of a string are.
struct Plain {
  std::unique_ptr<char[]> bytes;
  std::size_t size = 0;
  [[nodiscard]] std::string_view view() const { return {bytes.get(), size}; }
};

// Untrusted bytes: one zstd frame that says its size, which is at most `max_bytes`, and keeps to
// it.
[[nodiscard]] Result<Plain> decompress(std::string_view bytes, std::size_t max_bytes);

}  // namespace dagsync
