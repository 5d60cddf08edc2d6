// All [[hook]]s of a node, each for each folder that it concerns. Loop thread only.
#pragma once

#include <memory>
#include <vector>

#include "daemon/hook.h"

namespace dagsync {

class Hooks {
 public:
  explicit Hooks(Hook::Ports ports) : ports_(ports) {}

  // Also later: those that stay the same go on, with what they have gathered; of the others what
  // runs may end in its time, and nothing runs again. What cannot be run is logged.
  void configure(const std::vector<HookConfig>& hooks, const std::vector<FolderConfig>& folders);
  void take(const Event& event);
  void stop();  // nothing begins any more, and what runs is told to end
  [[nodiscard]] std::vector<HookStatus> status() const;

 private:
  void retire(std::unique_ptr<Hook> hook);

  Hook::Ports ports_;
  std::vector<std::unique_ptr<Hook>> hooks_;
  std::vector<std::unique_ptr<Hook>> retired_;  // until what they run has ended
  std::vector<std::unique_ptr<Hook>> ended_;    // freed by the next call
  bool stopped_ = false;
};

}  // namespace dagsync
