// Deltas: untrusted signatures and deltas are refused, or do what they may and no more; and what
// delta makes of a pair of contents brings the new one back. The first byte says which of these.
#include "dagsync/delta/delta.h"

#include "delta/contents.h"
#include "fuzz/fuzz.h"

namespace dagsync {
namespace {

constexpr std::size_t kMaxOutput = 100'000;

// A basis of a few blocks, some equal: what the first bytes of an input are blown up to.
std::string blown_up(std::string_view pattern, std::size_t bytes) {
  std::string out;
  if (pattern.empty()) pattern = "x";
  for (std::size_t turn = 0; out.size() < bytes; ++turn) {
    out += pattern;
    out.push_back(static_cast<char>(turn / 97));
  }
  out.resize(bytes);
  return out;
}

// Never much longer than the content, whatever the signature says.
void search(std::string_view signature, std::string_view content) {
  const Result<Signature> parsed = Signature::parse(signature);
  if (!parsed) {
    DAGSYNC_ASSERT(parsed.error().code == ErrorCode::kInvalid);
    return;
  }
  DAGSYNC_ASSERT(parsed->shape().block_bytes >= kDeltaMinBlockBytes);
  DAGSYNC_ASSERT(parsed->shape().block_bytes <= kDeltaMaxBlockBytes);
  std::size_t made = 0;
  const WriteBytes out = [&](std::string_view bytes) -> Status {
    made += bytes.size();
    return {};
  };
  DeltaBuilder builder(*parsed);
  Status status = builder.update(content, out);
  if (status) status = builder.finish(out);
  DAGSYNC_ASSERT(status.has_value());
  DAGSYNC_ASSERT(made <= content.size() + content.size() / 1000 + 64);
}

Result<std::string> apply(std::string_view basis, std::string_view delta, std::uint8_t seed) {
  std::string made;
  const ReadBasis read = [&](std::uint64_t offset, std::span<char> into) -> Result<std::size_t> {
    if (offset >= basis.size()) return 0;
    return basis.substr(offset).copy(into.data(), into.size());
  };
  const WriteBytes out = [&](std::string_view bytes) -> Status {
    made += bytes;
    DAGSYNC_ASSERT(made.size() <= kMaxOutput);
    return {};
  };
  Patcher patcher(read, kMaxOutput);
  Status status;
  in_pieces(delta, seed, seed == 0 ? delta.size() : 50, [&](std::string_view piece) {
    if (status) status = patcher.update(piece, out);
  });
  if (status) status = patcher.finish(out);
  if (!status) {
    DAGSYNC_ASSERT(status.error().code == ErrorCode::kInvalid);
    return Unexpected(status.error());
  }
  return made;
}

void apply_twice(std::string_view basis, std::string_view delta, std::uint8_t seed) {
  const Result<std::string> whole = apply(basis, delta, 0);
  const Result<std::string> in_parts = apply(basis, delta, seed);
  DAGSYNC_ASSERT(whole.has_value() == in_parts.has_value());
  if (whole) DAGSYNC_ASSERT(*whole == *in_parts);
}

void there_and_back(const std::string& basis, const std::string& content) {
  SignatureBuilder signature(choose_shape(basis.size()));
  DAGSYNC_ASSERT(signature.update(basis).has_value());
  const Result<std::string> sums = signature.finish();
  DAGSYNC_ASSERT(sums.has_value());
  const Result<Signature> parsed = Signature::parse(*sums);
  if (!parsed) return;  // a basis whose sums are too much alike: it is sent whole
  std::string delta;
  const WriteBytes out = [&](std::string_view bytes) -> Status {
    delta += bytes;
    return {};
  };
  DeltaBuilder builder(*parsed);
  DAGSYNC_ASSERT(builder.update(content, out).has_value());
  DAGSYNC_ASSERT(builder.finish(out).has_value());
  const Result<std::string> back = apply(basis, delta, 0);
  DAGSYNC_ASSERT(back.has_value());
  DAGSYNC_ASSERT(*back == content);
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  test::Random random(20260302);
  const std::string basis = blown_up("a pattern", 6000);
  std::string content = basis;
  content.replace(2000, 10, "something else");
  const std::string signature = test::signature_of(basis);
  const std::string noise = test::noise(random, 500);
  return {"\1" + fuzz_piece(signature) + content.substr(0, 3000),
          "\1" + fuzz_piece(signature) + noise,
          "\2\3" + fuzz_piece("a pattern") + *test::delta_of(signature, content),
          "\2\3" + fuzz_piece(noise) + *test::delta_of(test::signature_of(noise), noise + "x"),
          "\3" + fuzz_piece("a pattern") + "something new",
          std::string("\3") + noise};
}

}  // namespace dagsync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dagsync;
  FuzzInput input(data, size);
  switch (input.byte() % 4) {
    case 1: {
      const std::string_view signature = input.piece();
      search(signature, input.rest());
      break;
    }
    case 2: {
      const std::uint8_t seed = input.byte();
      const std::string basis = blown_up(input.piece(), 6000);
      apply_twice(basis, input.rest(), seed);
      break;
    }
    default: {
      const std::string_view pattern = input.piece();
      const std::string basis = blown_up(pattern, 5000);
      const std::string_view rest = input.rest();
      there_and_back(basis,
                     basis.substr(rest.size() % 3000) + std::string(rest) + basis.substr(0, 2000));
    }
  }
  return 0;
}
