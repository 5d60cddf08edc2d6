#include "posix/disk_error.h"

#include <cerrno>
#include <system_error>

namespace dagsync {
namespace {

ErrorCode code_of(int error_number) {
  if (error_number == ELOOP) return ErrorCode::kNotFound;  // a symlink, which is never followed
  return error_code_of(error_number);
}

std::string text_of(int error_number) {
  if (error_number == ELOOP) return "a symlink stands there, which is never followed";
  if (error_number == EXDEV) return "another file system is mounted there";
  return std::generic_category().message(error_number);
}

std::string_view mend_of(int error_number) {
  switch (error_number) {
    case ENOSPC:
      return ": free space on that file system";
    case EDQUOT:
      return ": raise the quota of the daemon's user";
    case EACCES:
    case EPERM:
      return ": give the daemon's user access to it";
    case EROFS:
      return ": mount it writable";
    case EXDEV:
      return ": unmount it, or give it a [[folder]] of its own";
    case EMFILE:
    case ENFILE:
      return ": raise the limit of open files (LimitNOFILE)";
    default:
      return "";
  }
}

}  // namespace

Unexpected fail_at(int error_number, std::string_view doing, const std::string& where) {
  std::string message(doing);
  message.append(" ").append(where).append(": ").append(text_of(error_number));
  message.append(mend_of(error_number));
  return fail(code_of(error_number), std::move(message));
}

}  // namespace dagsync
