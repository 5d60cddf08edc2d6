#include "net/uv_loop.h"

#include <csignal>
#include <utility>

#include "dagsync/base/assert.h"

namespace dagsync {
namespace {

void assert_closing(uv_handle_t* handle, void*) {
  DAGSYNC_ASSERT(uv_is_closing(handle));  // else something outlived its loop
}

}  // namespace

UvLoop::UvLoop() {
  // A peer that hangs up is an error of the write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  // These fail only where a process that starts is out of descriptors or memory.
  DAGSYNC_ASSERT(uv_loop_init(&loop_) == 0);
  const int code = wake_.open([this](uv_async_t* wake) {
    return uv_async_init(&loop_, wake, [](uv_async_t* handle) {
      if (handle->data != nullptr) static_cast<UvLoop*>(handle->data)->run_posted();
    });
  });
  DAGSYNC_ASSERT(code == 0);
  wake_.get()->data = this;
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
  std::lock_guard lock(mutex_);
  posted_.push_back(std::move(call));
  // Within the lock, so that the destructor cannot close the handle in between.
  if (posted_.size() == 1 && wake_) uv_async_send(wake_.get());
}

void UvLoop::run_posted() {
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
