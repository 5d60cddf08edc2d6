// `dagsync pause` and `dagsync resume`.
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
    std::string what = "what is missing comes back from the peers";
    if (flag_at(good, "was_paused")) what = "what happened since the pause is taken in";
    if (options.accept_deletes) what = "what is missing is deleted on every node";
    print("resumed " + options.folder + ": " + what + "\n");
  });
}

int run_pause(const std::string& config_path, const PauseOptions& options) {
  const auto config = load_or_complain(config_path);
  if (!config) return kExitUsage;
  const auto answer =
      call_daemon(config->node.control_socket, {{"command", "pause"}, {"folder", options.folder}});
  return conclude(answer, "done", [&](const json& good) {
    if (good.contains("error")) return;
    if (!flag_at(good, "paused")) return print(options.folder + " is paused already\n");
    print("paused " + options.folder + ": nothing comes in or leaves until `dagsync resume " +
          options.folder + "`\n");
  });
}

}  // namespace dagsync
