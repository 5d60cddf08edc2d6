#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/daemon_command.h"
#include "cli/status_table.h"

namespace dagsync {
namespace {

using nlohmann::json;

constexpr double kStatusPatienceSeconds =
    30;  // beyond a --wait: a daemon answers within milliseconds

Result<json> ask(const Config& config, std::optional<double> wait) {
  json request = {{"command", "status"}};
  if (wait) request["wait"] = *wait;
  CallOptions options;
  options.patience = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(wait.value_or(0) + kStatusPatienceSeconds));
  return call_daemon(config.node.control_socket, request, options);
}

std::string page_of(const Result<json>& answer) {
  if (!answer) return answer.error().message + "\n";
  if (answer->contains("status")) return format_status((*answer)["status"], wants_colour());
  return text_at(*answer, "error") + "\n";
}

// The page over the one before: line by line, so that nothing flickers.
std::string redrawn(const std::string& page) {
  std::string out = "\x1b[H";
  for (const char c : page) {
    if (c == '\n') out += "\x1b[K";
    out += c;
  }
  return out + "\x1b[J";
}

// Until interrupted.
int watch(const Config& config) {
  const bool terminal = is_terminal(1);
  Result<json> answer = ask(config, std::nullopt);
  if (!answer) return conclude(answer, "status", [](const json&) {});
  if (terminal) print("\x1b[2J");
  while (true) {
    print(terminal ? redrawn(page_of(answer)) : page_of(answer) + "\n");
    std::this_thread::sleep_for(std::chrono::seconds(1));
    answer = ask(config, std::nullopt);
  }
}

}  // namespace

int run_status(const std::string& config_path, const StatusOptions& options) {
  const auto config = load_or_complain(config_path);
  if (!config) return kExitUsage;
  if (options.watch) return watch(*config);
  const auto answer = ask(*config, options.wait);
  const int exit_status = conclude(answer, "status", [&](const json& good) {
    if (options.json)
      print_json(good["status"]);
    else
      print(format_status(good["status"], wants_colour()));
  });
  if (exit_status != 0) return exit_status;
  return flag_at((*answer)["status"], "in_sync") ? 0 : kExitFailed;
}

}  // namespace dagsync
