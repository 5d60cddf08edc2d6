// The control socket: how the command line talks to the daemon. A client connects to the unix
// socket, sends one line with a JSON object, {"command": "status", ...}, and gets lines back: any
// number of {"progress": {...}}, then one with "done": true, "exit": N and either what it asked for
// or "error": "what went wrong: how to mend it". Then the server closes. A client that closes its
// sending side has gone away.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/event_stream.h"
#include "daemon/files.h"
#include "dagsync/base/result.h"

namespace dagsync {

// A descriptor being watched, until this is destroyed; from within its own callback too.
class FdWatch {
 public:
  virtual ~FdWatch() = default;
};

// Calls back on the loop thread whenever there is something to read (or the other end closed),
// again and again until it was read; never from within this call.
using WatchReadable =
    std::function<Result<std::unique_ptr<FdWatch>>(int fd, std::function<void()> on_readable)>;

class ControlConnection;

// How one request is answered. Loop thread only; may be kept and used later. One that is destroyed
// before it was answered tells the client so.
class ControlReply final : public EventSink {
 public:
  explicit ControlReply(std::shared_ptr<ControlConnection> connection);
  ~ControlReply() override;
  ControlReply(const ControlReply&) = delete;
  ControlReply& operator=(const ControlReply&) = delete;

  void progress(const nlohmann::json& what);
  // A whole line of an answer without end.
  [[nodiscard]] bool offer(const nlohmann::json& line) override;
  bool flush() override;
  void close() override;  // it was answered by lines of its own
  // `payload` is an object; its "exit" is the client's exit status, 0 where it has none.
  void done(nlohmann::json payload);
  void fail(int exit_status, const std::string& error);
  // The client went away, or was answered: nothing that follows is of any use.
  [[nodiscard]] bool closed() const override;

 private:
  std::shared_ptr<ControlConnection> connection_;
};

class ControlHandler {
 public:
  virtual ~ControlHandler() = default;
  // `request` is an object with a string "command". Answers now or later.
  virtual void handle(const nlohmann::json& request, std::shared_ptr<ControlReply> reply) = 0;
};

// Loop thread only. Small answers are written at once; a client that does not take one within
// kMaxWriteStall is dropped, so that nobody holds up the loop for longer.
class ControlServer {
 public:
  static constexpr std::size_t kMaxClients = 64;
  static constexpr std::size_t kMaxRequestBytes = std::size_t{1} << 20;
  static constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 20;
  static constexpr int kMaxWriteStallMs = 1000;

  // `handler` must outlive the server. Replaces a socket file on which nobody answers; kUnavailable
  // where somebody does, kExists where something else has that name. The file gets mode 0660 and,
  // where there is one, the group `dagsync`; it is removed in the end.
  [[nodiscard]] static Result<std::unique_ptr<ControlServer>> listen(const std::string& path,
                                                                     WatchReadable watch_readable,
                                                                     ControlHandler& handler);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  [[nodiscard]] std::size_t clients() const { return clients_.size(); }

 private:
  struct Client {
    std::shared_ptr<ControlConnection> connection;
    std::unique_ptr<FdWatch> watch;
    std::string input;
    bool asked = false;  // one request a connection: the rest is not read
  };

  ControlServer(std::string path, OwnedFd listener, WatchReadable watch_readable,
                ControlHandler& handler);
  void on_connection();
  void on_readable(std::uint64_t id);
  void take_input(Client& client, std::string_view bytes);
  void ask(Client& client, std::string_view line);

  std::string path_;
  OwnedFd listener_;
  OwnedFd spare_;  // given up for a moment when descriptors run out, to refuse a client in order
  std::pair<dev_t, ino_t> file_id_;
  WatchReadable watch_readable_;
  ControlHandler& handler_;
  std::unique_ptr<FdWatch> watch_;
  std::map<std::uint64_t, Client> clients_;
  std::uint64_t next_id_ = 1;
};

}  // namespace dagsync
