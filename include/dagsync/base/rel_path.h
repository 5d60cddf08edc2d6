// A path inside a folder, which cannot leave it. Names are bytes: any byte but NUL and '/'.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "dagsync/base/result.h"

namespace dagsync {

inline constexpr std::size_t kMaxNameBytes = 255;   // NAME_MAX of Linux
inline constexpr std::size_t kMaxPathBytes = 4095;  // PATH_MAX without the NUL

// "dags/etl/load.py", or "" for the root of the folder. Never absolute, no empty, "." or ".."
// component, no NUL, within the limits above. Ordered bytewise.
class RelPath {
 public:
  RelPath() = default;  // the root

  // From untrusted bytes; kInvalid where they break the rules above.
  [[nodiscard]] static Result<RelPath> parse(std::string_view bytes);

  [[nodiscard]] bool is_root() const { return bytes_.empty(); }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::string_view name() const;  // the last component; "" of the root
  [[nodiscard]] RelPath parent() const;         // of the root: the root
  [[nodiscard]] std::string_view parent_bytes() const { return parent_of(bytes_); }
  // Of the bytes of a path, those of its parent: "" of what lies in the root.
  [[nodiscard]] static std::string_view parent_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  }
  // Whether this path lies strictly below `ancestor`; every path but the root is below the root.
  [[nodiscard]] bool is_below(const RelPath& ancestor) const;
  // A component appended; kInvalid where `name` is no valid component or the path gets too long.
  [[nodiscard]] Result<RelPath> child(std::string_view name) const;

  auto operator<=>(const RelPath&) const = default;

 private:
  explicit RelPath(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

// The same order, for what is searched by the bytes of a path, too.
struct ByBytes {
  using is_transparent = void;
  bool operator()(const RelPath& a, const RelPath& b) const { return a.bytes() < b.bytes(); }
  bool operator()(const RelPath& a, std::string_view b) const { return a.bytes() < b; }
  bool operator()(std::string_view a, const RelPath& b) const { return a < b.bytes(); }
};

// For people and JSON: bytes that are not valid UTF-8, and control characters, as \xNN, and a
// backslash as two.
[[nodiscard]] std::string escape_bytes(std::string_view bytes);
// The same without touching control characters, which JSON escapes in its own way.
[[nodiscard]] std::string to_utf8(std::string_view bytes);
[[nodiscard]] inline std::string display(const RelPath& path) {
  return path.is_root() ? "." : escape_bytes(path.bytes());
}

}  // namespace dagsync

// With a key that each process draws for itself: peers choose paths, and must not be able to choose
// such as share a bucket. So nothing may depend on the order of a container by this. Any thread.
template <>
struct std::hash<dagsync::RelPath> {
  // Not noexcept, by which libstdc++ keeps the value with the element instead of asking again.
  std::size_t operator()(const dagsync::RelPath& path) const;
};
