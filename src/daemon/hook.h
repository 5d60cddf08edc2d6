// One [[hook]] of one folder: gathers paths, and runs the program with those that came together.
// Loop thread only.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/config.h"
#include "daemon/hook_environment.h"
#include "dagsync/core/ignore_pattern.h"
#include "dagsync/engine/events.h"
#include "dagsync/engine/status.h"
#include "dagsync/ports/clock.h"
#include "net/uv_process.h"

namespace dagsync {

class Hook {
 public:
  // A run begins when nothing has come for kQuiet, or kLongest after the first.
  static constexpr Duration kQuiet = std::chrono::milliseconds(100);
  static constexpr Duration kLongest = std::chrono::seconds(1);
  // What a run may be given; further paths are left out, and counted.
  static constexpr std::size_t kMostPaths = 100'000;
  static constexpr std::size_t kMostBytes = 16 << 20;
  // After SIGTERM, until SIGKILL.
  static constexpr Duration kGrace = std::chrono::seconds(5);

  struct Ports {
    UvLoop& loop;
    Clock& clock;
  };

  Hook(HookConfig config, const FolderConfig& folder, Ports ports);
  ~Hook();  // ends what runs
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

  [[nodiscard]] const HookConfig& config() const { return config_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const std::string& folder_path() const { return folder_path_; }
  void take(const Event& event);  // of any folder and kind
  // No further run begins; calls back when none is under way.
  void retire(std::function<void()> ended);
  void terminate();  // what runs
  [[nodiscard]] HookStatus status() const;

 private:
  void arm(Duration delay);
  void look();
  void run();
  void out_of_time();
  void ended(const ProcessEnd& end);
  void conclude(std::optional<int> exit, std::string error);
  [[nodiscard]] bool matches(std::string_view path) const;
  [[nodiscard]] Result<std::unique_ptr<UvProcess>> start();

  HookConfig config_;
  std::string folder_;
  std::string folder_path_;
  Ports ports_;
  std::string title_;  // for the log
  std::vector<IgnorePattern> patterns_;
  std::optional<HookUser> user_;  // once found

  std::set<RelPath> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::size_t left_out_ = 0;  // since the last run began
  std::string reason_;        // why the folder halted
  MonoNanos first_;           // when what waits began to come
  MonoNanos newest_;
  TimerId batch_timer_;

  std::unique_ptr<UvProcess> process_;
  TimerId end_timer_;
  bool is_late_ = false;
  std::size_t lines_ = 0;  // of standard error, in this run
  std::string last_line_;
  bool retired_ = false;
  std::function<void()> on_end_;
  HookStatus status_;
};

}  // namespace dagsync
