#include "cli/version_table.h"

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/daemon_command.h"
#include "daemon/print_error.h"

namespace dagsync {

using nlohmann::json;

std::string format_versions(const json& versions, bool with_colours) {
  std::vector<std::vector<Cell>> rows(1);
  for (const char* title :
       {"KEPT AT", "REASON", "KIND", "SIZE", "ORIGIN", "FOLDER", "PATH", "ID"}) {
    rows[0].push_back({title, Colour::kBold, std::string_view(title) == "SIZE"});
  }
  for (const json& version : versions) {
    const std::string reason = text_at(version, "reason");
    rows.push_back({{text_at(version, "kept_at")},
                    {reason, reason == "conflict" ? Colour::kYellow : Colour::kNone},
                    {text_at(version, "kind")},
                    {format_size(number_at(version, "size")), Colour::kNone, true},
                    {text_at(version, "origin")},
                    {text_at(version, "folder")},
                    {text_at(version, "path")},
                    {text_at(version, "id")}});
  }
  return format_table(rows, with_colours);
}

int list_versions(const std::string& control_socket, const json& request, bool as_json,
                  const std::string& nothing, bool must_exist) {
  bool empty = false;
  const auto answer = call_daemon(control_socket, request);
  const int exit_status = conclude(answer, "versions", [&](const json& good) {
    const json& versions = list_at(good, "versions");
    empty = versions.empty();
    if (as_json)
      print_json(versions);
    else if (!empty)
      print(format_versions(versions, wants_colour()));
  });
  if (!empty || exit_status != 0) return exit_status;
  if (must_exist) {
    print_error(nothing);
    return kExitFailed;
  }
  if (!as_json) print(nothing + "\n");
  return 0;
}

}  // namespace dagsync
