#include "cli/daemon_command.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/console.h"
#include "daemon/config_values.h"
#include "daemon/path_argument.h"
#include "daemon/print_error.h"

namespace dagsync {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kMaxExit = 125;  // those above are the shell's

// The path as the folder's own [[folder]] path begins, also where a symlink leads there.
std::optional<std::string> below_folder(const fs::path& absolute, const FolderConfig& folder) {
  if (is_within(absolute.string(), folder.path)) return absolute.string();
  std::error_code error;
  const fs::path real = fs::canonical(absolute.parent_path(), error) / absolute.filename();
  if (error) return std::nullopt;
  const std::string root = fs::canonical(folder.path, error).string();
  if (error || !is_within(real.string(), root)) return std::nullopt;
  return folder.path + real.string().substr(root.size());
}

}  // namespace

std::optional<Config> load_or_complain(const std::string& config_path, ConfigUse use) {
  auto config = load_config(config_path, use);
  if (config) return std::move(*config);
  print_error(config.error());
  return std::nullopt;
}

int conclude(const Result<json>& answer, const char* key,
             const std::function<void(const json&)>& print_answer) {
  if (!answer) {
    print_error(answer.error());
    return kExitNoDaemon;
  }
  const auto error = answer->find("error");
  const bool failed = error != answer->end() && error->is_string();
  if (answer->contains(key)) print_answer(*answer);
  if (failed) print_error(error->get_ref<const std::string&>());
  const int status = std::clamp(static_cast<int>(number_at(*answer, "exit")), 0, kMaxExit);
  return failed && status == 0 ? kExitFailed : status;
}

std::string path_for_daemon(const std::string& argument, const Config& config) {
  std::error_code error;
  if (argument.empty() || argument.starts_with('/')) return path_to_json(argument);
  fs::path absolute = (fs::current_path(error) / argument).lexically_normal();
  if (error) return path_to_json(argument);
  if (!absolute.has_filename()) absolute = absolute.parent_path();  // it ended in a slash
  if (!fs::exists(fs::symlink_status(absolute, error))) return path_to_json(argument);
  for (const FolderConfig& folder : config.folders) {
    if (const auto below = below_folder(absolute, folder)) return path_to_json(*below);
  }
  return path_to_json(argument);
}

json or_null(const std::optional<std::string>& text) {
  return text ? json(*text) : json();
}

}  // namespace dagsync
