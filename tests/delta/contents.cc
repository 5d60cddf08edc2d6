#include "delta/contents.h"

#include <algorithm>

#include "dagsync/base/assert.h"

namespace dagsync::test {
namespace {

WriteBytes append_to(std::string& out) {
  return [&out](std::string_view bytes) -> Status {
    out.append(bytes);
    return {};
  };
}

template <typename Update>
Status in_pieces(std::string_view bytes, std::size_t piece, Update update) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
    if (Status status = update(bytes.substr(0, piece)); !status) return status;
  return {};
}

}  // namespace

std::string noise(Random& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes)
    byte = static_cast<char>(random());
  return bytes;
}

std::string signature_of(std::string_view basis) {
  SignatureBuilder builder(choose_shape(basis.size()));
  const Status updated =
      in_pieces(basis, 100'000, [&](std::string_view piece) { return builder.update(piece); });
  DAGSYNC_ASSERT(updated.has_value());
  Result<std::string> signature = builder.finish();
  DAGSYNC_ASSERT(signature.has_value());
  return std::move(*signature);
}

Result<std::string> delta_of(std::string_view signature, std::string_view content,
                             std::size_t piece) {
  const Result<Signature> parsed = Signature::parse(signature);
  if (!parsed) return Unexpected(parsed.error());
  std::string delta;
  const WriteBytes out = append_to(delta);
  DeltaBuilder builder(*parsed);
  const Status updated =
      in_pieces(content, piece, [&](std::string_view bytes) { return builder.update(bytes, out); });
  if (!updated) return Unexpected(updated.error());
  if (Status finished = builder.finish(out); !finished) return Unexpected(finished.error());
  return delta;
}

Result<std::string> patch(std::string_view basis, std::string_view delta, std::uint64_t max_output,
                          std::size_t piece) {
  std::string content;
  const WriteBytes out = append_to(content);
  const ReadBasis read = [basis](std::uint64_t offset,
                                 std::span<char> into) -> Result<std::size_t> {
    if (offset >= basis.size()) return 0;
    const std::string_view rest = basis.substr(static_cast<std::size_t>(offset), into.size());
    std::copy(rest.begin(), rest.end(), into.begin());
    return rest.size();
  };
  Patcher patcher(read, max_output);
  const Status updated =
      in_pieces(delta, piece, [&](std::string_view bytes) { return patcher.update(bytes, out); });
  DAGSYNC_ASSERT(content.size() <= max_output);
  if (!updated) return Unexpected(updated.error());
  if (Status finished = patcher.finish(out); !finished) return Unexpected(finished.error());
  return content;
}

}  // namespace dagsync::test
