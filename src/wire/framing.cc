#include "dagsync/wire/framing.h"

#include <algorithm>
#include <memory>

#include "dagsync/base/assert.h"
#include "dagsync/wire/codec.h"
#include "wire/compression.h"

namespace dagsync {
namespace {

constexpr std::uint8_t kMessageType = 1;
constexpr std::uint8_t kChunkType = 2;
constexpr std::uint8_t kCompressed = 1;           // the only flag
constexpr std::size_t kRequestBytes = 8;          // in front of a chunk's content
constexpr std::size_t kCompressFrom = 1024;       // shorter messages fit one packet anyway
constexpr std::size_t kKeptCapacity = 256 << 10;  // of the buffer, between frames

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift & 0xFF));
}

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes)
    value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

void append_header(std::string& out, std::size_t payload_bytes, std::uint8_t type,
                   bool compressed) {
  append_big_endian(out, payload_bytes, 4);
  out.push_back(static_cast<char>(type));
  out.push_back(static_cast<char>(compressed ? kCompressed : 0));
}

Unexpected bad_frame(std::string_view what) {
  return fail(ErrorCode::kInvalid, "malformed frame: " + std::string(what));
}

}  // namespace

std::string frame_message(const Message& message) {
  const std::string payload = encode(message);
  std::string frame(kFrameHeaderBytes, '\0');
  const bool compressed = payload.size() > kCompressFrom && append_compressed(frame, payload);
  if (!compressed) frame.append(payload);
  std::string header;
  append_header(header, frame.size() - kFrameHeaderBytes, kMessageType, compressed);
  frame.replace(0, kFrameHeaderBytes, header);
  return frame;
}

std::string frame_chunk_header(std::uint64_t request, std::size_t payload_bytes, bool compressed) {
  DAGSYNC_ASSERT(payload_bytes <= kMaxChunkBytes);
  std::string header;
  append_header(header, kRequestBytes + payload_bytes, kChunkType, compressed);
  append_big_endian(header, request, kRequestBytes);
  return header;
}

std::optional<std::string> compress_chunk(std::string_view bytes) {
  DAGSYNC_ASSERT(bytes.size() <= kMaxChunkBytes);
  std::string compressed;
  if (!append_compressed(compressed, bytes)) return std::nullopt;
  return compressed;
}

Result<std::string> decompress_chunk(std::string_view bytes) {
  const auto size = decompressed_size(bytes, kMaxChunkBytes);
  if (!size) return Unexpected(size.error());
  std::string plain(*size, '\0');
  if (const Status done = decompress(bytes, plain); !done) return Unexpected(done.error());
  return plain;
}

struct FrameReader::Header {
  std::size_t payload_bytes;
  std::uint8_t type;
  bool compressed;
};

Result<FrameReader::Header> FrameReader::parse_header(std::string_view bytes) const {
  const Header header{static_cast<std::size_t>(read_big_endian(bytes.substr(0, 4))),
                      static_cast<std::uint8_t>(bytes[4]), (bytes[5] & kCompressed) != 0};
  if ((bytes[5] & ~kCompressed) != 0) return bad_frame("unknown flags");
  if (header.type == kMessageType) {
    const std::size_t limit = is_trusted_ ? kMaxMessageBytes : kMaxFirstMessageBytes;
    if (header.payload_bytes > limit) return bad_frame("a message that is too long");
  } else if (header.type == kChunkType) {
    if (!is_trusted_) return bad_frame("content before the hello");
    if (header.payload_bytes < kRequestBytes) return bad_frame("a chunk without a request");
    if (header.payload_bytes > kRequestBytes + kMaxChunkBytes)
      return bad_frame("a chunk that is too long");
  } else {
    return bad_frame("unknown type");
  }
  return header;
}

Status FrameReader::deliver_message(const Header& header, std::string_view payload,
                                    const Handlers& handlers) const {
  std::unique_ptr<char[]> plain;
  if (header.compressed) {
    const auto size =
        decompressed_size(payload, is_trusted_ ? kMaxMessageBytes : kMaxFirstMessageBytes);
    if (!size) return Unexpected(size.error());
    plain = std::make_unique_for_overwrite<char[]>(*size);
    if (const Status done = decompress(payload, {plain.get(), *size}); !done)
      return Unexpected(done.error());
    payload = {plain.get(), *size};
  }
  Result<Message> message = decode(payload);
  if (message) return handlers.on_message(std::move(*message));
  if (message.error().code == ErrorCode::kUnsupported) return {};
  return Unexpected(message.error());
}

// Takes so much of `bytes` that partial_ has `count`; false where that is not all there yet.
bool FrameReader::gather(std::string_view& bytes, std::size_t count) {
  const std::size_t taken = std::min(bytes.size(), count - std::min(count, partial_.size()));
  partial_.append(bytes.substr(0, taken));
  bytes.remove_prefix(taken);
  return partial_.size() >= count;
}

// Straight to where it stays: whoever gets the chunk takes its memory.
Status FrameReader::feed_chunk(std::string_view& bytes, const Handlers& handlers) {
  const std::size_t taken = std::min(bytes.size(), chunk_->missing);
  chunk_->chunk.bytes.append(bytes.substr(0, taken));
  bytes.remove_prefix(taken);
  chunk_->missing -= taken;
  if (chunk_->missing > 0) return {};
  Chunk whole = std::move(chunk_->chunk);
  chunk_.reset();
  return handlers.on_chunk(std::move(whole));
}

// One step: a whole message straight from the input, or some of the bytes of a frame that comes in
// pieces.
Status FrameReader::feed_some(std::string_view& bytes, const Handlers& handlers) {
  if (chunk_) return feed_chunk(bytes, handlers);
  const bool is_fresh = partial_.empty() && bytes.size() >= kFrameHeaderBytes;
  if (!is_fresh && !gather(bytes, kFrameHeaderBytes)) return {};
  const Result<Header> header = parse_header(is_fresh ? bytes : partial_);
  if (!header) return Unexpected(header.error());
  if (header->type == kChunkType) {
    if (!gather(bytes, kFrameHeaderBytes + kRequestBytes)) return {};
    const std::size_t content = header->payload_bytes - kRequestBytes;
    const std::uint64_t request =
        read_big_endian(std::string_view(partial_).substr(kFrameHeaderBytes, kRequestBytes));
    chunk_ = PartialChunk{{request, header->compressed, {}}, content};
    chunk_->chunk.bytes.reserve(content);
    partial_.clear();
    return feed_chunk(bytes, handlers);
  }
  const std::size_t frame_bytes = kFrameHeaderBytes + header->payload_bytes;
  if (is_fresh && bytes.size() >= frame_bytes) {
    const std::string_view payload = bytes.substr(kFrameHeaderBytes, header->payload_bytes);
    bytes.remove_prefix(frame_bytes);
    return deliver_message(*header, payload, handlers);
  }
  if (!gather(bytes, frame_bytes)) return {};
  Status delivered =
      deliver_message(*header, std::string_view(partial_).substr(kFrameHeaderBytes), handlers);
  partial_.clear();
  if (partial_.capacity() > kKeptCapacity) partial_ = {};
  return delivered;
}

Status FrameReader::feed(std::string_view bytes, const Handlers& handlers) {
  while (!bytes.empty() && !failure_)
    if (Status step = feed_some(bytes, handlers); !step) failure_ = step.error();
  if (failure_) return Unexpected(*failure_);
  return {};
}

}  // namespace dagsync
