// What the control socket can ask of a running node. Loop thread only.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/control_server.h"
#include "dagsync/engine/node.h"

namespace dagsync {

class Commands final : public ControlHandler {
 public:
  Commands(Node& node, Clock& clock) : node_(node), clock_(clock) {}

  void handle(const nlohmann::json& request, std::shared_ptr<ControlReply> reply) override;

 private:
  struct Push;
  struct VerifyCall;
  using Reply = std::shared_ptr<ControlReply>;

  void status(const nlohmann::json& request, const Reply& reply);
  void wait_for_sync(MonoNanos deadline, const Reply& reply);
  void answer_status(const Reply& reply);
  void push(const nlohmann::json& request, const Reply& reply);
  void watch_push(const std::shared_ptr<Push>& push);
  void list_versions(const nlohmann::json& request, const Reply& reply, bool conflicts);
  void restore(const nlohmann::json& request, const Reply& reply);
  void pause(const nlohmann::json& request, const Reply& reply);
  void resume(const nlohmann::json& request, const Reply& reply);
  void verify(const nlohmann::json& request, const Reply& reply);
  void verified(const std::shared_ptr<VerifyCall>& call, const std::string& folder,
                const VerifyReport& report);

  [[nodiscard]] std::vector<FolderConfig> configs() const;
  // The folder and the path of a request; an answered error otherwise.
  struct Place {
    Folder* folder = nullptr;
    RelPath path;
  };
  [[nodiscard]] Result<Place> place_of(const nlohmann::json& request, const std::string& path);
  [[nodiscard]] Result<Folder*> folder_of(const nlohmann::json& request);

  Node& node_;
  Clock& clock_;
  std::weak_ptr<VerifyCall> verifying_;
};

}  // namespace dagsync
