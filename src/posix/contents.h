// Bytes of files: written whole, copied, compared.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "posix/sys.h"

namespace dagsync {

// Writes all of `bytes` at `offset`.
[[nodiscard]] Sys<void> write_all(int fd, std::uint64_t offset, std::string_view bytes);

// Up to `buffer.size()` bytes; fewer at the end alone.
[[nodiscard]] Sys<std::size_t> read_full(int fd, std::uint64_t offset, std::span<char> buffer);

// Copies up to `length` bytes, in the kernel or by reflink where the file systems can; returns how
// many: fewer where the source ends.
[[nodiscard]] Sys<std::uint64_t> copy_range(int from, std::uint64_t from_offset, int to,
                                            std::uint64_t to_offset, std::uint64_t length);

// Brings a range to the disk and waits for it, where the kernel can; only a sync makes it durable.
// Its error is told once: no later sync of this descriptor tells of it again. A large content goes
// in such steps, or whoever else has a little to sync there, such as the row of a save, waits until
// all of it has gone.
inline constexpr std::uint64_t kWriteBackStep = 2 << 20;
[[nodiscard]] Sys<void> write_back(int fd, std::uint64_t offset, std::uint64_t length);

// Reads both files whole.
[[nodiscard]] Sys<bool> same_contents(int a, int b);

}  // namespace dagsync
