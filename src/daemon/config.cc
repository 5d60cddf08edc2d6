#include "daemon/config.h"

#include <toml++/toml.h>
#include <algorithm>

#include "daemon/config_conflicts.h"
#include "daemon/config_values.h"
#include "daemon/files.h"
#include "daemon/table_reader.h"
#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::int64_t kMaxSettleMs = 60'000;
constexpr std::int64_t kMaxSettleMaxMs = 3'600'000;

constexpr std::string_view kPathText = "give an absolute path in quotes";
constexpr std::string_view kPemText = "give the path of a PEM file in quotes";
constexpr std::string_view kDurationText = "give a time in quotes, e.g. \"10m\" or \"30d\"";
constexpr std::string_view kSizeText = "give a size in quotes, e.g. \"4GiB\"";

NodeConfig read_node(TableReader reader) {
  NodeConfig node;
  reader.text("name", "give this node's DNS name, as in its certificate, e.g. \"node1\"", node.name,
              parse_node_name, Need::kRequired);
  reader.texts("listen", "give a list of addresses, e.g. [\"0.0.0.0:7411\"]", node.listen,
               parse_address);
  reader.text("state_dir", kPathText, node.state_dir, parse_absolute_path);
  reader.text("control_socket", kPathText, node.control_socket, parse_socket);
  reader.text("http", "give an address in quotes, e.g. \"127.0.0.1:7412\", or \"\" for none",
              node.http, parse_http);
  reader.boolean("http_tls", node.http_tls);
  reader.boolean("http_insecure", node.http_insecure);
  reader.text("log_level", "give \"debug\", \"info\", \"warning\" or \"error\"", node.log_level,
              parse_log_level);
  reader.finish();
  return node;
}

TlsPaths read_tls(TableReader reader) {
  TlsPaths tls;
  reader.text("ca", kPemText, tls.ca, parse_file_name, Need::kRequired);
  reader.text("cert", kPemText, tls.cert, parse_file_name, Need::kRequired);
  reader.text("key", kPemText, tls.key, parse_file_name, Need::kRequired);
  reader.finish();
  return tls;
}

LogConfig read_log(TableReader reader) {
  LogConfig log;
  reader.text("file", kPathText, log.file, [](std::string_view text) {
    return text.empty() ? Result<std::string>(std::string()) : parse_absolute_path(text);
  });
  reader.text("max_size", kSizeText, log.max_size, parse_some_size);
  reader.integer("keep", "give a whole number from 0 to 100, e.g. 5", 0, 100,
                 [&](std::int64_t n) { log.keep = static_cast<std::size_t>(n); });
  reader.finish();
  return log;
}

void read_settling(TableReader& reader, FolderConfig& folder) {
  reader.integer("settle_ms", "give a whole number of milliseconds from 0 to 60000, e.g. 5", 0,
                 kMaxSettleMs,
                 [&](std::int64_t ms) { folder.settle = std::chrono::milliseconds(ms); });
  reader.integer(
      "settle_max_ms", "give a whole number of milliseconds from 1 to 3600000, e.g. 1000", 1,
      kMaxSettleMaxMs, [&](std::int64_t ms) { folder.settle_max = std::chrono::milliseconds(ms); });
  if (folder.settle_max < folder.settle) {
    reader.refuse("settle_max_ms", "is less than settle_ms: give at least that");
  }
}

FolderConfig read_folder(TableReader reader) {
  FolderConfig folder;
  reader.text("name", "give a name in quotes, e.g. \"dags\"", folder.name, parse_folder_name,
              Need::kRequired);
  reader.text("path", kPathText, folder.path, parse_root, Need::kRequired);
  reader.text("mode", "give \"sync\", \"send-only\" or \"receive-only\"", folder.mode, parse_mode);
  reader.texts("ignore", "give a list of patterns, e.g. [\"logs/\"]", folder.ignore, parse_pattern);
  reader.text("owner", "give \"keep\", a user or user:group in quotes", folder.owner, parse_owner);
  read_settling(reader, folder);
  reader.text("rescan_interval", kDurationText, folder.rescan_interval, parse_interval);
  reader.integer("max_delete_percent", "give a whole number from 1 to 100, e.g. 50", 1, 100,
                 [&](std::int64_t n) { folder.max_delete_percent = static_cast<int>(n); });
  reader.text("max_file_size", kSizeText, folder.max_file_size, parse_some_size);
  reader.text("versions_keep", kDurationText, folder.versions_keep, parse_interval);
  reader.text("versions_max_size", kSizeText, folder.versions_max_size, parse_size);
  reader.finish();
  return folder;
}

PeerConfig read_peer(TableReader reader) {
  PeerConfig peer;
  reader.text("name", "give the peer's DNS name, as in its certificate, e.g. \"node2\"", peer.name,
              parse_node_name, Need::kRequired);
  reader.texts("address", "give a list of addresses, e.g. [\"node2:7411\"]", peer.addresses,
               parse_address);
  std::vector<May> may = {May::kSend, May::kReceive};
  const std::string_view allowed = "give [\"send\"], [\"receive\"] or [\"send\", \"receive\"]";
  reader.texts("may", allowed, may, parse_may);
  if (may.empty()) reader.wrong("may", "allows nothing", allowed);
  peer.may_send = std::ranges::count(may, May::kSend) > 0;
  peer.may_receive = std::ranges::count(may, May::kReceive) > 0;
  reader.finish();
  return peer;
}

