// XXH3-128 of a whole content: equal digests are taken for equal contents. It guards against
// accidents, not against people; TLS does that (https://xxhash.com, specification 0.2.0).
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace dagsync {

struct Digest {
  std::array<std::uint8_t, 16> bytes{};  // canonical (big-endian) form
  auto operator<=>(const Digest&) const = default;
};

[[nodiscard]] Digest digest_of(std::string_view content);
[[nodiscard]] std::string to_hex(const Digest& digest);  // 32 lower-case digits
[[nodiscard]] std::optional<Digest> digest_from_hex(std::string_view hex);

// Digest of a content that comes in pieces. Move-only; one thread at a time.
class DigestStream {
 public:
  DigestStream();
  ~DigestStream();
  DigestStream(DigestStream&&) noexcept;
  DigestStream& operator=(DigestStream&&) noexcept;

  void update(std::string_view piece);
  [[nodiscard]] Digest finish() const;  // of all pieces so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dagsync

template <>
struct std::hash<dagsync::Digest> {
  std::size_t operator()(const dagsync::Digest& digest) const noexcept {
    std::size_t value;
    static_assert(sizeof value <= sizeof digest.bytes);
    __builtin_memcpy(&value, digest.bytes.data(), sizeof value);
    return value;
  }
};
