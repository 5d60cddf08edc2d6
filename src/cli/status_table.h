// The status of a node as a page that a person likes to read.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace dagsync {

// `status` is the JSON of `dagsync status --json`. Ends in a newline.
[[nodiscard]] std::string format_status(const nlohmann::json& status, bool coloured);

}  // namespace dagsync
