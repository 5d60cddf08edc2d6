// csync2's configuration as words. The rules are those of its scanner: the longest match wins, a
// keyword before a string of the same length, and a string takes braces but none of `@;()#"`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "csync2/csync2_config.h"

namespace dagsync {

struct Csync2Word {
  enum class Kind {
    kEnd,
    kString,      // text
    kKeyword,     // text
    kPunctuation  // text: one of {}();:@
  };
  Kind kind = Kind::kEnd;
  std::string text;
  std::string file;
  int line = 0;

  [[nodiscard]] bool is(std::string_view keyword_or_mark) const {
    return (kind == Kind::kKeyword || kind == Kind::kPunctuation) && text == keyword_or_mark;
  }
};

// All words of the file and of those that `config` lines name, kEnd last.
[[nodiscard]] Result<std::vector<Csync2Word>> scan_csync2(const std::string& file,
                                                          std::string_view text,
                                                          const ReadCsync2File& read);

[[nodiscard]] Unexpected csync2_error(const std::string& file, int line, const std::string& what);

}  // namespace dagsync
