#include <doctest/doctest.h>

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "dagsync/base/rel_path.h"

using dagsync::escape_bytes;

namespace {

// Undoes escape_bytes: what a person reads must name exactly one path.
std::string unescape(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
    } else if (text.at(i + 1) == '\\') {
      bytes += '\\';
      ++i;
    } else {
      REQUIRE(text.at(i + 1) == 'x');
      bytes += static_cast<char>(std::stoi(text.substr(i + 2, 2), nullptr, 16));
      i += 3;
    }
  }
  return bytes;
}

}  // namespace

TEST_CASE("bytes that a person cannot read are shown as numbers") {
  struct Row {
    std::string bytes;
    std::string shown;
  };
  using namespace std::string_literals;
  const std::vector<Row> table = {
      {"", ""},
      {"plain name.py", "plain name.py"},
      {"back\\slash", "back\\\\slash"},
      {"new\nline", "new\\x0aline"},
      {"tab\t", "tab\\x09"},
      {"\x1b[31mred", "\\x1b[31mred"},
      {"del\x7f", "del\\x7f"},
      {"nul\0"s, "nul\\x00"},
      {"\xC3\xA9", "\xC3\xA9"},                      // é
      {"\xE2\x82\xAC", "\xE2\x82\xAC"},              // the euro sign
      {"\xF0\x9F\x90\x8D", "\xF0\x9F\x90\x8D"},      // a snake, four bytes
      {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},      // the last code point
      {"\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // beyond it
      {"\xE9t\xE9", "\\xe9t\\xe9"},                  // Latin-1
      {"\xC0\x80", "\\xc0\\x80"},                    // overlong NUL
      {"\xC1\xBF", "\\xc1\\xbf"},                    // overlong
      {"\xE0\x80\x80", "\\xe0\\x80\\x80"},           // overlong
      {"\xF0\x80\x80\x80", "\\xf0\\x80\\x80\\x80"},  // overlong
      {"\xED\xA0\x80", "\\xed\\xa0\\x80"},           // a surrogate
      {"\xE2\x82", "\\xe2\\x82"},                    // cut off
      {"a\xE2\x82z", "a\\xe2\\x82z"},                // cut off in the middle
      {"\x80", "\\x80"},                             // a continuation alone
      {"\xFF\xC3\xA9", "\\xff\xC3\xA9"},             // good again after bad
      {"\xF8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"},
  };
  for (const Row& row : table) {
    CAPTURE(row.bytes);
    CHECK(escape_bytes(row.bytes) == row.shown);
    CHECK(unescape(row.shown) == row.bytes);
  }
}

TEST_CASE("what is shown has no control characters and names exactly one path") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random() % 12, '\0');
    for (char& byte : bytes)
      byte = static_cast<char>(random() % 4 == 0 ? random() % 128 : random() % 256);
    const std::string shown = escape_bytes(bytes);
    for (const char c : shown) {
      const auto byte = static_cast<unsigned char>(c);
      REQUIRE(byte >= 0x20);
      REQUIRE(byte != 0x7F);
    }
    REQUIRE(unescape(shown) == bytes);
  }
}
