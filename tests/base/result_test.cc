#include "dagsync/base/result.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <vector>

using dagsync::Error;
using dagsync::error_code_of;
using dagsync::ErrorCode;
using dagsync::Result;
using dagsync::Status;

TEST_CASE("a failure of the system becomes what the code must decide by") {
  struct Row {
    int number;
    ErrorCode code;
  };
  const std::vector<Row> table = {
      {ENOENT, ErrorCode::kNotFound},
      {ENOTDIR, ErrorCode::kNotFound},
      {EEXIST, ErrorCode::kExists},
      {ENOTEMPTY, ErrorCode::kExists},
      {EACCES, ErrorCode::kPermission},
      {EPERM, ErrorCode::kPermission},
      {EROFS, ErrorCode::kPermission},
      {ENOSPC, ErrorCode::kNoSpace},
      {EDQUOT, ErrorCode::kNoSpace},
      {EIO, ErrorCode::kIo},
      {EINVAL, ErrorCode::kUnsupported},
      {ENOSYS, ErrorCode::kUnsupported},
      {EOPNOTSUPP, ErrorCode::kUnsupported},
      {EAGAIN, ErrorCode::kUnavailable},
      {EBUSY, ErrorCode::kUnavailable},
      {EMFILE, ErrorCode::kUnavailable},
      {ELOOP, ErrorCode::kIo},
  };
  for (const Row& row : table) {
    CAPTURE(row.number);
    CHECK(error_code_of(row.number) == row.code);
  }
}

TEST_CASE("a failed call says what was being done and why it failed") {
  const Status status = dagsync::fail_errno(ENOSPC, "write dags/a.py");
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().code == ErrorCode::kNoSpace);
  CHECK(status.error().message == "write dags/a.py: No space left on device");
}

TEST_CASE("context is put in front and the code stays") {
  const Error inner{ErrorCode::kPermission, "permission denied: chmod it"};
  const Error outer = inner.with_context("read a.py").with_context("scan");
  CHECK(outer.code == ErrorCode::kPermission);
  CHECK(outer.message == "scan: read a.py: permission denied: chmod it");
}

TEST_CASE("a result is a value or an error") {
  const Result<int> value = 7;
  const Result<int> error = dagsync::fail(ErrorCode::kInvalid, "no");
  CHECK(value.has_value());
  CHECK(*value == 7);
  REQUIRE_FALSE(error.has_value());
  CHECK(error.error().message == "no");
}
