#include "daemon/reload.h"

#include <algorithm>

namespace dagsync {

const FolderConfig* find_folder(const std::vector<FolderConfig>& folders, const std::string& name) {
  const auto it = std::find_if(folders.begin(), folders.end(),
                               [&](const FolderConfig& folder) { return folder.name == name; });
  return it == folders.end() ? nullptr : &*it;
}

std::vector<FolderConfig> folders_after_reload(const Config& before, const Config& now) {
  std::vector<FolderConfig> folders = now.folders;
  for (FolderConfig& folder : folders) {
    const FolderConfig* old = find_folder(before.folders, folder.name);
    if (old == nullptr) continue;
    folder.path = old->path;
    folder.owner = old->owner;
  }
  return folders;
}

std::vector<std::string> keys_that_need_a_restart(const Config& before, const Config& now) {
  std::vector<std::string> keys;
  const auto note = [&](bool changed, const std::string& key) {
    if (changed) keys.push_back(key);
  };
  const NodeConfig& old_node = before.node;
  const NodeConfig& node = now.node;
  note(node.name != old_node.name, "[node] name");
  note(node.listen != old_node.listen, "[node] listen");
  note(node.state_dir != old_node.state_dir, "[node] state_dir");
  note(node.control_socket != old_node.control_socket, "[node] control_socket");
  note(node.http != old_node.http, "[node] http");
  note(node.http_tls != old_node.http_tls, "[node] http_tls");
  note(node.http_insecure != old_node.http_insecure, "[node] http_insecure");
  note(now.log != before.log, "[log]");
  for (const FolderConfig& folder : now.folders) {
    const FolderConfig* old = find_folder(before.folders, folder.name);
    if (old == nullptr) continue;
    note(folder.path != old->path, "[[folder]] path of " + folder.name);
    note(folder.owner != old->owner, "[[folder]] owner of " + folder.name);
  }
  return keys;
}

}  // namespace dagsync
