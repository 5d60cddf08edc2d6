// The event loop of the process. Everything but post() belongs to the thread that runs it.
#pragma once

#include <uv.h>

#include <functional>
#include <mutex>
#include <vector>

#include "dagsync/base/result.h"
#include "net/uv_handle.h"

namespace dagsync {

// Calls as long as it lives; may be destroyed from within its call.
using SignalWatch = UvHandle<uv_signal_t, std::function<void()>>;
using ReadableWatch = UvHandle<uv_poll_t, std::function<void()>>;

// Owns the uv_loop_t. Whatever was made on the loop must be gone before it (asserted); the
// destructor drops the calls still posted and closes the rest. Makes the process ignore SIGPIPE.
class UvLoop {
 public:
  UvLoop();
  ~UvLoop();
  UvLoop(const UvLoop&) = delete;
  UvLoop& operator=(const UvLoop&) = delete;

  void run();       // until stop()
  void run_once();  // waits for the next events and handles them
  void stop();      // run() returns after the calls under way; before run(): at its start

  // Calls later, on the loop thread, in the order of the posts. Thread-safe, though not beside the
  // destructor; never blocks.
  void post(std::function<void()> call);

  // Whether the events that came together have taken 10 ms already. Who could go on for long, such
  // as with a connection that brings more than is handled meanwhile, then lets the others have a
  // turn.
  [[nodiscard]] bool turn_is_long() const;

  [[nodiscard]] Result<SignalWatch> on_signal(int signal, std::function<void()> call);
  // Calls while `fd` has something to read, or is in error. The fd stays the caller's, becomes
  // non-blocking, and must not be closed before the watch is gone.
  [[nodiscard]] Result<ReadableWatch> on_readable(int fd, std::function<void()> call);

  [[nodiscard]] uv_loop_t* raw() { return &loop_; }

 private:
  void run_posted();

  uv_loop_t loop_{};
  int wake_fd_;  // an eventfd: uv_async_t makes the loop spin until the poster runs again
  ReadableWatch wake_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // under mutex_
};

}  // namespace dagsync
