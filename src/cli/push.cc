#include <unistd.h>

#include <charconv>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/daemon_command.h"
#include "daemon/config_values.h"
#include "daemon/one_shot.h"
#include "daemon/print_error.h"
#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

using nlohmann::json;

constexpr double kPatienceSeconds = 30;  // beyond --timeout: the daemon keeps that itself

int usage_error(const std::string& message) {
  print_error(message);
  return kExitUsage;
}

// None: all. Checked by the command line already.
std::optional<std::size_t> number_of(const std::string& min_acks) {
  std::size_t number = 0;
  const auto result = std::from_chars(min_acks.data(), min_acks.data() + min_acks.size(), number);
  return result.ec == std::errc() ? std::optional(number) : std::nullopt;
}

Duration to_duration(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

std::string acknowledgement_line(const json& node) {
  const std::string name = text_at(node, "name");
  if (flag_at(node, "acknowledged")) {
    return name + "  acknowledged after " + format_seconds(number_at(node, "seconds")) + "\n";
  }
  const std::string error = text_at(node, "error");
  return name + "  not acknowledged" + (error.empty() ? "" : ": " + error) + "\n";
}

void print_result(const json& answer, bool as_json) {
  if (as_json) {
    return print_json({{"folder", answer.value("folder", json())},
                       {"sequence", answer.value("sequence", json())},
                       {"nodes", answer["nodes"]},
                       {"not_pushed", list_at(answer, "not_pushed")}});
  }
  for (const json& node : list_at(answer, "nodes"))
    print(acknowledgement_line(node));
}

// One line on standard error, written over until all is done.
void show_progress(const json& progress) {
  std::size_t done = 0;
  std::string missing;
  const json& nodes = list_at(progress, "nodes");
  for (const json& node : nodes) {
    if (flag_at(node, "acknowledged"))
      ++done;
    else
      missing += (missing.empty() ? ": waiting for " : ", ") + text_at(node, "name");
  }
  const std::string line = "\r\x1b[K" + std::to_string(done) + " of " +
                           count_of(static_cast<double>(nodes.size()), "node") + " have it" +
                           missing;
  std::fputs(line.c_str(), stderr);
}

int push_through_daemon(const Config& config, const PushOptions& options) {
  json request = {{"command", "push"},
                  {"folder", or_null(options.folder)},
                  {"paths", json::array()},
                  {"timeout", options.timeout}};
  for (const std::string& path : options.paths) {
    request["paths"].push_back(path_for_daemon(path, config));
  }
  const auto min_acks = number_of(options.min_acks);
  request["min_acks"] = min_acks ? json(*min_acks) : json("all");

  const bool terminal = is_terminal(STDERR_FILENO);
  CallOptions call;
  call.patience = to_duration(options.timeout + kPatienceSeconds);
  if (terminal) call.on_progress = show_progress;
  const auto answer = call_daemon(config.node.control_socket, request, call);
  if (terminal) std::fputs("\r\x1b[K", stderr);
  return conclude(answer, "nodes", [&](const json& good) {
    print_result(good, options.json);
    for (const json& left : list_at(good, "not_pushed")) {
      print_error("not pushed: " + text_at(left, "path") + ": " + text_at(left, "error"));
    }
  });
}

int push_without_daemon(const std::string& config_path, const PushOptions& options) {
  if (!options.paths.empty()) {
    return usage_error("push --to sends all of --from: leave PATH out, or --to");
  }
  for (const std::string& target : options.to) {
    if (const auto address = parse_address(target); !address) {
      return usage_error("--to " + address.error().message);
    }
  }
  std::error_code error;
  if (!std::filesystem::is_directory(options.from, error)) {
    return usage_error("--from " + escape_bytes(options.from) +
                       " is no directory: name the folder to push");
  }
  auto config = load_or_complain(config_path, ConfigUse::kOneShot);
  if (!config) return kExitUsage;
  OneShotPush push{.config = std::move(*config),
                   .targets = options.to,
                   .from = options.from,
                   .folder = options.folder.value_or(""),
                   .delete_missing = options.delete_missing,
                   .dry_run = options.dry_run,
                   .min_acks = number_of(options.min_acks),
                   .timeout = to_duration(options.timeout),
                   .json = options.json};
  return push_once(push);
}

}  // namespace

int run_push(const std::string& config_path, const PushOptions& options) {
  if (!options.to.empty()) return push_without_daemon(config_path, options);
  const auto config = load_or_complain(config_path);
  return config ? push_through_daemon(*config, options) : kExitUsage;
}

}  // namespace dagsync
