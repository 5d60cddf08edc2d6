#include "dagsync/base/rel_path.h"

#include <xxhash.h>

#include <cstdint>
#include <random>

namespace dagsync {
namespace {

bool is_component(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.size() <= kMaxNameBytes &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

Unexpected bad_path(std::string_view bytes) {
  return fail(ErrorCode::kInvalid, "not a path inside the folder: \"" +
                                       escape_bytes(bytes.substr(0, 512)) +
                                       "\": use relative names without . or ..");
}

// The length of the valid UTF-8 sequence at the start of `text` (RFC 3629), 0 where there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  std::size_t length = 0;
  std::uint32_t code = 0;
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
    code = first & 0x1Fu;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    code = first & 0x0Fu;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    code = first & 0x07u;
  }
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = (code << 6) | (byte(i) & 0x3Fu);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return overlong || surrogate || code > 0x10FFFF ? 0 : length;
}

void append_hex(std::string& out, std::uint8_t byte) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += "\\x";
  out.push_back(kDigits[byte >> 4]);
  out.push_back(kDigits[byte & 15]);
}

std::string escaped(std::string_view bytes, bool controls_too) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    const auto first = static_cast<std::uint8_t>(bytes[0]);
    const bool is_control = first < 0x20 || first == 0x7F;
    if (length == 0 || (controls_too && is_control)) {
      append_hex(out, first);
      bytes.remove_prefix(1);
      continue;
    }
    if (first == '\\') out.push_back('\\');
    out.append(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  return out;
}

}  // namespace

Result<RelPath> RelPath::parse(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > kMaxPathBytes) return bad_path(bytes);
  std::string_view rest = bytes;
  while (true) {
    const std::size_t slash = rest.find('/');
    if (!is_component(rest.substr(0, slash))) return bad_path(bytes);
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  return RelPath(std::string(bytes));
}

std::string_view RelPath::name() const {
  const std::size_t slash = bytes_.rfind('/');
  return slash == std::string::npos ? std::string_view(bytes_)
                                    : std::string_view(bytes_).substr(slash + 1);
}

RelPath RelPath::parent() const {
  return RelPath(std::string(parent_bytes()));
}

bool RelPath::is_below(const RelPath& ancestor) const {
  if (ancestor.is_root()) return !is_root();
  return bytes_.size() > ancestor.bytes_.size() && bytes_.starts_with(ancestor.bytes_) &&
         bytes_[ancestor.bytes_.size()] == '/';
}

Result<RelPath> RelPath::child(std::string_view name) const {
  if (!is_component(name)) return bad_path(name);
  std::string joined = is_root() ? std::string(name) : bytes_ + "/" + std::string(name);
  if (joined.size() > kMaxPathBytes) return bad_path(joined);
  return RelPath(std::move(joined));
}

std::string escape_bytes(std::string_view bytes) {
  return escaped(bytes, true);
}

std::string to_utf8(std::string_view bytes) {
  return escaped(bytes, false);
}

}  // namespace dagsync

std::size_t std::hash<dagsync::RelPath>::operator()(const dagsync::RelPath& path) const {
  static const XXH64_hash_t key = [] {
    std::random_device device;
    return XXH64_hash_t{device()} << 32 | device();
  }();
  return XXH3_64bits_withSeed(path.bytes().data(), path.bytes().size(), key);
}
