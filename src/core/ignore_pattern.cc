#include "dagsync/core/ignore_pattern.h"

namespace dagsync {

bool IgnorePattern::matches(std::string_view path, std::string_view name, bool is_directory,
                            std::size_t& steps_left) const {
  if (steps_left == 0) return false;
  --steps_left;
  if (directories_only_ && !is_directory) return false;
  const std::string_view subject = whole_path_ ? path : name;
  switch (shape_) {
    case Shape::kNever:
      return false;
    case Shape::kExact:
      return subject == head_;
    case Shape::kAffix:
      return matches_affix(subject);
    case Shape::kGlob:
      return matches_glob(subject, steps_left);
  }
  return false;
}

bool IgnorePattern::matches_affix(std::string_view subject) const {
  if (subject.size() < head_.size() + tail_.size()) return false;
  if (!subject.starts_with(head_) || !subject.ends_with(tail_)) return false;
  const std::size_t star = subject.size() - head_.size() - tail_.size();
  return subject.substr(head_.size(), star).find('/') == std::string_view::npos;
}

// Walks tokens and bytes side by side and, on a mismatch, lets the last star take one byte more;
// where that star is at a slash, the last double star takes more. Earlier ones need no second try:
// what stands between two stars is best matched as far left as possible, since the later star can
// take whatever follows. So the work is bounded by a power of the lengths, where plain recursion
// is exponential in the number of stars; patterns come from peers, in .dagsyncignore. A power is
// still too much for a path and a line of 4 KiB each, hence the steps.
bool IgnorePattern::matches_glob(std::string_view subject, std::size_t& steps_left) const {
  struct Retry {
    std::size_t token;  // of the star
    std::size_t start;  // where what follows the star was tried
  };
  std::optional<Retry> star;
  std::optional<Retry> double_star;
  std::size_t token = 0;
  std::size_t at = 0;
  while (token < tokens_.size() || at < subject.size()) {
    if (steps_left == 0) return false;
    --steps_left;
    if (token < tokens_.size()) {
      const TokenKind kind = tokens_[token].kind;
      if (kind == TokenKind::kStar) {
        star = Retry{token++, at};
        continue;
      }
      if (kind == TokenKind::kDirectories || kind == TokenKind::kAnything) {
        double_star = Retry{token++, at};
        star.reset();
        continue;
      }
      if (at < subject.size() && matches_byte(tokens_[token], subject[at])) {
        ++token;
        ++at;
        continue;
      }
    }
    if (star && star->start < subject.size() && subject[star->start] != '/') {
      at = ++star->start;
      token = star->token + 1;
      continue;
    }
    if (!double_star) return false;
    const bool directories = tokens_[double_star->token].kind == TokenKind::kDirectories;
    const std::size_t end =
        directories ? subject.find('/', double_star->start) : double_star->start;
    if (end >= subject.size()) return false;
    at = double_star->start = end + 1;
    token = double_star->token + 1;
  }
  return true;
}

bool IgnorePattern::matches_byte(const Token& token, char byte) const {
  if (token.kind == TokenKind::kByte) return token.byte == byte;
  if (byte == '/') return false;
  return token.kind == TokenKind::kAnyByte ||
         classes_[token.class_index].test(static_cast<unsigned char>(byte));
}

}  // namespace dagsync
