// The idea: a TableReader takes one table apart key by key, each with a line that says what is
// allowed. It notes what it was asked for, so that whatever is left is unknown, and it collects
// errors instead of stopping at the first: a person mends a file once.
#include "daemon/config.h"

#include <toml++/toml.h>
#include <algorithm>
#include <map>

#include "daemon/config_conflicts.h"
#include "daemon/config_values.h"
#include "daemon/files.h"
#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMaxErrors = 50;  // shown; more help nobody
constexpr std::int64_t kMaxSettleMs = 60'000;
constexpr std::int64_t kMaxSettleMaxMs = 3'600'000;

// Errors, in the order of their lines.
class Report {
 public:
  explicit Report(std::string file) : file_(std::move(file)) {}

  void add(toml::source_index line, const std::string& what) { errors_.insert({line, what}); }
  void add_key(toml::source_index line, const std::string& key, const std::string& what) {
    add(line, "key `" + key + "`: " + what);
  }
  [[nodiscard]] bool empty() const { return errors_.empty(); }
  [[nodiscard]] Unexpected to_error() const {
    std::string message;
    std::size_t shown = 0;
    for (const auto& [line, what] : errors_) {
      if (shown++ == kMaxErrors) break;
      if (!message.empty()) message += '\n';
      message += file_ + ":" + std::to_string(line) + ": " + what;
    }
    return fail(ErrorCode::kInvalid, message);
  }

 private:
  std::string file_;
  std::multimap<toml::source_index, std::string> errors_;
};

std::string_view type_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::none:
      return "is nothing";
    case toml::node_type::table:
      return "is a table";
    case toml::node_type::array:
      return "is a list";
    case toml::node_type::string:
      return "is a string";
    case toml::node_type::integer:
      return "is a whole number";
    case toml::node_type::floating_point:
      return "is a number with a point";
    case toml::node_type::boolean:
      return "is true or false";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "is a date or time";
  }
  return "is something else";
}

enum class Need { kOptional, kRequired };

class TableReader {
 public:
  TableReader(const toml::table& table, std::string name, Report& report)
      : table_(table), name_(std::move(name)), report_(report) {}

  // A string that `parse` takes, as its value in `out`; left alone where the key is missing or bad.
  template <typename T, typename Parse>
  void text(const std::string& key, std::string_view allowed, T& out, Parse parse,
            Need need = Need::kOptional) {
    const toml::node* node = find(key, allowed, need);
    if (!node) return;
    if (!node->is_string()) return wrong(key, std::string(type_of(*node)), allowed);
    take(key, node->source().begin.line, **node->as_string(), out, parse);
  }

  template <typename T, typename Parse>
  void texts(const std::string& key, std::string_view allowed, std::vector<T>& out, Parse parse) {
    const toml::node* node = find(key, allowed, Need::kOptional);
    if (!node) return;
    if (!node->is_array()) return wrong(key, std::string(type_of(*node)), allowed);
    std::vector<T> values;
    for (const toml::node& item : *node->as_array()) {
      if (!item.is_string()) {
        wrong(key, "has a value that " + std::string(type_of(item)), allowed);
        continue;
      }
      T value{};
      if (take(key, item.source().begin.line, **item.as_string(), value, parse)) {
        values.push_back(std::move(value));
      }
    }
    out = std::move(values);
  }

  template <typename Use>
  void integer(const std::string& key, std::string_view allowed, std::int64_t least,
               std::int64_t most, Use use) {
    const toml::node* node = find(key, allowed, Need::kOptional);
    if (!node) return;
    if (!node->is_integer()) return wrong(key, std::string(type_of(*node)), allowed);
    const std::int64_t value = **node->as_integer();
    if (value < least || value > most) return wrong(key, "is " + std::to_string(value), allowed);
    use(value);
  }

