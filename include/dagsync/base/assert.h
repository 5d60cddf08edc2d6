// Assertions that stay on in release: a bug stops the process before it can harm the files.
#pragma once

namespace dagsync {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace dagsync

#define DAGSYNC_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::dagsync::assertion_failed(#condition, __FILE__, __LINE__))
