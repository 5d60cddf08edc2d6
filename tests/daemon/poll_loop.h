// The smallest loop that a control server runs on.
#pragma once

#include <poll.h>

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "daemon/control_server.h"

namespace dagsync {

class PollLoop {
 public:
  WatchReadable watch_readable() {
    return [this](int fd, std::function<void()> call) -> Result<std::unique_ptr<FdWatch>> {
      calls_[fd] = std::make_shared<std::function<void()>>(std::move(call));
      return std::make_unique<Watch>(*this, fd);
    };
  }

  // Waits a little for something to read and handles it.
  void turn(int timeout_ms = 20) {
    std::vector<pollfd> polled;
    for (const auto& [fd, call] : calls_)
      polled.push_back({fd, POLLIN, 0});
    poll(polled.data(), polled.size(), timeout_ms);
    for (const pollfd& one : polled) {
      const auto found = calls_.find(one.fd);
      if (one.revents == 0 || found == calls_.end()) continue;
      const auto call = found->second;  // the watch may go during the call
      (*call)();
    }
  }

 private:
  struct Watch : FdWatch {
    Watch(PollLoop& its_loop, int its_fd) : loop(its_loop), fd(its_fd) {}
    ~Watch() override { loop.calls_.erase(fd); }
    PollLoop& loop;
    int fd;
  };

  std::map<int, std::shared_ptr<std::function<void()>>> calls_;
};

}  // namespace dagsync
