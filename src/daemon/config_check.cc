#include "daemon/config_check.h"

#include <nlohmann/json.hpp>

#include "daemon/hook_environment.h"
#include "daemon/owner.h"
#include "daemon/print_error.h"
#include "net/address.h"
#include "posix/folder_root.h"

namespace dagsync {
namespace {

// Nobody is answered before the check is over.
class NoCommands final : public ControlHandler {
 public:
  void handle(const nlohmann::json&, std::shared_ptr<ControlReply>) override {}
};

}  // namespace

void ConfigCheck::complain(const Error& error) {
  print_error(error);
  is_good_ = false;
}

Status ConfigCheck::bind(const std::string& key, const std::string& address) {
  const auto parsed = parse_host_port(address);
  if (!parsed) return Unexpected(parsed.error().with_context(key));
  const auto resolved = resolve_host(*parsed);
  if (!resolved) return Unexpected(resolved.error().with_context(key));
  bound_.push_back(std::make_unique<TcpListener>(
      loop_, key, TcpListener::Hooks{[](auto&&...) {}, [](auto&&...) {}}));
  for (const SocketAddress& one : *resolved) {
    if (Status listening = bound_.back()->listen(one); !listening) return listening;
  }
  return {};
}

void ConfigCheck::ports(const RunningDaemon* running) {
  const std::vector<std::string>& all = config_.node.listen;
  for (const std::string& address : running ? without_ports_of(*running, all) : all)
    note(bind("[node] listen", address));
  if (config_.node.http.empty()) return;
  const Status http = bind("[node] http", config_.node.http);
  const bool is_its_own = !http && running && http.error().code == ErrorCode::kExists;
  if (!is_its_own) note(http);
}

void ConfigCheck::control_socket(const WatchReadable& watch_readable) {
  NoCommands nothing;
  note(ControlServer::listen(config_.node.control_socket, watch_readable, nothing));
}

bool ConfigCheck::folder(const FolderConfig& folder, bool warns) {
  const bool is_there = note(FolderRoot(folder.path).identify(std::nullopt));
  const auto owner = owner_rule(folder);
  if (owner && warns) warn_of_owner(folder, *owner);
  return note(owner) && is_there;
}

void ConfigCheck::hooks() {
  for (const HookConfig& hook : config_.hooks)
    note(check_hook(hook));
}

}  // namespace dagsync
