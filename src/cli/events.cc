#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/daemon_command.h"
#include "dagsync/base/log.h"

namespace dagsync {
namespace {

using nlohmann::json;

// "2026-11-21T06:17:00.123Z  applied  dags: etl/load.py  node2  changed"
std::string event_line(const json& event) {
  std::string line = text_at(event, "time") + "  " + fmt::format("{:<12}", text_at(event, "kind"));
  const std::string folder = text_at(event, "folder");
  const std::string path = text_at(event, "path");
  if (!folder.empty()) line += "  " + folder + (path.empty() ? "" : ": " + path);
  for (const char* key : {"node", "what"}) {
    const std::string text = text_at(event, key);
    if (!text.empty()) line += "  " + text;
  }
  return line + "\n";
}

}  // namespace

int run_events(const std::string& config_path, const EventsOptions& options) {
  const auto config = load_or_complain(config_path);
  if (!config) return kExitUsage;
  // Whole lines were written already: interrupting is the proper end.
  for (const int signal : {SIGINT, SIGTERM})
    std::signal(signal, [](int) { _exit(0); });
  CallOptions call;
  call.on_progress = [&](const json& what) {
    if (what.contains("following")) {
      std::fputs(("following " + text_at(what, "following") + ", until interrupted\n").c_str(),
                 stderr);
    } else if (options.json) {
      print(what.dump() + "\n");
    } else {
      print(event_line(what));
    }
  };
  const auto answer = call_daemon(config->node.control_socket, {{"command", "events"}}, call);
  return conclude(answer, "events", [](const json&) {});
}

}  // namespace dagsync
