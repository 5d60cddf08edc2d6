// What `dagsync daemon --check` finds wrong: each fault is said as it is found, and the rest is
// looked at all the same.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/config.h"
#include "daemon/control_server.h"
#include "daemon/running_daemon.h"
#include "dagsync/base/result.h"
#include "net/tcp_listener.h"

namespace dagsync {

// Loop thread only; the loop need not run. What it has bound it holds until it is destroyed, so
// that two addresses of one configuration that exclude each other are found, too.
class ConfigCheck {
 public:
  ConfigCheck(UvLoop& loop, const Config& config) : loop_(loop), config_(config) {}

  // Prints what failed on standard error; whether it did not.
  template <typename T>
  bool note(const Result<T>& result) {
    if (!result) complain(result.error());
    return result.has_value();
  }
  // Binds [node] listen and http, but for what `running`, a daemon of this configuration, has
  // (null: none runs).
  void ports(const RunningDaemon* running);
  void control_socket(const WatchReadable& watch_readable);
  // The directory and the owner, without opening what else belongs to it; `warns` of a right that
  // is missing.
  bool folder(const FolderConfig& folder, bool warns);
  void hooks();
  [[nodiscard]] bool is_good() const { return is_good_; }

 private:
  void complain(const Error& error);
  Status bind(const std::string& key, const std::string& address);

  UvLoop& loop_;
  const Config& config_;
  bool is_good_ = true;
  std::vector<std::unique_ptr<TcpListener>> bound_;
};

}  // namespace dagsync
