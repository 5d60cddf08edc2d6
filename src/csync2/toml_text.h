// Writes TOML that a person goes on editing. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dagsync {

class TomlText {
 public:
  void comment(std::string_view text);  // wrapped, on lines of its own
  void item(std::string_view text);     // the same, as one of a list
  void table(std::string_view header);  // "[node]", "[[peer]]"
  void value(std::string_view key, std::string_view text);
  void value(std::string_view key, const std::vector<std::string>& texts);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  // Wrapped: the first line behind `first`, the others behind `next`.
  void lines(std::string_view text, std::string_view first, std::string_view next);

  std::string text_;
};

}  // namespace dagsync
