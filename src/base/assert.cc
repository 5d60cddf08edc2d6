#include "dagsync/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace dagsync {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "dagsync: bug: %s does not hold at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace dagsync
