#include "daemon/daemon.h"

#include <cstdio>

namespace dagsync {

int run_daemon(const DaemonOptions&) {
  std::fputs("dagsync: the daemon is not built in\n", stderr);
  return 1;
}

}  // namespace dagsync
