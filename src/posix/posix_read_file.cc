#include "posix/posix_read_file.h"

#include "posix/contents.h"
#include "posix/disk_error.h"
#include "posix/lease.h"
#include "posix/look.h"

namespace dagsync {

Result<DiskState> PosixReadFile::state() {
  const auto look = look_at(file_.get());
  if (!look) return fail_at(look.error().number, "look at", name_);
  return look->state;
}

Result<std::size_t> PosixReadFile::read(std::uint64_t offset, std::span<char> buffer) {
  const auto got = read_full(file_.get(), offset, buffer);
  if (!got) return fail_at(got.error().number, "read", name_);
  return *got;
}

WriterCheck PosixReadFile::check_writer() {
  return check_writer_of_opened(file_.get());
}

}  // namespace dagsync
