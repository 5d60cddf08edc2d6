#include "daemon/config_conflicts.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "daemon/config_values.h"
#include "dagsync/base/rel_path.h"
#include "net/address.h"

namespace dagsync {
namespace {

using Conflicts = std::vector<ConfigConflict>;

std::string relation(const std::string& path, const std::string& other) {
  if (path == other) return "is also the path of";
  return is_within(path, other) ? "lies inside" : "holds";
}

void find_between(const Config& config, std::size_t index, std::size_t earlier, Conflicts& out) {
  const FolderConfig& a = config.folders[index];
  const FolderConfig& b = config.folders[earlier];
  if (!a.name.empty() && a.name == b.name) {
    out.push_back({"folder", index, "name",
                   "is \"" + a.name + "\" a second time: give each folder a name of its own"});
  }
  if (a.path.empty() || b.path.empty()) return;
  if (!is_within(a.path, b.path) && !is_within(b.path, a.path)) return;
  out.push_back({"folder", index, "path",
                 relation(a.path, b.path) + " folder \"" + b.name + "\" (" + escape_bytes(b.path) +
                     "): give folders that lie beside each other"});
}

// Nothing of dagsync's own stands in a folder, and no folder among its own files.
void find_own_files(const NodeConfig& node, const FolderConfig& folder, Conflicts& out) {
  if (folder.path.empty()) return;
  const std::string inside = "lies inside folder \"" + folder.name + "\": move it out of there";
  if (is_within(node.state_dir, folder.path)) {
    out.push_back({"node", 0, "state_dir", inside});
  } else if (is_within(folder.path, node.state_dir)) {
    out.push_back(
        {"node", 0, "state_dir", "holds folder \"" + folder.name + "\": move it elsewhere"});
  }
  if (is_within(node.control_socket, folder.path)) {
    out.push_back({"node", 0, "control_socket", inside});
  }
}

void find_in_peers(const Config& config, Conflicts& out) {
  std::set<NodeName> seen;
  for (std::size_t i = 0; i < config.peers.size(); ++i) {
    const NodeName& name = config.peers[i].name;
    if (name.value.empty()) continue;
    const std::string is = "is \"" + name.value + "\"";
    if (name == config.node.name) {
      out.push_back({"peer", i, "name", is + ", this node itself: name the others only"});
    } else if (!seen.insert(name).second) {
      out.push_back(
          {"peer", i, "name", is + " a second time: give all addresses of a peer in one list"});
    }
  }
}

// Whoever reaches it can read the names of all files.
void find_in_http(const NodeConfig& node, Conflicts& out) {
  if (node.http.empty()) return;
  if (node.http_tls && node.http_insecure) {
    out.push_back({"node", 0, "http_insecure", "is true, and so is http_tls: choose one"});
  }
  const auto address = parse_host_port(node.http);
  if (!address || is_loopback(address->host) || node.http_tls || node.http_insecure) return;
  out.push_back({"node", 0, "http",
                 "is \"" + node.http +
                     "\", which other machines can reach, in plain text: set http_tls = true, or "
                     "http_insecure = true where a firewall or a proxy stands before it, or give "
                     "an address of 127.0.0.1"});
}

void find_in_hooks(const Config& config, Conflicts& out) {
  for (std::size_t i = 0; i < config.hooks.size(); ++i) {
    const std::string& name = config.hooks[i].folder;
    const bool known = std::any_of(config.folders.begin(), config.folders.end(),
                                   [&](const FolderConfig& folder) { return folder.name == name; });
    if (name.empty() || known) continue;
    out.push_back(
        {"hook", i, "folder",
         "is \"" + name + "\", which is no [[folder]]: name one, or leave it out for all"});
  }
}

// Where the symlinks of the path lead, as far as it exists.
std::string resolve(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::weakly_canonical(path, error);
  return error ? path : real.string();
}

}  // namespace

Status check_resolved(const Config& config) {
  Config resolved = config;
  resolved.node.state_dir = resolve(config.node.state_dir);
  resolved.node.control_socket = resolve(config.node.control_socket);
  if (!config.log.file.empty()) resolved.log.file = resolve(config.log.file);
  for (FolderConfig& folder : resolved.folders)
    folder.path = resolve(folder.path);
  const auto value = [](const Config& of, const ConfigConflict& one) {
    if (one.section == "folder") return of.folders[one.index].path;
    if (one.section == "log") return of.log.file;
    return one.key == "state_dir" ? of.node.state_dir : of.node.control_socket;
  };
  std::string all;
  for (const ConfigConflict& one : find_conflicts(resolved)) {
    all += (all.empty() ? "" : "\n") + one.section + " " + one.key + " " +
           escape_bytes(value(config, one)) + ", which is " + escape_bytes(value(resolved, one)) +
           ", " + one.what;
  }
  return all.empty() ? Status() : fail(ErrorCode::kInvalid, all);
}

std::vector<ConfigConflict> find_conflicts(const Config& config) {
  Conflicts out;
  for (std::size_t i = 0; i < config.folders.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j)
      find_between(config, i, j, out);
    find_own_files(config.node, config.folders[i], out);
    if (!config.log.file.empty() && is_within(config.log.file, config.folders[i].path)) {
      out.push_back(
          {"log", 0, "file",
           "lies inside folder \"" + config.folders[i].name + "\": move it out of there"});
    }
  }
  find_in_peers(config, out);
  find_in_http(config.node, out);
  find_in_hooks(config, out);
  return out;
}

}  // namespace dagsync
