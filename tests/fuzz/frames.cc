// The frame reader: however a stream is cut, it says the same; nothing beyond the limits comes out
// of it, and nothing at all after an error. An input is a byte of choices, one that seeds the cuts,
// and then either the stream itself or pieces that are put into frames with the right length, so
// that a fuzzer need not guess lengths and zstd's checks.
#include "dagsync/wire/framing.h"

#include "dagsync/wire/codec.h"
#include "fuzz/fuzz.h"
#include "wire/samples.h"

namespace dagsync {
namespace {

enum Choice : std::uint8_t { kTrusted = 1, kTrustedLater = 2, kFramed = 4 };
enum Shape : std::uint8_t { kChunk = 1, kFlagged = 2, kCompressed = 4 };

std::string frame(std::uint8_t shape, std::string_view bytes) {
  std::string payload(bytes);
  if ((shape & kCompressed) != 0) payload = compress_chunk(bytes).value_or(payload);
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(payload.size() >> shift));
  out.push_back((shape & kChunk) != 0 ? '\2' : '\1');
  out.push_back((shape & (kFlagged | kCompressed)) != 0 ? '\1' : '\0');
  return out + payload;
}

struct Heard {
  std::vector<std::string> events;
  std::string error;
  bool operator==(const Heard&) const = default;
};

class Listener {
 public:
  explicit Listener(std::uint8_t choices) : is_trusted_((choices & kTrusted) != 0) {
    if (is_trusted_) reader_.trust();
    handlers_.on_message = [this, choices](Message&& message) -> Status {
      const std::string bytes = encode(message);
      DAGSYNC_ASSERT(is_trusted_ || bytes.size() <= 2 * kMaxFirstMessageBytes);
      heard_.events.push_back("message " + bytes);
      if ((choices & kTrustedLater) != 0) {
        reader_.trust();
        is_trusted_ = true;
      }
      return {};
    };
    handlers_.on_chunk = [this](const Chunk& chunk) -> Status {
      DAGSYNC_ASSERT(is_trusted_);
      DAGSYNC_ASSERT(chunk.bytes.size() <= kMaxChunkBytes);
      heard_.events.push_back("chunk " + std::to_string(chunk.request) + std::string(chunk.bytes));
      if (!chunk.compressed) return {};
      const Result<std::string> plain = decompress_chunk(chunk.bytes);
      DAGSYNC_ASSERT(!plain || plain->size() <= kMaxChunkBytes);
      return {};
    };
  }

  void hear(std::string_view bytes) {
    const std::size_t before = heard_.events.size();
    const Status fed = reader_.feed(bytes, handlers_);
    if (!heard_.error.empty()) DAGSYNC_ASSERT(!fed && before == heard_.events.size());
    if (!fed) heard_.error = fed.error().message;
  }
  [[nodiscard]] const Heard& heard() const { return heard_; }

 private:
  FrameReader reader_;
  FrameReader::Handlers handlers_;
  Heard heard_;
  bool is_trusted_;
};

std::string framed(FuzzInput& input) {
  std::string stream;
  while (!input.empty()) {
    const std::uint8_t shape = input.byte();
    stream += frame(shape, input.piece());
  }
  return stream;
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  std::vector<std::string> seeds;
  const auto head = [](unsigned choices) {
    return std::string{static_cast<char>(choices), static_cast<char>(choices * 7)};
  };
  std::string stream;
  for (const Message& message : test::one_of_each()) {
    stream += frame_message(message);
    seeds.push_back(head(kTrusted | kFramed) + '\0' + fuzz_piece(encode(message)));
  }
  const std::string content(3000, 'c');
  stream += frame_chunk_header(9, content.size(), false) + content;
  seeds.push_back(head(kTrusted) + stream);
  seeds.push_back(head(kTrustedLater) + stream);
  seeds.push_back(head(0) + frame_message(test::one_of_each().front()));
  std::string wrapped = head(kTrusted | kFramed);
  for (const int shape : {+kChunk, +kCompressed, +kFlagged, kChunk | kCompressed})
    wrapped += static_cast<char>(shape) + fuzz_piece("12345678" + content);
  seeds.push_back(wrapped);
  return seeds;
}

}  // namespace dagsync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dagsync;
  FuzzInput input(data, size);
  const std::uint8_t choices = input.byte();
  const std::uint8_t seed = input.byte();
  const std::string stream = (choices & kFramed) != 0 ? framed(input) : std::string(input.rest());
  Listener whole(choices);
  whole.hear(stream);
  Listener cut(choices);
  in_pieces(stream, seed, seed < 128 ? 7 : 700, [&](std::string_view piece) { cut.hear(piece); });
  DAGSYNC_ASSERT(whole.heard() == cut.heard());
  cut.hear("after the end");
  return 0;
}
