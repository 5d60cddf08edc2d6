#include "daemon/status_json.h"

#include <nlohmann/json.hpp>

namespace dagsync {
namespace {

using nlohmann::json;

const char* name_of(FolderState state) {
  switch (state) {
    case FolderState::kScanning:
      return "scanning";
    case FolderState::kSyncing:
      return "syncing";
    case FolderState::kIdle:
      return "idle";
    case FolderState::kHalted:
      return "halted";
  }
  return "";
}

const char* name_of(KeptVersion::Reason reason) {
  switch (reason) {
    case KeptVersion::Reason::kConflict:
      return "conflict";
    case KeptVersion::Reason::kReplaced:
      return "replaced";
    case KeptVersion::Reason::kDeleted:
      return "deleted";
  }
  return "";
}

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::kTombstone:
      return "nothing";
    case Kind::kDirectory:
      return "directory";
    case Kind::kFile:
      return "file";
    case Kind::kSymlink:
      return "symlink";
  }
  return "";
}

std::string json_path(const RelPath& path) {
  return path.is_root() ? "." : to_utf8(path.bytes());
}

json moment(const std::optional<UnixNanos>& when) {
  return when ? json(to_rfc3339(*when)) : json();
}

json number(const std::optional<double>& value) {
  return value ? json(*value) : json();
}

json to_json(const FolderStatus& folder) {
  json errors = json::array();
  for (const PathError& error : folder.errors) {
    errors.push_back({{"path", json_path(error.path)},
                      {"error", to_utf8(error.error)},
                      {"since", to_rfc3339(error.since)}});
  }
  json peers = json::array();
  for (const FolderPeerStatus& peer : folder.peers) {
    peers.push_back({{"name", peer.name.value},
                     {"counted", peer.counted},
                     {"in_sync", peer.in_sync},
                     {"accepts", peer.accepts},
                     {"behind_files", peer.behind_files},
                     {"behind_bytes", peer.behind_bytes},
                     {"acked_sequence", peer.acked_sequence},
                     {"lag_seconds", peer.lag_seconds}});
  }
  return {{"name", folder.name},
          {"path", to_utf8(folder.path)},
          {"mode", folder.mode},
          {"state", name_of(folder.state)},
          {"state_reason", to_utf8(folder.state_reason)},
          {"paused", folder.paused},
          {"files", folder.files},
          {"directories", folder.directories},
          {"bytes", folder.bytes},
          {"sequence", folder.sequence},
          {"pending_changes", folder.pending_changes},
          {"conflicts", folder.conflicts},
          {"drift", folder.drift},
          {"watches", folder.watches},
          {"errors", std::move(errors)},
          {"peers", std::move(peers)}};
}

json to_json(const PeerStatus& peer) {
  json sees = json::array();
  for (const NodeName& name : peer.sees)
    sees.push_back(name.value);
  return {{"name", peer.name.value},
          {"address", peer.address},
          {"connected", peer.connected},
          {"version", peer.version},
          {"rtt_ms", number(peer.rtt_ms)},
          {"clock_offset_ms", number(peer.clock_offset_ms)},
          {"last_seen", moment(peer.last_seen)},
          {"bytes_sent", peer.bytes_sent},
          {"bytes_received", peer.bytes_received},
          {"certificate_expires", moment(peer.certificate_expires)},
          {"connected_to", std::move(sees)},
          {"trouble", to_utf8(peer.trouble)}};
}

json to_json(const HookStatus& hook) {
  json run = json::array();
  for (const std::string& argument : hook.run)
    run.push_back(to_utf8(argument));
  return {{"on", hook.on},
          {"folder", hook.folder},
          {"run", std::move(run)},
          {"running", hook.running},
          {"waiting", hook.waiting},
          {"left_out", hook.left_out},
          {"runs", hook.runs},
          {"failures", hook.failures},
          {"last_exit", hook.last_exit ? json(*hook.last_exit) : json()},
          {"last_end", moment(hook.last_end)},
          {"last_error", to_utf8(hook.last_error)}};
}

}  // namespace

json to_json(const NodeStatus& status, std::string_view version) {
  json folders = json::array();
  for (const FolderStatus& folder : status.folders)
    folders.push_back(to_json(folder));
  json peers = json::array();
  for (const PeerStatus& peer : status.peers)
    peers.push_back(to_json(peer));
  json hooks = json::array();
  for (const HookStatus& hook : status.hooks)
    hooks.push_back(to_json(hook));
  return {{"node", status.name.value},
          {"version", version},
          {"uptime_seconds", status.uptime_seconds},
          {"in_sync", status.in_sync},
          {"certificate_expires", moment(status.certificate_expires)},
          {"warnings", status.warnings},
          {"listen", status.listen},
          {"folders", std::move(folders)},
          {"peers", std::move(peers)},
          {"hooks", std::move(hooks)}};
}

json not_pushed_json(const std::map<RelPath, std::string>& reasons) {
  json list = json::array();
  for (const auto& [path, why] : reasons)
    list.push_back({{"path", json_path(path)}, {"error", to_utf8(why)}});
  return list;
}

json to_json(const KeptVersion& version, const std::string& folder) {
  const Content& content = version.content;
  return {{"folder", folder},
          {"path", json_path(version.path)},
          {"id", version.id.value},
          {"kind", name_of(content.kind)},
          {"size", content.size},
          {"mode", content.mode},
          {"mtime_ns", content.mtime.value},
          {"digest", to_hex(content.digest)},
          {"origin", version.origin.value},
          {"kept_at", to_rfc3339(version.kept_at)},
          {"reason", name_of(version.reason)}};
}

}  // namespace dagsync
