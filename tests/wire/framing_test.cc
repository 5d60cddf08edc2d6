#include "dagsync/wire/framing.h"

#include <doctest/doctest.h>

#include "wire/samples.h"

using namespace dagsync;

namespace {

constexpr std::uint64_t kFramingSeed = 20260102;

struct Sink {
  std::vector<Message> messages;
  std::vector<std::pair<std::uint64_t, std::string>> chunks;

  FrameReader::Handlers handlers() {
    return {[this](Message&& message) -> Status {
              messages.push_back(std::move(message));
              return {};
            },
            [this](Chunk&& chunk) -> Status {
              Result<std::string> plain = chunk.bytes;
              if (chunk.compressed) plain = decompress_chunk(chunk.bytes);
              if (!plain) return Unexpected(plain.error());
              chunks.emplace_back(chunk.request, std::move(*plain));
              return {};
            }};
  }
};

std::string frame(std::size_t length, int type, int flags, std::string_view payload) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(length >> shift));
  out.push_back(static_cast<char>(type));
  out.push_back(static_cast<char>(flags));
  return out.append(payload);
}

FrameReader trusted() {
  FrameReader reader;
  reader.trust();
  return reader;
}

bool is_refused(std::string_view bytes, FrameReader reader = trusted()) {
  Sink sink;
  return !reader.feed(bytes, sink.handlers());
}

std::string chunk_frame(std::uint64_t request, const std::string& content) {
  const std::optional<std::string> smaller = compress_chunk(content);
  const std::string& payload = smaller ? *smaller : content;
  return frame_chunk_header(request, payload.size(), smaller.has_value()) + payload;
}

std::string noise(test::Random& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes)
    byte = static_cast<char>(random());
  return bytes;
}

}  // namespace

TEST_CASE("messages and chunks arrive in order however the stream is cut") {
  test::Random random(kFramingSeed);
  std::string stream;
  std::vector<Message> messages;
  std::vector<std::pair<std::uint64_t, std::string>> chunks;
  for (int i = 0; i < 60; ++i) {
    messages.push_back(test::random_message(random));
    stream += frame_message(messages.back());
    if (i % 5 != 0) continue;
    chunks.emplace_back(random(), i % 2 == 0 ? noise(random, 3000) : std::string(50000, 'z'));
    stream += chunk_frame(chunks.back().first, chunks.back().second);
  }
  for (const std::size_t most :
       {std::size_t{1}, std::size_t{7}, std::size_t{1500}, stream.size()}) {
    CAPTURE(most);
    Sink sink;
    FrameReader reader = trusted();
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = most == 1500 ? 1 + random() % most : most;
      REQUIRE(reader.feed(std::string_view(stream).substr(at, size), sink.handlers()));
      at += size;
    }
    CHECK(sink.messages == messages);
    CHECK(sink.chunks == chunks);
  }
}

TEST_CASE("a chunk without content arrives with its head") {
  Sink sink;
  FrameReader reader = trusted();
  REQUIRE(reader.feed(frame_chunk_header(7, 0, false), sink.handlers()));
  REQUIRE(sink.chunks.size() == 1);
  CHECK(sink.chunks[0].first == 7);
  CHECK(sink.chunks[0].second.empty());
}

TEST_CASE("long messages are compressed where it pays") {
  const auto flags = [](const std::string& framed) { return framed[5]; };
  CHECK(flags(frame_message(Goodbye{std::string(1000, 'x')})) == 0);
  const std::string framed = frame_message(Goodbye{std::string(4000, 'x')});
  CHECK(flags(framed) == 1);
  CHECK(framed.size() < 100);
  test::Random random(kFramingSeed);
  CHECK(flags(frame_message(Goodbye{noise(random, 4000)})) == 0);
  CHECK(!compress_chunk(noise(random, 4000)).has_value());
  CHECK(!compress_chunk("").has_value());
}

TEST_CASE("a frame says its length before anything of it is kept") {
  CHECK(is_refused(frame(kMaxMessageBytes + 1, 1, 0, "")));
  CHECK(!is_refused(frame(kMaxMessageBytes, 1, 0, "")));
  CHECK(is_refused(frame(8 + kMaxChunkBytes + 1, 2, 0, "")));
  CHECK(!is_refused(frame(8 + kMaxChunkBytes, 2, 0, "")));
  CHECK(is_refused(frame(7, 2, 0, "1234567")));
  CHECK(is_refused(frame(0xFFFFFFFF, 1, 0, "")));
}

TEST_CASE("unknown types and flags of a frame are refused") {
  CHECK(is_refused(frame(0, 0, 0, "")));
  CHECK(is_refused(frame(0, 3, 0, "")));
  CHECK(is_refused(frame(8, 2, 2, "12345678")));
  CHECK(is_refused(frame(8, 2, 0x80, "12345678")));
}

