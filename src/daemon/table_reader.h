// Takes one table of a TOML file apart key by key, each with a line that says what is allowed. It
// notes what it was asked for, so that whatever is left is unknown, and errors are collected
// instead of stopping at the first: a person mends a file once.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dagsync/base/result.h"

namespace dagsync {

// What is wrong with a file, in the order of its lines.
class ConfigErrors {
 public:
  explicit ConfigErrors(std::string file) : file_(std::move(file)) {}

  void add(toml::source_index line, const std::string& what) { errors_.insert({line, what}); }
  void add_key(toml::source_index line, const std::string& key, const std::string& what) {
    add(line, "key `" + key + "`: " + what);
  }
  [[nodiscard]] bool empty() const { return errors_.empty(); }
  // kInvalid: "file:line: what" for each, the first 50 of them.
  [[nodiscard]] Unexpected to_error() const;

 private:
  std::string file_;
  std::multimap<toml::source_index, std::string> errors_;
};

// "is a list" and so on.
[[nodiscard]] std::string_view type_of(const toml::node& node);

enum class Need { kOptional, kRequired };

// `table` and `errors` must outlive it. Where a key is missing or bad, what it would set stays; of
// a list the good values are taken.
class TableReader {
 public:
  // `name` is that of the table, for people: "node"; "" of the file itself.
  TableReader(const toml::table& table, std::string name, ConfigErrors& errors)
      : table_(table), name_(std::move(name)), errors_(errors) {}

  // A string that `parse` takes, which gives a Result with the value for `out`.
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

  void boolean(const std::string& key, bool& out);

  // An error at the line of the key: "what: allowed", or what it says itself.
  void wrong(const std::string& key, const std::string& what, std::string_view allowed);
  void refuse(const std::string& key, const std::string& what);

  // Every key that nothing asked for is unknown.
  void finish();

  // nullptr: missing, which is an error where it is required.
  [[nodiscard]] const toml::node* find(const std::string& key, std::string_view allowed, Need need);

 private:
  template <typename T, typename Parse>
  bool take(const std::string& key, toml::source_index line, const std::string& value, T& out,
            Parse parse) {
    auto parsed = parse(value);
    if (parsed)
      out = std::move(*parsed);
    else
      errors_.add_key(line, full(key), parsed.error().message);
    return parsed.has_value();
  }

  [[nodiscard]] toml::source_index line_of(const std::string& key) const;
  [[nodiscard]] std::string full(const std::string& key) const;
  [[nodiscard]] std::string mend_of(const std::string& word) const;

  const toml::table& table_;
  std::string name_;
  ConfigErrors& errors_;
  std::vector<std::string> known_;
};

}  // namespace dagsync
