// Frames on a byte stream: length, type, flags, payload (FORMAT.md). Every length is checked
// against its limit before anything is kept of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "dagsync/base/result.h"
#include "dagsync/core/messages.h"

namespace dagsync {

inline constexpr std::size_t kFrameHeaderBytes = 6;
inline constexpr std::size_t kMaxFirstMessageBytes = 64 << 10;  // before the peer is known

// A message as a frame, compressed where it pays. Any thread.
[[nodiscard]] std::string frame_message(const Message& message);

// What stands before `payload_bytes` of content on the wire; the payload itself is sent after it as
// it is. At most kMaxChunkBytes.
[[nodiscard]] std::string frame_chunk_header(std::uint64_t request, std::size_t payload_bytes,
                                             bool compressed);

// The content of a chunk, at most kMaxChunkBytes, compressed; nullopt where that saves less than a
// tenth. Any thread.
[[nodiscard]] std::optional<std::string> compress_chunk(std::string_view bytes);
// From untrusted bytes; kInvalid where they are no zstd or longer than kMaxChunkBytes inside.
// Any thread.
[[nodiscard]] Result<std::string> decompress_chunk(std::string_view bytes);

// Cuts what a peer sends into messages and chunks. One thread at a time.
class FrameReader {
 public:
  struct Handlers {
    // An error returned ends feed() with it. None may destroy the reader or call feed().
    std::function<Status(Message&&)> on_message;
    std::function<Status(Chunk&&)> on_chunk;
  };

  // Until trust() only messages of at most kMaxFirstMessageBytes are taken, and no chunks.
  void trust() { is_trusted_ = true; }  // also from within a handler, for all that follows

  // Takes the next bytes of the stream, cut anywhere. Messages of a kind that is not known here are
  // skipped. kInvalid where the stream breaks the format; there is no way on from there: every
  // further call fails likewise.
  Status feed(std::string_view bytes, const Handlers& handlers);

 private:
  struct Header;
  // Of which so much is still to come.
  struct PartialChunk {
    Chunk chunk;
    std::size_t missing = 0;
  };
  Status feed_some(std::string_view& bytes, const Handlers& handlers);
  bool gather(std::string_view& bytes, std::size_t count);
  Status feed_chunk(std::string_view& bytes, const Handlers& handlers);
  Result<Header> parse_header(std::string_view bytes) const;
  Status deliver_message(const Header& header, std::string_view payload,
                         const Handlers& handlers) const;

  std::string partial_;  // the beginning of a frame, of a chunk its head, whose rest has not come
  std::optional<PartialChunk> chunk_;
  std::optional<Error> failure_;
  bool is_trusted_ = false;
};

}  // namespace dagsync
