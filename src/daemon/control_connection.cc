#include "daemon/control_connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

namespace dagsync {
namespace {

std::int64_t monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

bool ControlConnection::write_some(std::string_view& bytes) {
  const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  return sent >= 0 || errno == EAGAIN || errno == EINTR;
}

void ControlConnection::write_line(std::string_view line, int max_stall_ms) {
  const std::string text = std::exchange(offered_, {}) + std::string(line) + "\n";
  std::string_view rest = text;
  const std::int64_t deadline = monotonic_ms() + max_stall_ms;
  while (open_ && write_some(rest)) {
    if (rest.empty()) return;
    const std::int64_t left = deadline - monotonic_ms();
    pollfd writable{fd_.get(), POLLOUT, 0};
    if (left <= 0 || poll(&writable, 1, static_cast<int>(left)) == 0) break;
  }
  finish();
}

bool ControlConnection::offer_line(std::string_view line) {
  if (!flush()) return false;
  offered_ = std::string(line) + "\n";
  flush();
  return true;
}

bool ControlConnection::flush() {
  if (!open_) return true;
  std::string_view rest = offered_;
  const bool alive = rest.empty() || write_some(rest);
  offered_.erase(0, offered_.size() - rest.size());
  if (!alive) finish();
  return offered_.empty() || !alive;
}

void ControlConnection::finish() {
  if (open_) shutdown(fd_.get(), SHUT_RDWR);
  open_ = false;
}

}  // namespace dagsync
