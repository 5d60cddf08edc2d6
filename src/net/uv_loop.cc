#include "net/uv_loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "dagsync/base/assert.h"

namespace dagsync {
namespace {

constexpr std::uint64_t kLongTurnMs = 10;

void assert_closing(uv_handle_t* handle, void*) {
  DAGSYNC_ASSERT(uv_is_closing(handle));  // else something outlived its loop
}

}  // namespace

UvLoop::UvLoop() : wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  // A peer that hangs up is an error of the write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  // These fail only where a process that starts is out of descriptors or memory.
  DAGSYNC_ASSERT(uv_loop_init(&loop_) == 0);
  DAGSYNC_ASSERT(wake_fd_ >= 0);
  auto watch = on_readable(wake_fd_, [this] { run_posted(); });
  DAGSYNC_ASSERT(watch.has_value());
  wake_ = std::move(*watch);
}

UvLoop::~UvLoop() {
  std::vector<std::function<void()>> dropped;
  {
    std::lock_guard lock(mutex_);
    dropped.swap(posted_);
  }
  dropped.clear();
  wake_.close();
  uv_walk(&loop_, assert_closing, nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);  // the close callbacks
  DAGSYNC_ASSERT(uv_loop_close(&loop_) == 0);
  ::close(wake_fd_);
}

void UvLoop::run() {
  uv_run(&loop_, UV_RUN_DEFAULT);
}

void UvLoop::run_once() {
  uv_run(&loop_, UV_RUN_ONCE);
}

void UvLoop::stop() {
  uv_stop(&loop_);
}

void UvLoop::post(std::function<void()> call) {
  bool is_first = false;
  {
    std::lock_guard lock(mutex_);
    posted_.push_back(std::move(call));
    is_first = posted_.size() == 1;
  }
  // Not within the lock, which the loop takes as soon as it wakes. Never full: the loop reads it
  // before it takes the calls.
  constexpr std::uint64_t kOne = 1;
  if (is_first) DAGSYNC_ASSERT(::write(wake_fd_, &kOne, sizeof kOne) == sizeof kOne);
}

void UvLoop::run_posted() {
  std::uint64_t posts;
  if (::read(wake_fd_, &posts, sizeof posts) < 0) return;
  std::vector<std::function<void()>> batch;
  {
    std::lock_guard lock(mutex_);
    batch.swap(posted_);
  }
  for (auto& call : batch) {
    call();
    call = nullptr;  // what it holds goes before the next one runs
  }
}

// libuv looks at the clock when it has waited for events.
bool UvLoop::turn_is_long() const {
  constexpr std::uint64_t kNanosInMs = 1'000'000;
  return uv_hrtime() / kNanosInMs >= uv_now(&loop_) + kLongTurnMs;
}

Result<SignalWatch> UvLoop::on_signal(int signal, std::function<void()> call) {
  SignalWatch watch;
  int code = watch.open([this](uv_signal_t* handle) { return uv_signal_init(&loop_, handle); });
  if (code != 0) return fail_errno(-code, "watch a signal");
  watch.extra() = std::move(call);
  code = uv_signal_start(
      watch.get(),
      [](uv_signal_t* handle, int) { reinterpret_cast<SignalWatch::Block*>(handle)->extra(); },
      signal);
  if (code != 0) return fail_errno(-code, "watch a signal");
  return watch;
}

Result<ReadableWatch> UvLoop::on_readable(int fd, std::function<void()> call) {
  ReadableWatch watch;
  int code = watch.open([&](uv_poll_t* handle) { return uv_poll_init(&loop_, handle, fd); });
  if (code != 0) return fail_errno(-code, "poll a descriptor");
  watch.extra() = std::move(call);
  code = uv_poll_start(watch.get(), UV_READABLE, [](uv_poll_t* handle, int, int) {
    reinterpret_cast<ReadableWatch::Block*>(handle)->extra();
  });
  if (code != 0) return fail_errno(-code, "poll a descriptor");
  return watch;
}

}  // namespace dagsync
