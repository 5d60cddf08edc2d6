#include "daemon/running_daemon.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "daemon/files.h"

namespace dagsync {
namespace {

using nlohmann::json;

constexpr int kPatienceMs = 2000;
constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 20;

OwnedFd connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return OwnedFd();
  path.copy(address.sun_path, path.size());
  OwnedFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (!fd || connect(fd.get(), generic, sizeof address) != 0) return OwnedFd();
  return fd;
}

// All that comes before the other end closes; what takes too long is no answer.
std::string read_answer(int fd) {
  std::string answer;
  std::array<char, 64 * 1024> chunk;
  while (answer.size() < kMaxAnswerBytes) {
    pollfd readable{fd, POLLIN, 0};
    if (poll(&readable, 1, kPatienceMs) <= 0) return "";
    const ssize_t got = recv(fd, chunk.data(), chunk.size(), 0);
    if (got <= 0) return answer;
    answer.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return "";
}

std::string port_of(const std::string& address) {
  return address.substr(address.rfind(':') + 1);
}

}  // namespace

std::optional<RunningDaemon> find_running(const std::string& control_socket) {
  const OwnedFd fd = connect_to(control_socket);
  constexpr std::string_view kRequest = "{\"command\":\"status\"}\n";
  if (!fd || send(fd.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0) return {};
  const json answer = json::parse(read_answer(fd.get()), nullptr, false);
  if (!answer.is_object() || !answer.contains("status")) return {};
  const json& status = answer["status"];
  RunningDaemon running;
  running.node.value = status.value("node", "");
  for (const json& address : status.value("listen", json::array())) {
    if (address.is_string()) running.listen.push_back(address.get<std::string>());
  }
  return running;
}

std::vector<std::string> without_ports_of(const RunningDaemon& running,
                                          const std::vector<std::string>& addresses) {
  std::vector<std::string> others;
  for (const std::string& address : addresses) {
    const bool has = std::ranges::any_of(
        running.listen, [&](const std::string& its) { return port_of(its) == port_of(address); });
    if (!has) others.push_back(address);
  }
  return others;
}

}  // namespace dagsync
