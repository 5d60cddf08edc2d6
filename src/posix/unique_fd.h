// Owns a file descriptor.
#pragma once

#include <unistd.h>

#include <memory>
#include <utility>

namespace dagsync {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

// A directory that several things hold on to.
using SharedFd = std::shared_ptr<const UniqueFd>;

[[nodiscard]] inline SharedFd share(UniqueFd fd) {
  return std::make_shared<const UniqueFd>(std::move(fd));
}

}  // namespace dagsync
