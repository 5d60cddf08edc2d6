// Small files of dagsync's own: configuration, certificates, state. Calls block.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>

#include "dagsync/base/result.h"

namespace dagsync {

// Owns a file descriptor; -1 is none.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  ~OwnedFd() { reset(); }
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }

  void reset(int fd = -1);
  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// The whole file; kInvalid when it has more than `limit` bytes.
[[nodiscard]] Result<std::string> read_small_file(const std::string& path, std::size_t limit);

// Makes a new file with all of `content` and exactly this mode, durable; kExists and untouched
// where something has that name. A crash leaves the whole file or none, or one named ".<name>.tmp".
[[nodiscard]] Status create_file(const std::string& path, std::string_view content, mode_t mode);

// The same, in place of what has that name.
[[nodiscard]] Status replace_file(const std::string& path, std::string_view content, mode_t mode);

// Makes a directory, and those above it with mode 0755; fine where it exists.
[[nodiscard]] Status make_directories(const std::string& path, mode_t mode);

}  // namespace dagsync
