#include "daemon/hook.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "daemon/event_stream.h"
#include "daemon/files.h"
#include "dagsync/base/log.h"
#include "dagsync/core/ignore.h"

namespace dagsync {
namespace {

constexpr std::size_t kMostLoggedLines = 20;  // of a run's standard error

// A file without a name, so that the program may read as much of it as it likes, when it likes.
Result<OwnedFd> standard_input(const std::string& bytes) {
  OwnedFd fd(memfd_create("dagsync-hook", MFD_CLOEXEC));
  if (!fd) return fail_errno(errno, "make the standard input of a hook");
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = write(fd.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(errno, "write the standard input of a hook");
    done += static_cast<std::size_t>(count);
  }
  lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

}  // namespace

Hook::Hook(HookConfig config, const FolderConfig& folder, Ports ports)
    : config_(std::move(config)), folder_(folder.name), folder_path_(folder.path), ports_(ports) {
  title_ = fmt::format("hook on {} of {}, {}", name_of(config_.on), folder_,
                       escape_bytes(config_.run.front()));
  for (const std::string& line : config_.match) {
    if (auto pattern = IgnorePattern::compile(line)) patterns_.push_back(std::move(*pattern));
  }
  status_.on = name_of(config_.on);
  status_.folder = folder_;
  status_.run = config_.run;
}

Hook::~Hook() {
  if (process_) process_->signal_group(SIGKILL);
  ports_.clock.cancel(batch_timer_);
  ports_.clock.cancel(end_timer_);
}

// As ignore rules do: what lies below a directory that matches does, too; else the last line
// decides.
bool Hook::matches(std::string_view path) const {
  if (config_.match.empty()) return true;
  std::size_t steps = kMaxIgnoreSteps;
  const auto matches_one = [&](std::string_view one, bool is_directory) {
    const std::string_view name = one.substr(one.rfind('/') + 1);
    for (auto pattern = patterns_.rbegin(); pattern != patterns_.rend(); ++pattern) {
      if (pattern->matches(one, name, is_directory, steps)) return !pattern->is_negated();
    }
    return false;
  };
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    if (matches_one(path.substr(0, slash), true)) return true;
  }
  return matches_one(path, false);
}

void Hook::take(const Event& event) {
  if (retired_ || event.kind != config_.on || event.folder != folder_) return;
  const MonoNanos now = ports_.clock.mono();
  if (config_.on == HookConfig::On::kHalted) {
    reason_ = event.what;
  } else {
    if (event.path.is_root() || !matches(event.path.bytes())) return;
    const std::size_t bytes = folder_path_.size() + event.path.bytes().size() + 2;
    const bool is_full = waiting_.size() >= kMostPaths || waiting_bytes_ + bytes > kMostBytes;
    if (is_full && !waiting_.contains(event.path)) {
      ++left_out_;
      ++status_.left_out;
    } else if (waiting_.insert(event.path).second) {
      waiting_bytes_ += bytes;
    }
  }
  newest_ = now;
  if (batch_timer_ != TimerId{} || process_) return;
  first_ = now;
  arm(kQuiet);
}

void Hook::arm(Duration delay) {
  batch_timer_ = ports_.clock.after(delay, [this] {
    batch_timer_ = {};
    look();
  });
}

void Hook::look() {
  const MonoNanos now = ports_.clock.mono();
  const Duration quiet = now - newest_;
  if (quiet < kQuiet && now - first_ < kLongest) {
    arm(kQuiet - quiet);
  } else {
    run();
  }
}

Result<std::unique_ptr<UvProcess>> Hook::start() {
  std::string input;
  for (const RelPath& path : std::exchange(waiting_, {})) {
    input += folder_path_ + '/';
    input += path.bytes();
    input += '\0';
  }
  waiting_bytes_ = 0;
  if (!user_) {
    auto user = find_hook_user(config_.user);
    if (!user) return Unexpected(user.error());
    user_ = std::move(*user);
  }
  const auto fd = standard_input(input);
  if (!fd) return Unexpected(fd.error());
  ProcessPlan plan;
  plan.run = config_.run;
  plan.environment = hook_environment(*user_);
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, std::string>>{
           {"DAGSYNC_EVENT", name_of(config_.on)},
           {"DAGSYNC_FOLDER", folder_},
           {"DAGSYNC_FOLDER_PATH", folder_path_},
           {"DAGSYNC_LEFT_OUT", std::to_string(std::exchange(left_out_, 0))},
           {"DAGSYNC_REASON", std::exchange(reason_, {})}})
    plan.environment.push_back(std::string(name) + "=" + value);
  plan.input = fd->get();
  plan.user = user_->change_to;
  return UvProcess::start(ports_.loop, plan,
                          {[this](std::string_view line) {
                             last_line_ = line;
                             if (++lines_ <= kMostLoggedLines)
                               log::info("{}: {}", title_, escape_bytes(line));
                           },
                           [this](const ProcessEnd& end) { ended(end); }});
}

void Hook::run() {
  lines_ = 0;
  last_line_.clear();
  is_late_ = false;
  ++status_.runs;
  auto process = start();
  if (!process) {
    conclude(std::nullopt, process.error().message);
    return;
  }
  process_ = std::move(*process);
  end_timer_ = ports_.clock.after(config_.timeout, [this] { out_of_time(); });
}

// First time: it may put its things in order. Second time: it has had its time for that.
void Hook::out_of_time() {
  process_->signal_group(is_late_ ? SIGKILL : SIGTERM);
  end_timer_ = {};
  if (std::exchange(is_late_, true)) return;
  end_timer_ = ports_.clock.after(kGrace, [this] { out_of_time(); });
}

void Hook::terminate() {
  if (process_) process_->signal_group(SIGTERM);
}

void Hook::ended(const ProcessEnd& end) {
  ports_.clock.cancel(std::exchange(end_timer_, {}));
  // What it started and left behind goes with one that was ended.
  if (is_late_) process_->signal_group(SIGKILL);
  process_.reset();
  std::string error;
  if (is_late_) {
    error = fmt::format("it took longer than {} s and was ended: mend it, or give it more timeout",
                        std::chrono::duration<double>(config_.timeout).count());
  } else if (end.signal != 0) {
    error = fmt::format("ended by signal {}", end.signal);
  } else if (end.status != 0) {
    error = fmt::format("exit status {}", end.status);
  }
  if (!error.empty() && !last_line_.empty()) error += ": " + escape_bytes(last_line_);
  conclude(end.signal == 0 ? std::optional(end.status) : std::nullopt, std::move(error));
}

void Hook::conclude(std::optional<int> exit, std::string error) {
  status_.last_exit = exit;
  status_.last_end = ports_.clock.now();
  status_.last_error = std::move(error);
  if (!status_.last_error.empty()) {
    ++status_.failures;
    log::warning("{}: {}", title_, status_.last_error);
  }
  if (on_end_) {
    const auto call = std::exchange(on_end_, nullptr);
    call();  // may destroy this
    return;
  }
  if (waiting_.empty() && left_out_ == 0 && reason_.empty()) return;
  first_ = newest_ = ports_.clock.mono();
  arm(kQuiet);
}

void Hook::retire(std::function<void()> ended) {
  retired_ = true;
  waiting_.clear();
  left_out_ = 0;
  reason_.clear();
  ports_.clock.cancel(std::exchange(batch_timer_, {}));
  if (!process_) {
    ended();
  } else {
    on_end_ = std::move(ended);
  }
}

HookStatus Hook::status() const {
  HookStatus status = status_;
  status.running = process_ != nullptr;
  status.waiting = waiting_.size();
  return status;
}

}  // namespace dagsync
