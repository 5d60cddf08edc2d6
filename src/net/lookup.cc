#include "net/lookup.h"

#include <atomic>
#include <csignal>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace dagsync {
namespace {

std::atomic<int> lookups_under_way{0};

// A thread without the process's signals; false where there is none to be had.
bool start_detached(std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = true;
  try {
    std::thread(std::move(body)).detach();
  } catch (const std::system_error&) {
    started = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace

struct Lookup::State {
  std::mutex mutex;
  UvLoop* loop = nullptr;  // under mutex; null once nobody waits
  OnDone on_done;          // loop thread

  // From any thread.
  static void answer(const std::shared_ptr<State>& state,
                     Result<std::vector<SocketAddress>> found) {
    std::lock_guard lock(state->mutex);
    if (state->loop == nullptr) return;
    // Weak: whoever lets go of the state last, it must not be a post that is dropped.
    state->loop->post([weak = std::weak_ptr(state), found = std::move(found)] {
      const auto waiting = weak.lock();
      if (waiting == nullptr || !waiting->on_done) return;
      const OnDone call = std::exchange(waiting->on_done, nullptr);
      call(found);
    });
  }
};

Lookup::Lookup(UvLoop& loop, const Resolve& resolve, const HostPort& address, OnDone on_done)
    : state_(std::make_shared<State>()) {
  state_->loop = &loop;
  state_->on_done = std::move(on_done);
  if (const auto numeric = numeric_address(address)) {
    State::answer(state_, std::vector{*numeric});
    return;
  }
  const bool below_limit = lookups_under_way.fetch_add(1) < kMaxLookups;
  const bool started = below_limit && start_detached([state = state_, resolve, address]() mutable {
                         State::answer(state, resolve(address));
                         state.reset();
                         lookups_under_way.fetch_sub(1);
                       });
  if (started) return;
  lookups_under_way.fetch_sub(1);
  State::answer(state_,
                fail(ErrorCode::kUnavailable,
                     "look up \"" + address.host +
                         "\": too many lookups wait for an answer: is the name server away?"));
}

Lookup::~Lookup() {
  std::lock_guard lock(state_->mutex);
  state_->loop = nullptr;
  state_->on_done = nullptr;
}

}  // namespace dagsync
