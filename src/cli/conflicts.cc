#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/daemon_command.h"
#include "cli/version_table.h"

namespace dagsync {

int run_conflicts(const std::string& config_path, const VersionsOptions& options) {
  const auto config = load_or_complain(config_path);
  if (!config) return kExitUsage;
  return list_versions(config->node.control_socket,
                       {{"command", "conflicts"}, {"folder", or_null(options.folder)}},
                       options.json, "no conflicts", false);
}

}  // namespace dagsync
