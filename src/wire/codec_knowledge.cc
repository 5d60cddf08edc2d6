// Version vectors and knowledge: columns of numbers. Both come in ascending order, which is
// checked, since inserting them in any other order would cost the square of their length.
#include "wire/decoder.h"
#include "wire/encoder.h"

namespace dagsync {

void encode_vector(const VersionVector& vector, AuthorWriter& authors, pb::Vector& out) {
  const int count = static_cast<int>(vector.entries().size());
  out.mutable_author()->Reserve(count);
  out.mutable_sequence()->Reserve(count);
  for (const auto& [author, sequence] : vector.entries()) {
    out.add_author(authors.index_of(author));
    out.add_sequence(sequence);
  }
}

void encode_knowledge(const Knowledge& knowledge, AuthorWriter& authors, pb::Knowledge& out) {
  for (const auto& [author, sequences] : knowledge.authors()) {
    if (sequences.intervals().empty()) continue;
    out.add_author(authors.index_of(author));
    out.add_intervals(static_cast<std::uint32_t>(sequences.intervals().size()));
    for (const auto& [first, last] : sequences.intervals()) {
      out.add_bounds(first);
      out.add_bounds(last);
    }
  }
}

// Whether all are in the table, each later in order than the one before.
template <typename Column>
bool Decoder::is_ascending(const Column& column) {
  for (int i = 0; i < column.size(); ++i) {
    if (!authors_.has(column[i])) {
      refuse("an author that is not in the table");
      return false;
    }
    if (i > 0 && authors_.rank(column[i - 1]) >= authors_.rank(column[i])) {
      refuse("authors out of order");
      return false;
    }
  }
  return true;
}

VersionVector Decoder::vector(const pb::Vector& in) {
  VersionVector vector;
  const auto count = static_cast<std::size_t>(in.author_size());
  if (in.sequence_size() != in.author_size()) refuse("a vector's columns differ in length");
  if (!ok() || !fits(count, std::min(kMaxVectorEntries, vector_entries_left_), "vector entries") ||
      !is_ascending(in.author()))
    return vector;
  vector_entries_left_ -= count;
  for (int i = 0; i < in.author_size(); ++i) {
    if (in.sequence(i) == 0) refuse("a vector with sequence 0");
    vector.raise(authors_.at(in.author(i)), sequence(in.sequence(i)));
  }
  return vector;
}

Knowledge Decoder::knowledge(const pb::Knowledge& in) {
  Knowledge knowledge;
  const auto count = static_cast<std::size_t>(in.bounds_size()) / 2;
  if (in.intervals_size() != in.author_size()) refuse("a knowledge's columns differ in length");
  if (in.bounds_size() % 2 != 0) refuse("an interval without an end");
  if (!ok() || !fits(count, intervals_left_, "intervals of knowledge") ||
      !is_ascending(in.author()))
    return knowledge;
  intervals_left_ -= count;
  int next = 0;
  for (int row = 0; row < in.author_size() && ok(); ++row)
    intervals(in, row, next, knowledge);
  if (next != in.bounds_size()) refuse("intervals of no author");
  return knowledge;
}

// Those of one author, from bound `next` on.
void Decoder::intervals(const pb::Knowledge& in, int row, int& next, Knowledge& out) {
  const auto left = static_cast<std::uint32_t>(in.bounds_size() - next) / 2;
  if (in.intervals(row) == 0 || in.intervals(row) > left)
    return refuse("intervals that are not there");
  Sequence previous = 0;
  for (std::uint32_t i = 0; i < in.intervals(row); ++i, next += 2) {
    const Sequence first = sequence(in.bounds(next));
    const Sequence last = sequence(in.bounds(next + 1));
    if (!ok()) return;
    // Between two intervals at least one sequence is missing, else they would be one.
    const bool is_apart = i == 0 ? first > 0 : first > previous && first - previous > 1;
    if (!is_apart || last < first) return refuse("intervals out of order");
    out.add(authors_.at(in.author(row)), {first, last});
    previous = last;
  }
}

}  // namespace dagsync
