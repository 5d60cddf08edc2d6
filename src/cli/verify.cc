#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/daemon_command.h"

namespace dagsync {
namespace {

using nlohmann::json;

// One line on standard error, written over until all is read.
void show_verify_progress(const json& progress) {
  std::string nodes;
  for (const json& node : list_at(progress, "nodes")) {
    nodes += (nodes.empty() ? "" : ", ") + text_at(node, "name") + " " +
             std::to_string(static_cast<long long>(number_at(node, "compared")));
  }
  const std::string line =
      "\r\x1b[Kcompared of " + count_of(number_at(progress, "paths"), "path") + ": " + nodes;
  std::fputs(line.c_str(), stderr);
}

json result_of(const json& answer) {
  return {{"identical", answer.value("identical", json())},
          {"files", answer.value("files", json())},
          {"differences", list_at(answer, "differences")},
          {"repaired", list_at(answer, "repaired")}};
}

std::string difference_line(const json& difference) {
  return text_at(difference, "folder") + ": " + text_at(difference, "path") + "  on " +
         text_at(difference, "node") + ": " + text_at(difference, "problem") + "\n";
}

void print_verified(const json& answer) {
  const json& differences = list_at(answer, "differences");
  const json& repaired = list_at(answer, "repaired");
  for (const json& difference : differences)
    print(difference_line(difference));
  for (const json& each : repaired)
    print("repaired  " + difference_line(each));
  const auto count = static_cast<double>(differences.size());
  print(count_of(number_at(answer, "files"), "file") + " read: " +
        (flag_at(answer, "identical") ? "identical on every node" : count_of(count, "difference")) +
        "\n");
}

}  // namespace

int run_verify(const std::string& config_path, const VerifyOptions& options) {
  const auto config = load_or_complain(config_path);
  if (!config) return kExitUsage;
  const bool terminal = is_terminal(STDERR_FILENO);
  CallOptions call;
  if (terminal) call.on_progress = show_verify_progress;
  const auto answer = call_daemon(
      config->node.control_socket,
      {{"command", "verify"}, {"folder", or_null(options.folder)}, {"repair", options.repair}},
      call);
  if (terminal) std::fputs("\r\x1b[K", stderr);
  return conclude(answer, "identical", [&](const json& good) {
    if (options.json) {
      print_json(result_of(good));
    } else {
      print_verified(good);
    }
  });
}

}  // namespace dagsync
