#include "daemon/table_reader.h"

#include <algorithm>

#include "daemon/config_values.h"
#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

constexpr std::size_t kMaxErrors = 50;  // shown; more help nobody

}  // namespace

Unexpected ConfigErrors::to_error() const {
  std::string message;
  std::size_t shown = 0;
  for (const auto& [line, what] : errors_) {
    if (shown++ == kMaxErrors) break;
    if (!message.empty()) message += '\n';
    message += file_ + ":" + std::to_string(line) + ": " + what;
  }
  return fail(ErrorCode::kInvalid, message);
}

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

void TableReader::boolean(const std::string& key, bool& out) {
  constexpr std::string_view kAllowed = "give true or false, without quotes";
  const toml::node* node = find(key, kAllowed, Need::kOptional);
  if (!node) return;
  if (!node->is_boolean()) return wrong(key, std::string(type_of(*node)), kAllowed);
  out = **node->as_boolean();
}

void TableReader::wrong(const std::string& key, const std::string& what, std::string_view allowed) {
  refuse(key, what + ": " + std::string(allowed));
}

void TableReader::refuse(const std::string& key, const std::string& what) {
  errors_.add_key(line_of(key), full(key), what);
}

void TableReader::finish() {
  for (const auto& [key, node] : table_) {
    const std::string word(key.str());
    if (std::ranges::find(known_, word) != known_.end()) continue;
    errors_.add_key(key.source().begin.line, full(escape_bytes(word)),
                    "is unknown: " + mend_of(word));
  }
}

const toml::node* TableReader::find(const std::string& key, std::string_view allowed, Need need) {
  known_.push_back(key);
  const toml::node* node = table_.get(key);
  if (!node && need == Need::kRequired) wrong(key, "is missing", allowed);
  return node;
}

toml::source_index TableReader::line_of(const std::string& key) const {
  const toml::node* node = table_.get(key);
  return std::max<toml::source_index>(1, (node ? *node : table_).source().begin.line);
}

std::string TableReader::full(const std::string& key) const {
  return name_.empty() ? key : name_ + "." + key;
}

std::string TableReader::mend_of(const std::string& word) const {
  if (const auto near = nearest_word(word, known_))
    return "did you mean `" + full(std::string(*near)) + "`?";
  std::string names;
  for (const std::string& name : known_)
    names += (names.empty() ? "" : ", ") + name;
  return "known here are " + names;
}

}  // namespace dagsync
