// A system call's result: a value, or the error number. Whoever knows the path and the purpose
// turns the number into an Error (disk_error.h).
#pragma once

#include <cerrno>
#include <tl/expected.hpp>

namespace dagsync {

struct SysError {
  int number = 0;
};

template <typename T>
using Sys = tl::expected<T, SysError>;

[[nodiscard]] inline tl::unexpected<SysError> sys_error(int number = errno) {
  return tl::unexpected<SysError>(SysError{number});
}

// The file system or the kernel does not know this call or this flag.
[[nodiscard]] inline bool is_unsupported(int number) {
  return number == EINVAL || number == ENOSYS || number == EOPNOTSUPP;
}

// No directory stands where one was expected: nothing, something else, or a symlink, which is
// never followed.
[[nodiscard]] inline bool is_no_directory(int number) {
  return number == ENOENT || number == ENOTDIR || number == ELOOP;
}

}  // namespace dagsync
