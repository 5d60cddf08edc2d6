#include "posix/contents.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "posix/sys.h"

namespace dagsync {
namespace {

constexpr std::size_t kBufferBytes = 256 << 10;
constexpr std::uint64_t kMaxCopyStep = 64 << 20;  // of one system call

// copy_file_range does not go between these two, or not in this kernel.
bool must_copy_by_hand(int number) {
  return is_unsupported(number) || number == EXDEV || number == EPERM || number == EIO ||
         number == ETXTBSY;
}

Sys<std::uint64_t> copy_by_hand(int from, std::uint64_t from_offset, int to,
                                std::uint64_t to_offset, std::uint64_t length) {
  std::vector<char> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(length, kBufferBytes)));
  std::uint64_t done = 0;
  while (done < length) {
    const auto step =
        static_cast<std::size_t>(std::min<std::uint64_t>(length - done, kBufferBytes));
    const auto got = read_full(from, from_offset + done, std::span(buffer.data(), step));
    if (!got) return tl::unexpected(got.error());
    const auto written = write_all(to, to_offset + done, std::string_view(buffer.data(), *got));
    if (!written) return tl::unexpected(written.error());
    done += *got;
    if (*got < step) break;
  }
  return done;
}

}  // namespace

Sys<void> write_all(int fd, std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return sys_error();
    if (wrote == 0) return sys_error(EIO);
    offset += static_cast<std::uint64_t>(wrote);
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Sys<std::size_t> read_full(int fd, std::uint64_t offset, std::span<char> buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t got =
        ::pread(fd, buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return sys_error();
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Sys<std::uint64_t> copy_range(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset,
                              std::uint64_t length) {
  std::uint64_t done = 0;
  while (done < length) {
    auto in = static_cast<off64_t>(from_offset + done);
    auto out = static_cast<off64_t>(to_offset + done);
    const auto step = static_cast<std::size_t>(std::min(length - done, kMaxCopyStep));
    const ssize_t got = ::copy_file_range(from, &in, to, &out, step, 0);
    if (got > 0) {
      done += static_cast<std::uint64_t>(got);
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && !must_copy_by_hand(errno)) return sys_error();
    // Also where it says "the end": some file systems do so for files that do not end there.
    const auto rest = copy_by_hand(from, from_offset + done, to, to_offset + done, length - done);
    if (!rest) return rest;
    return done + *rest;
  }
  return done;
}

Sys<void> write_back(int fd, std::uint64_t offset, std::uint64_t length) {
  constexpr unsigned kAndWait =
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  const int code =
      ::sync_file_range(fd, static_cast<off_t>(offset), static_cast<off_t>(length), kAndWait);
  if (code == 0 || errno == ENOSYS) return {};
  return sys_error();
}

Sys<bool> same_contents(int a, int b) {
  std::vector<char> of_a(kBufferBytes);
  std::vector<char> of_b(kBufferBytes);
  for (std::uint64_t offset = 0;; offset += kBufferBytes) {
    const auto got_a = read_full(a, offset, of_a);
    if (!got_a) return tl::unexpected(got_a.error());
    const auto got_b = read_full(b, offset, of_b);
    if (!got_b) return tl::unexpected(got_b.error());
    if (*got_a != *got_b || !std::equal(of_a.data(), of_a.data() + *got_a, of_b.data()))
      return false;
    if (*got_a < kBufferBytes) return true;
  }
}

}  // namespace dagsync
