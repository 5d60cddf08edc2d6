#include "cli/control_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>

#include "daemon/files.h"
#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMaxLineBytes = std::size_t{64} << 20;

Unexpected nobody_answers(const std::string& path) {
  return fail(ErrorCode::kUnavailable,
              "no daemon answers on " + escape_bytes(path) +
                  ": start it with `systemctl start dagsync`, or with `dagsync daemon`");
}

Result<OwnedFd> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return nobody_answers(path);
  path.copy(address.sun_path, path.size());
  OwnedFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno(errno, "make a socket");
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return fd;
  if (errno != EACCES && errno != EPERM) return nobody_answers(path);
  return fail(ErrorCode::kPermission, "may not ask the daemon on " + escape_bytes(path) +
                                          ": join the group dagsync, or use sudo");
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Lines off a socket, up to a moment.
class LineReader {
 public:
  LineReader(int fd, std::optional<Duration> patience) : fd_(fd) {
    if (patience) deadline_ = SteadyClock::now() + *patience;
  }

  // Without the newline; none at the end, after the deadline, or of a line that is too long.
  std::optional<std::string> next() {
    std::size_t searched = 0;
    while (true) {
      const std::size_t end = buffer_.find('\n', searched);
      if (end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return line;
      }
      searched = buffer_.size();
      if (buffer_.size() > kMaxLineBytes || !wait() || !read_more()) return std::nullopt;
    }
  }

 private:
  bool wait() {
    while (true) {
      int left_ms = -1;
      if (deadline_) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - SteadyClock::now());
        const auto most = std::chrono::milliseconds(std::numeric_limits<int>::max());
        if (left.count() <= 0) return false;
        left_ms = static_cast<int>(std::min(left, most).count());
      }
      pollfd readable{fd_, POLLIN, 0};
      const int ready = poll(&readable, 1, left_ms);
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
    }
  }

  bool read_more() {
    std::array<char, 64 * 1024> chunk;
    const ssize_t got = recv(fd_, chunk.data(), chunk.size(), 0);
    if (got > 0) buffer_.append(chunk.data(), static_cast<std::size_t>(got));
    return got > 0 || (got < 0 && errno == EINTR);
  }

  int fd_;
  std::optional<SteadyClock::time_point> deadline_;
  std::string buffer_;
};

}  // namespace

Result<json> call_daemon(const std::string& socket_path, const json& request,
                         const CallOptions& options) {
  const auto fd = connect_to(socket_path);
  if (!fd) return Unexpected(fd.error());
  // Where sending fails the daemon may have said why before it hung up: read on.
  (void)send_all(fd->get(), request.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
  LineReader lines(fd->get(), options.patience);
  while (const auto line = lines.next()) {
    json answer = json::parse(*line, nullptr, false);
    if (!answer.is_object()) {
      return fail(ErrorCode::kCorrupt, "what answers on " + escape_bytes(socket_path) +
                                           " is no dagsync daemon: check control_socket");
    }
    if (answer.contains("done")) return answer;
    if (options.on_progress && answer.contains("progress")) options.on_progress(answer["progress"]);
  }
  return fail(ErrorCode::kUnavailable,
              "the daemon on " + escape_bytes(socket_path) + " gave no answer: look into its log");
}

}  // namespace dagsync
