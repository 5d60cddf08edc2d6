// Status and kept versions as the JSON of the command line.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "dagsync/engine/status.h"
#include "dagsync/ports/store.h"

namespace dagsync {

[[nodiscard]] nlohmann::json to_json(const NodeStatus& status, std::string_view version);
[[nodiscard]] nlohmann::json to_json(const KeptVersion& version, const std::string& folder);

}  // namespace dagsync
