// "Does anybody have this file open for writing?" The kernel refuses a read lease while somebody
// does, a writable mapping included. The question costs two system calls.
#pragma once

#include "dagsync/ports/disk.h"
#include "posix/unique_fd.h"

namespace dagsync {

// A lease keeps writers waiting in their open(), so it is held for a few system calls at most. Its
// break is announced by SIGIO, whose default ends the process: call this once, early.
void ignore_lease_signals();

// Of a regular file, by any descriptor of it, O_PATH too. kUnknown: the file is not ours and we
// lack CAP_LEASE, we may not read it, or its file system knows no leases.
[[nodiscard]] WriterCheck check_writer(int fd);
// The same by a descriptor that is open for reading only, and has no lease.
[[nodiscard]] WriterCheck check_writer_of_opened(int fd);

// Keeps writers out while it lives, where check() says kNone.
class HeldLease {
 public:
  explicit HeldLease(int fd);
  HeldLease(const HeldLease&) = delete;
  HeldLease& operator=(const HeldLease&) = delete;
  ~HeldLease();
  [[nodiscard]] WriterCheck check() const { return check_; }

 private:
  UniqueFd file_;
  WriterCheck check_ = WriterCheck::kUnknown;
};

}  // namespace dagsync
