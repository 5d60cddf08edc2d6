// Status and kept versions as the JSON of the command line.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "dagsync/engine/status.h"
#include "dagsync/ports/store.h"

namespace dagsync {

[[nodiscard]] nlohmann::json to_json(const NodeStatus& status, std::string_view version);
[[nodiscard]] nlohmann::json to_json(const KeptVersion& version, const std::string& folder);
// What a push does not send, and why: a list of {"path", "error"}.
[[nodiscard]] nlohmann::json not_pushed_json(const std::map<RelPath, std::string>& reasons);

}  // namespace dagsync
