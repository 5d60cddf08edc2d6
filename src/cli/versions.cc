#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/daemon_command.h"
#include "cli/version_table.h"
#include "dagsync/base/rel_path.h"

namespace dagsync {

int run_versions(const std::string& config_path, const VersionsOptions& options) {
  const auto config = load_or_complain(config_path);
  if (!config) return kExitUsage;
  const std::string path = options.path.value_or("");
  return list_versions(
      config->node.control_socket,
      {{"command", "versions"},
       {"folder", or_null(options.folder)},
       {"path", path_for_daemon(path, *config)}},
      options.json,
      "no kept version of " + escape_bytes(path) + " on this node: the other nodes may have one",
      true);
}

}  // namespace dagsync
