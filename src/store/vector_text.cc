#include "store/vector_text.h"

#include <charconv>

namespace dagsync {
namespace {

// Takes tokens off the front of a text; every failure sticks.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty() || failed_; }
  [[nodiscard]] bool failed() const { return failed_; }

  std::uint64_t number() {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) failed_ = true;
    if (!failed_) rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  bool take(char c) {
    if (failed_ || !rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void demand(bool condition) { failed_ = failed_ || !condition; }

  // "3:"
  const AuthorId* author(const Authors& authors) {
    const AuthorId* author = authors.find(static_cast<std::int64_t>(number()));
    demand(author != nullptr && take(':'));
    return failed_ ? nullptr : author;
  }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

std::string to_text(const SequenceSet& set) {
  std::string text;
  for (const auto& [first, last] : set.intervals()) {
    if (!text.empty()) text += ',';
    text += std::to_string(first) + '-' + std::to_string(last);
  }
  return text;
}

// "1-17,19-20", into `knowledge`; ascending with gaps between, as SequenceSet keeps them.
void scan_intervals(Scanner& scanner, const AuthorId& author, Knowledge& knowledge) {
  Sequence before = 0;
  bool is_first = true;
  do {
    const Sequence first = scanner.number();
    scanner.demand(scanner.take('-'));
    const Sequence last = scanner.number();
    scanner.demand(first <= last && (is_first || (before < first && first - before > 1)));
    if (scanner.failed()) return;
    knowledge.add(author, {first, last});
    before = last;
    is_first = false;
  } while (scanner.take(','));
}

}  // namespace

Result<std::string> to_text(const VersionVector& vector, Authors& authors) {
  std::string text;
  for (const auto& [author, sequence] : vector.entries()) {
    const auto number = authors.number_of(author);
    if (!number) return tl::unexpected(number.error());
    if (!text.empty()) text += ',';
    text += std::to_string(*number) + ':' + std::to_string(sequence);
  }
  return text;
}

Result<std::string> to_text(const Knowledge& knowledge, Authors& authors) {
  std::string text;
  for (const auto& [author, set] : knowledge.authors()) {
    if (set.intervals().empty()) continue;
    const auto number = authors.number_of(author);
    if (!number) return tl::unexpected(number.error());
    if (!text.empty()) text += ' ';
    text += std::to_string(*number) + ':' + to_text(set);
  }
  return text;
}

std::optional<VersionVector> vector_from_text(std::string_view text, const Authors& authors) {
  VersionVector vector;
  Scanner scanner(text);
  while (!scanner.at_end()) {
    const AuthorId* author = scanner.author(authors);
    const Sequence sequence = scanner.number();
    scanner.demand(sequence > 0);
    if (scanner.failed()) return std::nullopt;
    vector.raise(*author, sequence);
    if (!scanner.at_end()) scanner.demand(scanner.take(',') && !scanner.at_end());
  }
  return scanner.failed() ? std::nullopt : std::optional(std::move(vector));
}

std::optional<Knowledge> knowledge_from_text(std::string_view text, const Authors& authors) {
  Knowledge knowledge;
  Scanner scanner(text);
  while (!scanner.at_end()) {
    const AuthorId* author = scanner.author(authors);
    if (author == nullptr) return std::nullopt;
    scan_intervals(scanner, *author, knowledge);
    if (!scanner.at_end()) scanner.demand(scanner.take(' ') && !scanner.at_end());
  }
  return scanner.failed() ? std::nullopt : std::optional(std::move(knowledge));
}

}  // namespace dagsync