  void boolean(const std::string& key, bool& out) {
    constexpr std::string_view kAllowed = "give true or false, without quotes";
    const toml::node* node = find(key, kAllowed, Need::kOptional);
    if (!node) return;
    if (!node->is_boolean()) return wrong(key, std::string(type_of(*node)), kAllowed);
    out = **node->as_boolean();
  }

  void wrong(const std::string& key, const std::string& what, std::string_view allowed) {
    refuse(key, what + ": " + std::string(allowed));
  }
  void refuse(const std::string& key, const std::string& what) {
    report_.add_key(line_of(key), full(key), what);
  }

  // Every key that nothing asked for is unknown.
  void finish() {
    for (const auto& [key, node] : table_) {
      const std::string word(key.str());
      if (std::ranges::find(known_, word) != known_.end()) continue;
      report_.add_key(key.source().begin.line, full(escape_bytes(word)),
                      "is unknown: " + mend_of(word));
    }
  }

  const toml::node* find(const std::string& key, std::string_view allowed, Need need) {
    known_.push_back(key);
    const toml::node* node = table_.get(key);
    if (!node && need == Need::kRequired) wrong(key, "is missing", allowed);
    return node;
  }

  [[nodiscard]] toml::source_index line_of(const std::string& key) const {
    const toml::node* node = table_.get(key);
    return std::max<toml::source_index>(1, (node ? *node : table_).source().begin.line);
  }

 private:
  template <typename T, typename Parse>
  bool take(const std::string& key, toml::source_index line, const std::string& value, T& out,
            Parse parse) {
    auto parsed = parse(value);
    if (parsed)
      out = std::move(*parsed);
    else
      report_.add_key(line, full(key), parsed.error().message);
    return parsed.has_value();
  }

  [[nodiscard]] std::string full(const std::string& key) const {
    return name_.empty() ? key : name_ + "." + key;
  }

  [[nodiscard]] std::string mend_of(const std::string& word) const {
    if (const auto near = nearest_word(word, known_))
      return "did you mean `" + full(std::string(*near)) + "`?";
    std::string names;
    for (const std::string& name : known_)
      names += (names.empty() ? "" : ", ") + name;
    return "known here are " + names;
  }

  const toml::table& table_;
  std::string name_;
  Report& report_;
  std::vector<std::string> known_;
};

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
  FileReader(const toml::table& root, ConfigUse use, Report& report)
      : root_(root), reader_(root, "", report), use_(use), report_(report) {}

  Config read() {
    if (const auto* table = section("node")) config_.node = read_node({*table, "node", report_});
    if (const auto* table = section("tls")) config_.tls = read_tls({*table, "tls", report_});
    if (const auto* table = section("log", Need::kOptional)) {
      config_.log = read_log({*table, "log", report_});
    }
    each("folder", [this](const toml::table& table) {
      config_.folders.push_back(read_folder({table, "folder", report_}));
      folders_.push_back(&table);
    });
    each("peer", [this](const toml::table& table) {
      config_.peers.push_back(read_peer({table, "peer", report_}));
      peers_.push_back(&table);
    });
    const auto hook = [this](const toml::table& table) {
      config_.hooks.push_back(read_hook({table, "hook", report_}));
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
      TableReader(*table, conflict.section, report_).refuse(conflict.key, conflict.what);
    }
  }

  const toml::table& root_;
  TableReader reader_;
  ConfigUse use_;
  Report& report_;
  Config config_;
  std::vector<const toml::table*> folders_;
  std::vector<const toml::table*> peers_;
  std::vector<const toml::table*> hooks_;
};

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& file, ConfigUse use) {
  Report report(escape_bytes(file));
  try {
    const toml::table root = toml::parse(text, file);
    Config config = FileReader(root, use, report).read();
    if (!report.empty()) return report.to_error();
    return config;
  } catch (const toml::parse_error& error) {
    report.add(error.source().begin.line,
               "is not TOML: " + escape_bytes(error.description()) + ": see https://toml.io");
    return report.to_error();
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
