#include "net/system_random.h"

#include <sys/random.h>

#include <cerrno>

#include "dagsync/base/assert.h"

namespace dagsync {

std::uint64_t SystemRandom::next() {
  std::uint64_t value = 0;
  ssize_t got;
  do {  // up to 256 bytes come whole; a signal can interrupt only while the pool is not yet seeded
    got = ::getrandom(&value, sizeof value, 0);
  } while (got < 0 && errno == EINTR);
  DAGSYNC_ASSERT(got == static_cast<ssize_t>(sizeof value));
  return value;
}

}  // namespace dagsync
