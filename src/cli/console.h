// What every command prints alike: tables, sizes, times.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace dagsync {

void print(std::string_view text);             // on standard output
void print_json(const nlohmann::json& value);  // indented

[[nodiscard]] bool is_terminal(int fd);
// Whether standard output takes colours: a terminal, and NO_COLOR is not set.
[[nodiscard]] bool wants_colour();

enum class Colour { kNone, kGreen, kYellow, kRed, kBold };

struct Cell {
  std::string text;
  Colour colour = Colour::kNone;
  bool right = false;  // numbers stand at the right
};

// Columns as wide as their widest cell, two spaces between them; the first row is the heading.
[[nodiscard]] std::string format_table(const std::vector<std::vector<Cell>>& rows, bool coloured);
[[nodiscard]] std::string coloured(std::string_view text, Colour colour, bool enabled);

[[nodiscard]] std::string format_size(double bytes);       // "7.0 MiB"
[[nodiscard]] std::string format_seconds(double seconds);  // "0.012 s", "3 min 5 s", "2 d 4 h"
[[nodiscard]] std::string count_of(double n, std::string_view one);  // "1 file", "3 files"

// Members of what the daemon sent, by their type; empty, 0 or false where there is none of it.
// Control characters of a text come escaped, so that nothing can write to the terminal.
[[nodiscard]] std::string text_at(const nlohmann::json& object, const char* key);
[[nodiscard]] double number_at(const nlohmann::json& object, const char* key);
[[nodiscard]] bool flag_at(const nlohmann::json& object, const char* key);
[[nodiscard]] const nlohmann::json& list_at(const nlohmann::json& object, const char* key);

}  // namespace dagsync
