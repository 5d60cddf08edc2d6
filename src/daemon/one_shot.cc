#include "daemon/one_shot.h"

#include <cstdio>

namespace dagsync {

int push_once(const OneShotPush&) {
  std::fputs("dagsync: push --to is not built in\n", stderr);
  return 1;
}

}  // namespace dagsync
