// Which paths are not replicated: gitignore's rules over three layers of lines. Pure, and immutable
// once made: any thread may ask, and asking does not allocate.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/rel_path.h"
#include "dagsync/core/ignore_pattern.h"

namespace dagsync {

inline constexpr std::string_view kIgnoreFileName = ".dagsyncignore";  // in the folder's root
inline constexpr std::size_t kMaxIgnorePatterns = 10'000;  // of the user, in both layers
// Comparisons of a path with all lines of the user; a few milliseconds. 10,000 plain lines and a
// path ten directories deep take a tenth of them; a path that takes more is compared with no further
// line of the user, so that nobody can stop a node with lines and paths made for that.
inline constexpr std::size_t kMaxIgnoreSteps = 1 << 20;

// The last line that matches a path decides; nothing below an ignored directory can be taken back.
class IgnoreRules {
 public:
  // The built-in lines, then `configured` ([[folder]] ignore, a line each), then the text of the
  // folder's .dagsyncignore: a later line overrules an earlier one. `.dagsync-*` stays ignored.
  explicit IgnoreRules(const std::vector<std::string>& configured = {},
                       std::string_view file_text = {});

  [[nodiscard]] bool ignores(const RelPath& path, bool is_directory) const;

  // Whether a built-in line is enough for that, or ignores a directory above: nobody misses such a
  // file when its directory is deleted elsewhere. Not so where a line of the user took it back, and
  // not below a directory that only the user ignores.
  [[nodiscard]] bool is_built_in_ignored(const RelPath& path, bool is_directory) const;

  // There were more than kMaxIgnorePatterns lines; those beyond are not heeded.
  [[nodiscard]] bool is_truncated() const { return is_truncated_; }

 private:
  enum class Verdict { kKept, kBuiltIn, kUser };

  void add_user_text(std::string_view text);
  [[nodiscard]] Verdict judge(std::string_view path, bool is_directory) const;
  [[nodiscard]] Verdict judge_one(std::string_view path, bool is_directory,
                                  std::size_t& steps_left) const;

  std::vector<IgnorePattern> built_in_;
  std::vector<IgnorePattern> user_;  // in the order of the layers
  bool is_truncated_ = false;
};

}  // namespace dagsync
