#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/daemon_command.h"

namespace dagsync {

using nlohmann::json;

int run_resume(const std::string& config_path, const ResumeOptions& options) {
  const auto config = load_or_complain(config_path);
  if (!config) return kExitUsage;
  const auto answer =
      call_daemon(config->node.control_socket, {{"command", "resume"},
                                                {"folder", options.folder},
                                                {"accept_deletes", options.accept_deletes}});
  return conclude(answer, "done", [&](const json& good) {
    if (good.contains("error")) return;
    if (!flag_at(good, "resumed")) return print(options.folder + " is not halted: nothing to do\n");
    print("resumed " + options.folder +
          (options.accept_deletes ? ": what is missing is deleted on every node\n"
                                  : ": what is missing comes back from the peers\n"));
  });
}

}  // namespace dagsync
