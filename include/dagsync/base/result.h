// Expected failures. dagsync's own code does not throw: what can fail returns a Result, and what a
// library throws is caught where it is called.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace dagsync {

// What kind of failure it is, for code that must decide; `message` is for people.
enum class ErrorCode {
  kNotFound,     // the named thing does not exist
  kExists,       // it exists already
  kPermission,   // EACCES, EPERM, EROFS
  kNoSpace,      // ENOSPC, EDQUOT
  kIo,           // EIO and any other failure of the operating system
  kUnsupported,  // the file system or kernel cannot do it
  kInvalid,      // bad input: configuration, arguments, a malformed message
  kCorrupt,      // stored data that cannot be what was stored
  kRefused,      // a peer or a policy said no
  kUnavailable,  // not now; worth another try
};

struct Error {
  ErrorCode code = ErrorCode::kIo;
  std::string message;  // "what went wrong: how to mend it", without a newline

  // The same failure, with what was being done put in front: "read a/b.py: permission denied".
  [[nodiscard]] Error with_context(std::string_view doing) const;
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

using Unexpected = tl::unexpected<Error>;

[[nodiscard]] inline Unexpected fail(ErrorCode code, std::string message) {
  return Unexpected(Error{code, std::move(message)});
}

// The error of a failed system call: `doing` ("rename a/b.py") and the text of `error_number`.
[[nodiscard]] Unexpected fail_errno(int error_number, std::string_view doing);
[[nodiscard]] ErrorCode error_code_of(int error_number);

}  // namespace dagsync
