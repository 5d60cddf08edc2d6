#include "csync2/csync2_scanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace dagsync {
namespace {

constexpr std::array<std::string_view, 24> kKeywords = {
    "nossl",        "ignore",   "database", "group",
    "host",         "exclude",  "include",  "compare",
    "key",          "auto",     "action",   "pattern",
    "exec",         "logfile",  "do-local", "do-local-only",
    "prefix",       "on",       "tempdir",  "backup-directory",
    "lock-timeout", "config",   "backup-generations", "no-cygwin-lowercase"};
constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kMarks = "{}();:@";
constexpr std::string_view kEndsString = " \t\r\n@;()#\"";
constexpr std::size_t kMaxWords = 1'000'000;

class Scanner {
 public:
  Scanner(const ReadCsync2File& read, std::vector<Csync2Word>& words)
      : read_(read), words_(words) {}

  Status scan(const std::string& file, std::string_view text, int depth) {
    int line = 1;
    while (true) {
      skip_blank(text, line);
      if (text.empty()) return {};
      if (words_.size() >= kMaxWords) return csync2_error(file, line, "too many words");
      if (text.front() == '"') {
        if (const Status quoted = take_quoted(file, text, line); !quoted) return quoted;
        continue;
      }
      const std::string_view string = text.substr(0, string_length(text));
      const bool is_keyword = std::find(kKeywords.begin(), kKeywords.end(), string) !=
                              kKeywords.end();
      if (string == "config") {
        text.remove_prefix(string.size());
        if (const Status included = include(file, text, line, depth); !included) return included;
        continue;
      }
      const bool is_mark = string.size() <= 1 && kMarks.find(text.front()) != kMarks.npos;
      if (!is_mark && string.empty()) {
        return csync2_error(file, line, fmt::format("'{}' is not expected", text.front()));
      }
      const std::string_view taken = is_mark ? text.substr(0, 1) : string;
      words_.push_back({is_mark      ? Csync2Word::Kind::kPunctuation
                        : is_keyword ? Csync2Word::Kind::kKeyword
                                     : Csync2Word::Kind::kString,
                        std::string(taken), file, line});
      text.remove_prefix(taken.size());
    }
  }

 private:
  static void skip_blank(std::string_view& text, int& line) {
    while (!text.empty()) {
      if (text.front() == '#') {
        text.remove_prefix(std::min(text.find_first_of("\r\n"), text.size()));
        continue;
      }
      if (kSpace.find(text.front()) == kSpace.npos) return;
      line += text.front() == '\n';
      text.remove_prefix(1);
    }
  }

  // A string may hold colons, and not end with one.
  static std::size_t string_length(std::string_view text) {
    std::size_t length = std::min(text.find_first_of(kEndsString), text.size());
    while (length > 0 && text[length - 1] == ':')
      --length;
    return length;
  }

  Status take_quoted(const std::string& file, std::string_view& text, int& line) {
    const std::size_t end = text.find('"', 1);
    if (end == std::string_view::npos) return csync2_error(file, line, "a string has no end");
    const std::string_view string = text.substr(1, end - 1);
    if (!string.empty()) {
      words_.push_back({Csync2Word::Kind::kString, std::string(string), file, line});
    }
    line += static_cast<int>(std::count(string.begin(), string.end(), '\n'));
    text.remove_prefix(end + 1);
    return {};
  }

  // config FILE…;
  Status include(const std::string& file, std::string_view& text, int& line, int depth) {
    while (true) {
      skip_blank(text, line);
      if (text.empty()) return csync2_error(file, line, "config has no ';'");
      if (text.front() == ';') {
        text.remove_prefix(1);
        return {};
      }
      const std::string name(text.substr(0, std::min(text.find_first_of(" \t\r\n;"), text.size())));
      text.remove_prefix(name.size());
      if (depth >= kMaxCsync2Includes) {
        return csync2_error(file, line, "config files are nested too deeply");
      }
      const auto content = read_(name);
      if (!content) return csync2_error(file, line, content.error().message);
      if (const Status scanned = scan(name, *content, depth + 1); !scanned) return scanned;
    }
  }

  const ReadCsync2File& read_;
  std::vector<Csync2Word>& words_;
};

}  // namespace

Unexpected csync2_error(const std::string& file, int line, const std::string& what) {
  return fail(ErrorCode::kInvalid, fmt::format("{}:{}: {}", file, line, what));
}

Result<std::vector<Csync2Word>> scan_csync2(const std::string& file, std::string_view text,
                                            const ReadCsync2File& read) {
  std::vector<Csync2Word> words;
  if (const Status scanned = Scanner(read, words).scan(file, text, 1); !scanned) {
    return Unexpected(scanned.error());
  }
  const int last_line = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  words.push_back({Csync2Word::Kind::kEnd, "", file, last_line});
  return words;
}

}  // namespace dagsync
