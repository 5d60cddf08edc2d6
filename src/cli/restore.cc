#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/daemon_command.h"

namespace dagsync {

using nlohmann::json;

int run_restore(const std::string& config_path, const RestoreOptions& options) {
  const auto config = load_or_complain(config_path);
  if (!config) return kExitUsage;
  const auto answer =
      call_daemon(config->node.control_socket, {{"command", "restore"},
                                                {"folder", or_null(options.folder)},
                                                {"path", path_for_daemon(options.path, *config)},
                                                {"version", or_null(options.version)}});
  return conclude(answer, "version", [](const json& good) {
    const json& version = good["version"];
    print("restored " + text_at(version, "path") + " in " + text_at(version, "folder") + ": " +
          text_at(version, "kind") + ", " + format_size(number_at(version, "size")) + ", kept at " +
          text_at(version, "kept_at") + ", from " + text_at(version, "origin") + "\n");
  });
}

}  // namespace dagsync
