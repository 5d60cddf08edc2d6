#include "csync2/toml_text.h"

#include <fmt/format.h>

namespace dagsync {
namespace {

constexpr std::size_t kWidth = 100;

// A basic string (TOML 1.0, "String"): backslash, quote and controls escaped.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (byte == '"' || byte == '\\') {
      out += {'\\', byte};
    } else if (code < 0x20 || code == 0x7F) {
      out += fmt::format("\\u{:04X}", code);
    } else {
      out += byte;
    }
  }
  return out + "\"";
}

}  // namespace

// A control character would end the comment, or be none.
void TomlText::lines(std::string_view text, std::string_view first, std::string_view next) {
  std::string clean(text);
  for (char& byte : clean) {
    if (static_cast<unsigned char>(byte) < 0x20) byte = ' ';
  }
  std::string_view rest = clean;
  for (std::string_view head = first; !rest.empty(); head = next) {
    const std::size_t width = kWidth - head.size();
    std::size_t end = rest.size();
    if (end > width) {
      end = rest.rfind(' ', width);
      if (end == std::string_view::npos || end == 0) end = std::min(rest.find(' '), rest.size());
    }
    text_ += fmt::format("{}{}\n", head, rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

void TomlText::comment(std::string_view text) {
  lines(text, "# ", "# ");
}

void TomlText::item(std::string_view text) {
  lines(text, "# - ", "#   ");
}

void TomlText::table(std::string_view header) {
  text_ += fmt::format("\n{}\n", header);
}

void TomlText::value(std::string_view key, std::string_view text) {
  text_ += fmt::format("{} = {}\n", key, quoted(text));
}

void TomlText::value(std::string_view key, const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts)
    list += (list.empty() ? "" : ", ") + quoted(text);
  text_ += fmt::format("{} = [{}]\n", key, list);
}

}  // namespace dagsync
