#include "daemon/version.h"

namespace dagsync {

std::string_view dagsync_version() {
  return DAGSYNC_VERSION;
}

}  // namespace dagsync