Result<HookConfig::On> parse_on(std::string_view text) {
  if (text == "applied") return HookConfig::On::kApplied;
  if (text == "conflict") return HookConfig::On::kConflict;
  if (text == "halted") return HookConfig::On::kHalted;
  return fail(ErrorCode::kInvalid,
              "is \"" + escape_bytes(text) + "\": give \"applied\", \"conflict\" or \"halted\"");
}

HookConfig read_hook(TableReader reader) {
  HookConfig hook;
  reader.text("on", "give \"applied\", \"conflict\" or \"halted\"", hook.on, parse_on,
              Need::kRequired);
  reader.text("folder", "give the name of a folder in quotes", hook.folder, parse_folder_name);
  reader.texts("match", "give a list of patterns, e.g. [\"*.py\"]", hook.match, parse_pattern);
  if (hook.on == HookConfig::On::kHalted && !hook.match.empty())
    reader.refuse("match", "has no meaning for a folder as a whole: leave it out");
  const std::string_view program = "give a program and its arguments, e.g. [\"/usr/bin/make\"]";
  reader.texts("run", program, hook.run, parse_argument);
  if (hook.run.empty()) {
    reader.wrong("run", "names no program", program);
  } else if (!hook.run.front().starts_with('/')) {
    reader.wrong("run", "does not begin with an absolute path", program);
  }
  reader.text("user", "give the name of a user in quotes", hook.user, parse_user);
  reader.text("timeout", kDurationText, hook.timeout, parse_interval);
  reader.finish();
  return hook;
}

// The whole file. Keeps the line of each folder and peer, for what concerns two of them.
class FileReader {
 public:
  FileReader(const toml::table& root, ConfigUse use, ConfigErrors& errors)
      : root_(root), reader_(root, "", errors), use_(use), errors_(errors) {}

  Config read() {
    if (const auto* table = section("node")) config_.node = read_node({*table, "node", errors_});
    if (const auto* table = section("tls")) config_.tls = read_tls({*table, "tls", errors_});
    if (const auto* table = section("log", Need::kOptional)) {
      config_.log = read_log({*table, "log", errors_});
    }
    each("folder", [this](const toml::table& table) {
      config_.folders.push_back(read_folder({table, "folder", errors_}));
      folders_.push_back(&table);
    });
    each("peer", [this](const toml::table& table) {
      config_.peers.push_back(read_peer({table, "peer", errors_}));
      peers_.push_back(&table);
    });
    const auto hook = [this](const toml::table& table) {
      config_.hooks.push_back(read_hook({table, "hook", errors_}));
      hooks_.push_back(&table);
    };
    each("hook", hook, Need::kOptional);
    reader_.finish();
    report_conflicts();
    return std::move(config_);
  }

 private:
  const toml::table* section(const std::string& key, Need need = Need::kRequired) {
    const std::string allowed = "write a table [" + key + "]";
    const toml::node* node = reader_.find(key, allowed, need);
    if (!node) return nullptr;
    if (!node->is_table()) reader_.wrong(key, std::string(type_of(*node)), allowed);
    return node->as_table();
  }

  template <typename Read>
  void each(const std::string& key, Read read) {
    each(key, read, use_ == ConfigUse::kDaemon ? Need::kRequired : Need::kOptional);
  }

  template <typename Read>
  void each(const std::string& key, Read read, Need need) {
    const std::string allowed = "write a table [[" + key + "]] for each " + key;
    const toml::node* node = reader_.find(key, allowed, need);
    if (!node) return;
    const toml::array* list = node->as_array();
    if (!list) return reader_.wrong(key, std::string(type_of(*node)), allowed);
    if (list->empty() && need == Need::kRequired) reader_.wrong(key, "is empty", allowed);
    for (const toml::node& item : *list) {
      if (item.is_table())
        read(*item.as_table());
      else
        reader_.wrong(key, "has a value that " + std::string(type_of(item)), allowed);
    }
  }

  // What concerns more than one value is reported at the line of the later one.
  void report_conflicts() {
    for (const ConfigConflict& conflict : find_conflicts(config_)) {
      const toml::table* table = root_[conflict.section].as_table();
      if (conflict.section == "folder") table = folders_[conflict.index];
      if (conflict.section == "peer") table = peers_[conflict.index];
      if (conflict.section == "hook") table = hooks_[conflict.index];
      if (!table) continue;
      TableReader(*table, conflict.section, errors_).refuse(conflict.key, conflict.what);
    }
  }

  const toml::table& root_;
  TableReader reader_;
  ConfigUse use_;
  ConfigErrors& errors_;
  Config config_;
  std::vector<const toml::table*> folders_;
  std::vector<const toml::table*> peers_;
  std::vector<const toml::table*> hooks_;
};

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& file, ConfigUse use) {
  ConfigErrors errors(escape_bytes(file));
  try {
    const toml::table root = toml::parse(text, file);
    Config config = FileReader(root, use, errors).read();
    if (!errors.empty()) return errors.to_error();
    return config;
  } catch (const toml::parse_error& error) {
    errors.add(error.source().begin.line,
               "is not TOML: " + escape_bytes(error.description()) + ": see https://toml.io");
    return errors.to_error();
  }
}

Result<Config> load_config(const std::string& path, ConfigUse use) {
  const auto content = read_small_file(path, kMaxFileBytes);
  if (!content) {
    Error error = content.error().with_context("cannot read the configuration");
    error.message += ": make it with `dagsync init`, or name it with --config or DAGSYNC_CONFIG";
    return Unexpected(std::move(error));
  }
  return parse_config(*content, path, use);
}

}  // namespace dagsync
