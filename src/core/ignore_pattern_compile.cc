// Reads a line the way git does, with its corner cases: gitignore's rules are what git does with
// them, and people move their files over as they are. tests/core compares both.
#include <algorithm>
#include <array>
#include <utility>

#include "dagsync/core/ignore_pattern.h"

namespace dagsync {
namespace {

constexpr std::string_view kSpecial = "*?[\\";

bool is_lower(int c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(int c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(int c) {
  return c >= '0' && c <= '9';
}
bool is_alpha(int c) {
  return is_lower(c) || is_upper(c);
}
bool is_alnum(int c) {
  return is_alpha(c) || is_digit(c);
}
bool is_graph(int c) {
  return c > 0x20 && c < 0x7F;
}

struct NamedClass {
  std::string_view name;
  bool (*contains)(int c);
};

// ASCII alone, in every locale: all nodes must decide alike. git has fewer spaces than C.
constexpr std::array kNamedClasses = {
    NamedClass{"alnum", is_alnum},
    NamedClass{"alpha", is_alpha},
    NamedClass{"blank", [](int c) { return c == ' ' || c == '\t'; }},
    NamedClass{"cntrl", [](int c) { return c < 0x20 || c == 0x7F; }},
    NamedClass{"digit", is_digit},
    NamedClass{"graph", is_graph},
    NamedClass{"lower", is_lower},
    NamedClass{"print", [](int c) { return c == ' ' || is_graph(c); }},
    NamedClass{"punct", [](int c) { return is_graph(c) && !is_alnum(c); }},
    NamedClass{"space", [](int c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }},
    NamedClass{"upper", is_upper},
    NamedClass{
        "xdigit",
        [](int c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }},
};

// Spaces at the end do not count, unless a backslash stands before them.
std::string_view without_trailing_spaces(std::string_view line) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == ' ') {
      continue;
    }
    end = std::min(i + 1, line.size());
  }
  return line.substr(0, end);
}

}  // namespace

// Turns a glob into the tokens of a pattern.
class IgnorePattern::Compiler {
 public:
  Compiler(std::string_view glob, IgnorePattern& pattern) : glob_(glob), pattern_(pattern) {}

  // False where the glob can match nothing.
  [[nodiscard]] bool compile_all();
  void choose_shape();

 private:
  void compile_stars();
  [[nodiscard]] bool compile_class();
  [[nodiscard]] bool add_named_class(ByteSet& set);
  void add(TokenKind kind) { pattern_.tokens_.push_back({kind, '\0', 0}); }
  [[nodiscard]] bool at_end() const { return at_ >= glob_.size(); }
  [[nodiscard]] bool next_is(std::string_view text) const {
    return glob_.substr(at_).starts_with(text);
  }

  std::string_view glob_;
  std::size_t at_ = 0;
  IgnorePattern& pattern_;
};

bool IgnorePattern::Compiler::compile_all() {
  while (!at_end()) {
    if (next_is("*")) {
      compile_stars();
    } else if (next_is("[")) {
      if (!compile_class()) return false;
    } else if (next_is("?")) {
      add(TokenKind::kAnyByte);
      ++at_;
    } else {
      if (next_is("\\")) ++at_;
      if (at_end()) return false;
      pattern_.tokens_.push_back({TokenKind::kByte, glob_[at_++], 0});
    }
  }
  return true;
}

// Two stars or more cross directories where they stand between slashes. git compares what stands
// before the first special character by itself, so its stars also count as standing at a start.
void IgnorePattern::Compiler::compile_stars() {
  const std::size_t begin = at_;
  at_ = std::min(glob_.find_first_not_of('*', begin), glob_.size());
  const bool starts =
      begin == 0 || glob_[begin - 1] == '/' || begin == glob_.find_first_of(kSpecial);
  const bool ends = at_end() || next_is("/") || next_is("\\/");
  if (at_ - begin < 2 || !starts || !ends || !pattern_.whole_path_) {
    add(TokenKind::kStar);
  } else if (next_is("/")) {
    add(TokenKind::kDirectories);
    ++at_;
  } else {
    add(TokenKind::kAnything);
  }
}

