// Kept versions, as `dagsync conflicts` and `dagsync versions` list them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace dagsync {

// `versions` is the list of interface.md. Ends in a newline.
[[nodiscard]] std::string format_versions(const nlohmann::json& versions, bool coloured);

// Asks for the list with `request`, prints it, and returns the exit status; `nothing` is said of an
// empty list, as an error where `must_exist`.
[[nodiscard]] int list_versions(const std::string& control_socket, const nlohmann::json& request,
                                bool as_json, const std::string& nothing, bool must_exist);

}  // namespace dagsync
