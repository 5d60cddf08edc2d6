#include "dagsync/base/result.h"

#include <cerrno>
#include <system_error>

namespace dagsync {

Error Error::with_context(std::string_view doing) const {
  return Error{code, std::string(doing) + ": " + message};
}

ErrorCode error_code_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return ErrorCode::kExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kPermission;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    case EINVAL:
    case ENOSYS:
    case EOPNOTSUPP:
    case EXDEV:
      return ErrorCode::kUnsupported;
    case EAGAIN:
    case EBUSY:
    case ETXTBSY:
    case EMFILE:
    case ENFILE:
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kIo;
  }
}

Unexpected fail_errno(int error_number, std::string_view doing) {
  return fail(error_code_of(error_number),
              std::string(doing) + ": " + std::generic_category().message(error_number));
}

}  // namespace dagsync
