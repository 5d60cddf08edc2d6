#include "posix/lease.h"

#include <fcntl.h>

#include <cerrno>
#include <csignal>

#include "posix/beneath.h"

namespace dagsync {

void ignore_lease_signals() {
  std::signal(SIGIO, SIG_IGN);
}

HeldLease::HeldLease(int fd) {
  auto file = reopen(fd, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) {
    // Another process has a lease of its own, and was told just now to give it up.
    if (file.error().number == EAGAIN) check_ = WriterCheck::kWriter;
    return;
  }
  if (::fcntl(file->get(), F_SETLEASE, F_RDLCK) == 0) {
    check_ = WriterCheck::kNone;
    file_ = std::move(*file);
  } else if (errno == EAGAIN) {
    check_ = WriterCheck::kWriter;
  }
}

HeldLease::~HeldLease() {
  if (file_) ::fcntl(file_.get(), F_SETLEASE, F_UNLCK);
}

WriterCheck check_writer(int fd) {
  return HeldLease(fd).check();
}

WriterCheck check_writer_of_opened(int fd) {
  if (::fcntl(fd, F_SETLEASE, F_RDLCK) != 0)
    return errno == EAGAIN ? WriterCheck::kWriter : WriterCheck::kUnknown;
  ::fcntl(fd, F_SETLEASE, F_UNLCK);
  return WriterCheck::kNone;
}

}  // namespace dagsync