// [abc], [a-z], [!a] or [^a], [[:alpha:]]; a ']' that comes first is one of the bytes.
bool IgnorePattern::Compiler::compile_class() {
  ++at_;
  const bool negated = next_is("!") || next_is("^");
  if (negated) ++at_;
  ByteSet set;
  constexpr int kNone = -1;
  int previous = kNone;  // what a '-' would be a range from
  for (bool first = true; first || !next_is("]"); first = false) {
    if (at_end()) return false;
    if (next_is("[:") && glob_.find(']', at_ + 2) == std::string_view::npos) return false;
    if (next_is("[:") && glob_[glob_.find(']', at_ + 2) - 1] == ':' &&
        glob_.find(']', at_ + 2) > at_ + 2) {
      if (!add_named_class(set)) return false;
      previous = kNone;
      continue;
    }
    const bool range = previous != kNone && next_is("-") && at_ + 1 < glob_.size() && glob_[at_ + 1] != ']';
    if (range) ++at_;
    if (next_is("\\")) ++at_;
    if (at_end()) return false;
    const auto byte = static_cast<unsigned char>(glob_[at_++]);
    for (int c = range ? previous : byte; c <= byte; ++c) set.set(static_cast<std::size_t>(c));
    previous = range ? kNone : byte;
  }
  ++at_;
  pattern_.tokens_.push_back(
      {TokenKind::kClass, '\0', static_cast<std::uint16_t>(pattern_.classes_.size())});
  pattern_.classes_.push_back(negated ? ~set : set);
  return true;
}

bool IgnorePattern::Compiler::add_named_class(ByteSet& set) {
  const std::size_t begin = at_ + 2;
  const std::size_t end = glob_.find(']', begin) - 1;
  const std::string_view name = glob_.substr(begin, end - begin);
  const auto it = std::find_if(kNamedClasses.begin(), kNamedClasses.end(),
                               [&](const NamedClass& known) { return known.name == name; });
  if (it == kNamedClasses.end()) return false;
  for (int c = 0; c < 0x80; ++c) {
    if (it->contains(c)) set.set(static_cast<std::size_t>(c));
  }
  at_ = end + 2;
  return true;
}

void IgnorePattern::Compiler::choose_shape() {
  std::size_t stars = 0;
  for (const Token& token : pattern_.tokens_) {
    if (token.kind == TokenKind::kStar) ++stars;
    if (token.kind != TokenKind::kByte && (token.kind != TokenKind::kStar || stars > 1)) {
      pattern_.shape_ = Shape::kGlob;
      return;
    }
  }
  pattern_.shape_ = stars == 0 ? Shape::kExact : Shape::kAffix;
  std::string* part = &pattern_.head_;
  for (const Token& token : pattern_.tokens_) {
    if (token.kind == TokenKind::kStar) {
      part = &pattern_.tail_;
    } else {
      part->push_back(token.byte);
    }
  }
  pattern_.tokens_.clear();
}

std::optional<IgnorePattern> IgnorePattern::compile(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  line = without_trailing_spaces(line.substr(0, line.find('\0')));
  if (line.empty() || line.starts_with('#')) return std::nullopt;

  IgnorePattern pattern;
  pattern.negated_ = line.starts_with('!');
  if (pattern.negated_) line.remove_prefix(1);
  pattern.directories_only_ = line.ends_with('/');
  if (pattern.directories_only_) line.remove_suffix(1);
  pattern.whole_path_ = line.find('/') != std::string_view::npos;
  if (line.starts_with('/')) line.remove_prefix(1);
  if (line.empty() || line.size() > kMaxIgnorePatternBytes) return pattern;

  Compiler compiler(line, pattern);
  if (compiler.compile_all()) compiler.choose_shape();
  return pattern;
}

}  // namespace dagsync
