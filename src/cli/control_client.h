// The other end of the control socket (src/daemon/control_server.h): asks the daemon and waits.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "dagsync/base/result.h"
#include "dagsync/base/time.h"

namespace dagsync {

struct CallOptions {
  std::optional<Duration> patience;  // none: as long as it takes
  std::function<void(const nlohmann::json&)> on_progress;
};

// Sends one request and gives back the last line of the answer. Blocks. Any error means that no
// daemon answered: kUnavailable nobody is there, it went away or took too long; kPermission we may
// not ask; kCorrupt what came is no answer.
[[nodiscard]] Result<nlohmann::json> call_daemon(const std::string& socket_path,
                                                 const nlohmann::json& request,
                                                 const CallOptions& options = {});

}  // namespace dagsync
