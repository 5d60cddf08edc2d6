#include <algorithm>
#include <vector>

#include "dagsync/ports/disk.h"

namespace dagsync {

Result<std::uint64_t> ReadFile::read_all(std::uint64_t most, const TakeBytes& take) {
  thread_local std::vector<char> buffer(kReadBytes);
  std::uint64_t offset = 0;
  while (offset < most) {
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(most - offset, kReadBytes));
    const auto got = read(offset, std::span(buffer).first(step));
    if (!got) return Unexpected(got.error());
    if (*got == 0) break;
    if (const Status taken = take({buffer.data(), *got}); !taken) return Unexpected(taken.error());
    offset += *got;
  }
  return offset;
}

}  // namespace dagsync
