#include "daemon/hooks.h"

#include <algorithm>
#include <utility>

#include "daemon/hook_environment.h"
#include "dagsync/base/log.h"

namespace dagsync {

void Hooks::configure(const std::vector<HookConfig>& hooks,
                      const std::vector<FolderConfig>& folders) {
  ended_.clear();
  std::vector<std::unique_ptr<Hook>> before = std::exchange(hooks_, {});
  for (const HookConfig& config : hooks) {
    if (const Status can = check_hook(config); !can) log::warning("{}", can.error().message);
    for (const FolderConfig& folder : folders) {
      if (!config.folder.empty() && config.folder != folder.name) continue;
      const auto same = std::find_if(before.begin(), before.end(), [&](const auto& hook) {
        return hook && hook->config() == config && hook->folder() == folder.name &&
               hook->folder_path() == folder.path;
      });
      hooks_.push_back(same != before.end() ? std::move(*same)
                                            : std::make_unique<Hook>(config, folder, ports_));
    }
  }
  for (auto& hook : before) {
    if (hook) retire(std::move(hook));
  }
}

void Hooks::retire(std::unique_ptr<Hook> hook) {
  Hook* raw = hook.get();
  retired_.push_back(std::move(hook));
  raw->retire([this, raw] {
    const auto it = std::find_if(retired_.begin(), retired_.end(),
                                 [raw](const auto& each) { return each.get() == raw; });
    if (it == retired_.end()) return;
    ended_.push_back(std::move(*it));
    retired_.erase(it);
  });
}

void Hooks::take(const Event& event) {
  if (stopped_) return;
  for (const auto& hook : hooks_)
    hook->take(event);
}

void Hooks::stop() {
  stopped_ = true;
  for (const auto& hook : hooks_)
    hook->terminate();
  for (const auto& hook : retired_)
    hook->terminate();
}

std::vector<HookStatus> Hooks::status() const {
  std::vector<HookStatus> list;
  for (const auto& hook : hooks_)
    list.push_back(hook->status());
  return list;
}

}  // namespace dagsync