TEST_CASE("a stranger may say little, and send no content") {
  CHECK(!is_refused(frame(kMaxFirstMessageBytes, 1, 0, ""), FrameReader()));
  CHECK(is_refused(frame(kMaxFirstMessageBytes + 1, 1, 0, ""), FrameReader()));
  CHECK(is_refused(frame_chunk_header(1, 5, false), FrameReader()));
  // Short on the wire, long inside.
  Fetch fetch{"dags", 1, test::path("f"), {}, 0, std::string(kMaxFirstMessageBytes, 's'), 0};
  CHECK(frame_message(fetch).size() < 1000);
  CHECK(is_refused(frame_message(fetch), FrameReader()));
  CHECK(!is_refused(frame_message(fetch)));
}

TEST_CASE("trust counts from the next frame on, in the same bytes too") {
  FrameReader reader;
  Sink sink;
  FrameReader::Handlers handlers = sink.handlers();
  handlers.on_message = [&](Message&&) -> Status {
    reader.trust();
    return {};
  };
  REQUIRE(reader.feed(frame_message(Ping{1}) + chunk_frame(2, "content"), handlers));
  CHECK(sink.chunks.size() == 1);
}

TEST_CASE("what is too long when decompressed is refused") {
  const std::string bomb = *compress_chunk(std::string(kMaxChunkBytes, '\0'));
  CHECK(decompress_chunk(bomb)->size() == kMaxChunkBytes);
  // The same again behind it: the first size is all right, both together are too long.
  CHECK(!decompress_chunk(bomb + bomb).has_value());
  // A message of 256 MiB of zeros, made by hand: frame header with an 8-byte size, then RLE blocks.
  std::string zeros("\x28\xB5\x2F\xFD\xE0", 5);
  zeros += std::string("\x00\x00\x00\x10\x00\x00\x00\x00", 8);
  for (int i = 0; i < 2048; ++i)
    zeros += std::string("\x02\x00\x10\x00", 4);
  zeros += std::string("\x03\x00\x00\x00", 4);
  CHECK(is_refused(frame(zeros.size(), 1, 1, zeros)));
  CHECK(!decompress_chunk(zeros).has_value());
  // It claims to be short, and is not.
  zeros[8] = '\x00';
  zeros[6] = '\x01';
  CHECK(!decompress_chunk(zeros).has_value());
}

TEST_CASE("broken zstd is refused") {
  test::Random random(kFramingSeed);
  const std::string good = *compress_chunk(std::string(5000, 'a') + noise(random, 500));
  CHECK(!decompress_chunk("").has_value());
  CHECK(!decompress_chunk("plain").has_value());
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK(!decompress_chunk(std::string_view(good).substr(0, size)).has_value());
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    bad[random() % bad.size()] ^= static_cast<char>(1 + random() % 255);
    const Result<std::string> plain = decompress_chunk(bad);
    if (plain) CHECK(plain->size() <= kMaxChunkBytes);
  }
}

TEST_CASE("a broken stream stays broken") {
  FrameReader reader = trusted();
  Sink sink;
  CHECK(!reader.feed(frame(0, 9, 0, ""), sink.handlers()));
  CHECK(!reader.feed(frame_message(Ping{1}), sink.handlers()));
  CHECK(sink.messages.empty());
}

TEST_CASE("a message of an unknown kind is skipped, and a handler's error is passed on") {
  FrameReader reader = trusted();
  Sink sink;
  const std::string unknown = frame(5, 1, 0, "\x82\x7d\x02hi");
  REQUIRE(reader.feed(unknown + frame_message(Ping{1}), sink.handlers()));
  CHECK(sink.messages == std::vector<Message>{Ping{1}});
  FrameReader::Handlers refusing = sink.handlers();
  refusing.on_message = [](Message&&) -> Status { return fail(ErrorCode::kRefused, "no"); };
  CHECK(reader.feed(frame_message(Ping{1}), refusing).error().code == ErrorCode::kRefused);
}

TEST_CASE("a frame that comes byte by byte costs no more than its length") {
  // 256 KiB in single bytes: were the whole looked at again each time, that would be 30 GB, and the
  // test's time would run out.
  FrameReader reader = trusted();
  Sink sink;
  const FrameReader::Handlers handlers = sink.handlers();
  test::Random random(kFramingSeed);
  const std::string stream = chunk_frame(1, noise(random, kMaxChunkBytes));
  for (const char& byte : stream)
    REQUIRE(reader.feed({&byte, 1}, handlers));
  CHECK(sink.chunks.size() == 1);
}

TEST_CASE("a changed stream yields valid messages or fails") {
  test::Random random(kFramingSeed);
  for (int i = 0; i < 5000; ++i) {
    std::string stream;
    for (int j = 0; j < 3; ++j)
      stream += frame_message(test::random_message(random));
    for (int j = 0; j < 3; ++j)
      stream[random() % stream.size()] = static_cast<char>(random());
    FrameReader reader = trusted();
    Sink sink;
    const Status status = reader.feed(stream, sink.handlers());
    static_cast<void>(status);
    CHECK(sink.messages.size() <= 3);
  }
}
