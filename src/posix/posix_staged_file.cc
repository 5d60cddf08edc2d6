#include "posix/posix_staged_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "dagsync/base/assert.h"
#include "posix/beneath.h"
#include "posix/contents.h"
#include "posix/disk_error.h"
#include "posix/posix_read_file.h"
#include "posix/times.h"

namespace dagsync {
namespace {

const std::string kStagedFile = "a staged file";
constexpr std::uint64_t kMinReserved = 1 << 20;  // below it a file system does well by itself
// Beyond, what was written goes to the disk at the pace of the writing: left to the kernel, it goes
// in floods, and a save beside it waits.
constexpr std::uint64_t kWrittenBackFrom = 512 << 20;
constexpr std::uint64_t kCopyStep = 16 << 20;

Unexpected source_ended() {
  return fail(ErrorCode::kUnavailable, "a file became shorter while it was copied");
}

}  // namespace

PosixStagedFile::PosixStagedFile(UniqueFd file, TempName name, Owners& owners)
    : owners_(owners), writing_(std::move(file)) {
  thing_.type = FileType::kFile;
  thing_.name = std::move(name);
}

// A name that was never completed does not know yet what it holds.
PosixStagedFile::~PosixStagedFile() {
  if (!writing_ || !thing_.name) return;
  if (const auto look = look_at(writing_.get())) thing_.name.holds(look->state.inode);
}

Result<std::unique_ptr<StagedFile>> PosixStagedFile::start(UniqueFd file, TempName name,
                                                           std::uint64_t size, Owners& owners) {
  std::unique_ptr<PosixStagedFile> staged(
      new PosixStagedFile(std::move(file), std::move(name), owners));
  if (size >= kMinReserved) {
    const int fd = staged->writing_.get();
    staged->reserved_ = ::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)) == 0;
    if (!staged->reserved_ && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
      return fail_at(errno, "make room for", kStagedFile);
  }
  return staged;
}

Status PosixStagedFile::append(std::string_view bytes) {
  DAGSYNC_ASSERT(writing_);
  const auto wrote = write_all(writing_.get(), written_, bytes);
  if (!wrote) return fail_at(wrote.error().number, "write", kStagedFile);
  return advance(bytes.size());
}

// By as much again as was written, until it has caught up.
Status PosixStagedFile::advance(std::uint64_t length) {
  written_ += length;
  if (written_ < kWrittenBackFrom) return {};
  const std::uint64_t until = std::min(written_, written_back_ + 2 * length + kWriteBackStep);
  while (written_back_ + kWriteBackStep <= until) {
    const auto gone = write_back(writing_.get(), written_back_, kWriteBackStep);
    if (!gone) return fail_at(gone.error().number, "write", kStagedFile);
    written_back_ += kWriteBackStep;
  }
  return {};
}

Status PosixStagedFile::append_from(ReadFile& source, std::uint64_t offset, std::uint64_t length) {
  DAGSYNC_ASSERT(writing_);
  const auto* file = dynamic_cast<const PosixReadFile*>(&source);
  if (file == nullptr) return append_by_reading(source, offset, length);
  while (length > 0) {
    const std::uint64_t step = std::min(length, kCopyStep);
    const auto copied = copy_range(file->fd(), offset, writing_.get(), written_, step);
    if (!copied) return fail_at(copied.error().number, "copy to", kStagedFile);
    if (const Status gone = advance(*copied); !gone) return gone;
    if (*copied < step) return source_ended();
    offset += step;
    length -= step;
  }
  return {};
}

Status PosixStagedFile::append_by_reading(ReadFile& source, std::uint64_t offset,
                                          std::uint64_t length) {
  std::vector<char> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(length, kReadBytes)));
  while (length > 0) {
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(length, buffer.size()));
    const auto got = source.read(offset, std::span(buffer.data(), step));
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) return source_ended();
    const auto appended = append(std::string_view(buffer.data(), *got));
    if (!appended) return appended;
    offset += *got;
    length -= *got;
  }
  return {};
}

Status PosixStagedFile::finish(const Attributes& attributes) {
  DAGSYNC_ASSERT(writing_);
  const auto completed = complete(attributes);
  if (!completed) return fail_at(completed.error().number, "finish", kStagedFile);
  // Before the file can be seen, or we were the writer that others wait for.
  writing_.reset();
  return {};
}

Sys<void> PosixStagedFile::complete(const Attributes& attributes) {
  const int fd = writing_.get();
  if (reserved_ && ::ftruncate(fd, static_cast<off_t>(written_)) != 0) return sys_error();
  if (!thing_.name) {
    auto reading = reopen(fd, O_RDONLY);
    if (!reading) return tl::unexpected(reading.error());
    thing_.inode = std::move(*reading);
  }
  thing_.owner = owners_.for_new(attributes.owner);
  const auto gave = give(fd, thing_.owner);
  if (!gave) return tl::unexpected(gave.error());
  thing_.gave = *gave;
  if (::fchmod(fd, attributes.mode & kFileModeBits) != 0) return sys_error();
  if (attributes.mtime) {
    const auto times = times_with_mtime(*attributes.mtime);
    if (::futimens(fd, times.data()) != 0) return sys_error();
  }
  const auto look = look_at(fd);
  if (!look) return tl::unexpected(look.error());
  thing_.made = look->state;
  thing_.name.holds(look->state.inode);
  return {};
}

}  // namespace dagsync
