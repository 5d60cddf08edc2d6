#include "dagsync/core/ignore.h"

#include <algorithm>
#include <array>
#include <utility>

#include "dagsync/base/assert.h"

namespace dagsync {
namespace {

// What programs make beside people's files, and what no other node can use: bytecode, repositories,
// editors' swap, backup, probe and lock files, leftovers of file systems.
constexpr std::array<std::string_view, 16> kBuiltIn = {
    "__pycache__/", "*.pyc", "*.pyo", ".git/", ".hg/",    ".svn/",     "*.swp", "*.swo",
    "*.swx",        "4913",  "*~",    ".#*",   "\\#*\\#", ".DS_Store", ".nfs*", ".fuse_hidden*"};

// What dagsync itself may have to put into a folder for a moment; no line of a user publishes it.
constexpr std::string_view kOwnPrefix = ".dagsync-";

}  // namespace

IgnoreRules::IgnoreRules(const std::vector<std::string>& configured, std::string_view file_text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (file_text.starts_with(kByteOrderMark)) file_text.remove_prefix(kByteOrderMark.size());
  for (const std::string_view line : kBuiltIn) {
    auto pattern = IgnorePattern::compile(line);
    DAGSYNC_ASSERT(pattern.has_value());
    built_in_.push_back(std::move(*pattern));
  }
  for (const std::string& line : configured)
    add_user_text(line);
  add_user_text(file_text);
}

void IgnoreRules::add_user_text(std::string_view text) {
  while (!text.empty() && !is_truncated_) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    auto pattern = IgnorePattern::compile(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!pattern) continue;
    is_truncated_ = user_.size() == kMaxIgnorePatterns;
    if (!is_truncated_) user_.push_back(std::move(*pattern));
  }
}

bool IgnoreRules::ignores(const RelPath& path, bool is_directory) const {
  return judge(path.bytes(), is_directory) != Verdict::kKept;
}

bool IgnoreRules::is_built_in_ignored(const RelPath& path, bool is_directory) const {
  return judge(path.bytes(), is_directory) == Verdict::kBuiltIn;
}

// The first directory from the root on that is ignored decides for all below it.
IgnoreRules::Verdict IgnoreRules::judge(std::string_view path, bool is_directory) const {
  if (path.empty()) return Verdict::kKept;  // the folder itself
  std::size_t steps_left = kMaxIgnoreSteps;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    const Verdict verdict = judge_one(path.substr(0, slash), true, steps_left);
    if (verdict != Verdict::kKept) return verdict;
  }
  return judge_one(path, is_directory, steps_left);
}

// From the last line to the first, as the last one that matches decides. A line of the user that
// ignores what a built-in line ignores too makes it no more precious, so the search for one goes
// on.
IgnoreRules::Verdict IgnoreRules::judge_one(std::string_view path, bool is_directory,
                                            std::size_t& steps_left) const {
  const std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  if (name.starts_with(kOwnPrefix)) return Verdict::kBuiltIn;
  Verdict verdict = Verdict::kKept;
  for (auto pattern = user_.rbegin(); pattern != user_.rend(); ++pattern) {
    const bool undecided = verdict == Verdict::kKept || pattern->is_negated();
    if (!undecided || !pattern->matches(path, name, is_directory, steps_left)) continue;
    if (pattern->is_negated()) return verdict;
    verdict = Verdict::kUser;
  }
  const bool is_built_in =
      std::any_of(built_in_.begin(), built_in_.end(), [&](const IgnorePattern& pattern) {
        std::size_t enough = kMaxIgnorePatternBytes;  // they are simple ones
        return pattern.matches(path, name, is_directory, enough);
      });
  return is_built_in ? Verdict::kBuiltIn : verdict;
}

}  // namespace dagsync
