// A command that the daemon carries out: configuration, question, answer, exit status.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "cli/control_client.h"
#include "daemon/config.h"

namespace dagsync {

// The configuration; an error is printed, and the exit status is kExitUsage then.
[[nodiscard]] std::optional<Config> load_or_complain(const std::string& config_path,
                                                     ConfigUse use = ConfigUse::kDaemon);

// Prints what went wrong, gives `print` the answer where it has the member `key`, and returns the
// exit status.
[[nodiscard]] int conclude(const Result<nlohmann::json>& answer, const char* key,
                           const std::function<void(const nlohmann::json&)>& print);

// A PATH as the control socket wants it. The daemon takes it as absolute or relative to the folder;
// one that exists relative to the working directory and lies in a folder becomes absolute here.
[[nodiscard]] std::string path_for_daemon(const std::string& argument, const Config& config);

// The text as a string, or null.
[[nodiscard]] nlohmann::json or_null(const std::optional<std::string>& text);

}  // namespace dagsync
