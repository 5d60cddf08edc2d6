// One line of gitignore syntax, compiled. Pure, and immutable once made: any thread may match.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dagsync {

inline constexpr std::size_t kMaxIgnorePatternBytes = 4096;  // a longer line never matches

class IgnorePattern {
 public:
  // From a line without its newline; none of a blank line or a comment. gitignore knows no errors:
  // what makes no sense (an unfinished class, a backslash at the end) never matches.
  [[nodiscard]] static std::optional<IgnorePattern> compile(std::string_view line);

  // Whether the line began with '!': what it matches is taken back.
  [[nodiscard]] bool is_negated() const { return negated_; }

  // Whether this line matches this very path; that what is below an ignored directory is ignored
  // too is not its business. `path` is relative, without a slash at its end, and `name` is its last
  // component. Takes the steps that it needs off `steps_left`, one at least; where they do not last,
  // there is no match. Does not allocate.
  [[nodiscard]] bool matches(std::string_view path, std::string_view name, bool is_directory,
                             std::size_t& steps_left) const;

 private:
  class Compiler;

  // Most lines are a name, or a name with one star, and need no general matching.
  enum class Shape : std::uint8_t {
    kNever,  // matches nothing
    kExact,  // head_
    kAffix,  // head_, one star, tail_
    kGlob,   // tokens_
  };
  enum class TokenKind : std::uint8_t {
    kByte,         // this byte
    kAnyByte,      // ?: a byte, but no slash
    kClass,        // [...]: a byte of the set, but no slash
    kStar,         // *: any bytes, but no slash
    kDirectories,  // ** with the slash behind it: any directories, or none
    kAnything,     // **: any bytes
  };
  struct Token {
    TokenKind kind = TokenKind::kByte;
    char byte = '\0';               // of kByte
    std::uint16_t class_index = 0;  // of kClass, in classes_
  };
  using ByteSet = std::bitset<256>;

  [[nodiscard]] bool matches_affix(std::string_view subject) const;
  [[nodiscard]] bool matches_glob(std::string_view subject, std::size_t& steps_left) const;
  [[nodiscard]] bool matches_byte(const Token& token, char byte) const;

  bool negated_ = false;
  bool directories_only_ = false;
  bool whole_path_ = false;  // a slash before the line's end: the path is compared, not the name
  Shape shape_ = Shape::kNever;
  std::string head_;
  std::string tail_;
  std::vector<Token> tokens_;
  std::vector<ByteSet> classes_;
};

}  // namespace dagsync
