#include "daemon/control_server.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "daemon/control_connection.h"
#include "dagsync/base/log.h"
#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

using nlohmann::json;

constexpr const char* kGroup = "dagsync";
constexpr int kMaxAcceptsAtOnce = 16;  // then the loop has its turn

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

bool somebody_answers(const sockaddr_un& address) {
  const OwnedFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN;
}

// Takes away what an earlier daemon left behind, and nothing else.
Status clear_stale(const std::string& path, const sockaddr_un& address) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? Status() : fail_errno(errno, escape_bytes(path));
  }
  if (!S_ISSOCK(info.st_mode)) {
    return fail(ErrorCode::kExists, escape_bytes(path) +
                                        " is no socket: move it away, or set [node] "
                                        "control_socket to another path");
  }
  if (somebody_answers(address)) {
    return fail(ErrorCode::kUnavailable,
                "another daemon answers on " + escape_bytes(path) +
                    ": stop it, or give each node a control_socket of its own");
  }
  if (unlink(path.c_str()) != 0) return fail_errno(errno, "remove stale " + escape_bytes(path));
  return {};
}

void give_to_group(const std::string& path) {
  std::array<char, 16 * 1024> buffer{};
  group entry{};
  group* found = nullptr;
  getgrnam_r(kGroup, &entry, buffer.data(), buffer.size(), &found);
  if (!found || chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) == 0) return;
  log::warning("{}: cannot give it to the group {}: {}; only its owner can use the command line",
               escape_bytes(path), kGroup, strerror(errno));
}

Result<OwnedFd> bind_socket(const std::string& path) {
  const std::string doing = "[node] control_socket: listen on " + escape_bytes(path);
  const sockaddr_un address = address_of(path);
  const std::string parent = std::filesystem::path(path).parent_path().string();
  if (Status made = make_directories(parent, 0755); !made) return Unexpected(made.error());
  if (Status clear = clear_stale(path, address); !clear) return Unexpected(clear.error());
  OwnedFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Linux makes the file with the mode of the socket, so it is never wider open than in the end.
  if (!fd || fchmod(fd.get(), 0660) != 0 || bind(fd.get(), generic(address), sizeof address) != 0) {
    return fail_errno(errno, doing);
  }
  give_to_group(path);
  if (chmod(path.c_str(), 0660) != 0 || ::listen(fd.get(), SOMAXCONN) != 0) {
    return fail_errno(errno, doing);
  }
  return fd;
}

// A name that is not UTF-8 must not keep an answer from being written.
std::string to_line(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

ControlReply::ControlReply(std::shared_ptr<ControlConnection> connection)
    : connection_(std::move(connection)) {}

ControlReply::~ControlReply() {
  if (!closed()) fail(1, "the daemon stopped before it had an answer: look into its log");
}

bool ControlReply::closed() const {
  return !connection_->is_open();
}

void ControlReply::progress(const json& what) {
  connection_->write_line(to_line({{"progress", what}}), ControlServer::kMaxWriteStallMs);
}

bool ControlReply::offer(const json& line) {
  return connection_->offer_line(to_line(line));
}

bool ControlReply::flush() {
  return connection_->flush();
}

void ControlReply::close() {
  connection_->finish();
}

void ControlReply::done(json payload) {
  payload["done"] = true;
  if (!payload.contains("exit")) payload["exit"] = 0;
  const std::string line = to_line(payload);
  if (line.size() > ControlServer::kMaxAnswerBytes) {
    return fail(1, "the answer is too long: ask for one folder or path");
  }
  connection_->write_line(line, ControlServer::kMaxWriteStallMs);
  connection_->finish();
}

void ControlReply::fail(int exit_status, const std::string& error) {
  done({{"exit", exit_status}, {"error", error.substr(0, ControlServer::kMaxRequestBytes)}});
}

Result<std::unique_ptr<ControlServer>> ControlServer::listen(const std::string& path,
                                                             WatchReadable watch_readable,
                                                             ControlHandler& handler) {
  auto listener = bind_socket(path);
  if (!listener) return Unexpected(listener.error());
  std::unique_ptr<ControlServer> server(
      new ControlServer(path, std::move(*listener), std::move(watch_readable), handler));
  auto watch = server->watch_readable_(server->listener_.get(),
                                       [raw = server.get()] { raw->on_connection(); });
  if (!watch) return Unexpected(watch.error());
  server->watch_ = std::move(*watch);
  return server;
}

ControlServer::ControlServer(std::string path, OwnedFd listener, WatchReadable watch_readable,
                             ControlHandler& handler)
    : path_(std::move(path)),
      listener_(std::move(listener)),
      spare_(open("/dev/null", O_RDONLY | O_CLOEXEC)),
      watch_readable_(std::move(watch_readable)),
      handler_(handler) {
  struct stat info {};
  if (stat(path_.c_str(), &info) == 0) file_id_ = {info.st_dev, info.st_ino};
}

ControlServer::~ControlServer() {
  struct stat info {};
  const bool ours =
      stat(path_.c_str(), &info) == 0 && file_id_ == std::pair(info.st_dev, info.st_ino);
  if (ours) unlink(path_.c_str());
  watch_.reset();
  for (auto& [id, client] : clients_) {
    client.watch.reset();
    client.connection->finish();
  }
}

void ControlServer::on_connection() {
  for (int i = 0; i < kMaxAcceptsAtOnce; ++i) {
    OwnedFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd && (errno == EMFILE || errno == ENFILE)) {
      spare_.reset();
      fd.reset(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      fd.reset();
      spare_.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
      return;
    }
    if (!fd) return;
    const int raw = fd.get();
    auto connection = std::make_shared<ControlConnection>(std::move(fd));
    if (clients_.size() >= kMaxClients) {
      ControlReply(connection).fail(1, "too many commands at once: try again in a moment");
      continue;
    }
    const std::uint64_t id = next_id_++;
    auto watch = watch_readable_(raw, [this, id] { on_readable(id); });
    if (watch) clients_[id] = Client{std::move(connection), std::move(*watch), "", false};
  }
}

void ControlServer::on_readable(std::uint64_t id) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  Client& client = found->second;
  std::array<char, 64 * 1024> buffer;
  const ssize_t got = recv(client.connection->fd(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got > 0) return take_input(client, {buffer.data(), static_cast<std::size_t>(got)});
  client.connection->finish();
  client.watch.reset();  // before the descriptor is closed
  clients_.erase(found);
}

void ControlServer::take_input(Client& client, std::string_view bytes) {
  if (client.asked) return;
  client.input += bytes;
  const std::size_t end = client.input.find('\n');
  client.asked = end != std::string::npos || client.input.size() > kMaxRequestBytes;
  if (!client.asked) return;
  const std::string line = client.input.substr(0, end);
  client.input = std::string();
  ask(client, line);
}

void ControlServer::ask(Client& client, std::string_view line) {
  const auto reply = std::make_shared<ControlReply>(client.connection);
  if (line.size() > kMaxRequestBytes) return reply->fail(2, "the request is longer than 1 MiB");
  const json request = json::parse(line, nullptr, false);
  if (!request.is_object() || !request.contains("command") || !request["command"].is_string()) {
    return reply->fail(2, "not a request: send one line with {\"command\": \"status\"}");
  }
  try {
    handler_.handle(request, reply);
  } catch (const json::exception& error) {  // an argument of another type than the handler took
    reply->fail(2, "not a request that this daemon understands: " + std::string(error.what()));
  }
}

}  // namespace dagsync
