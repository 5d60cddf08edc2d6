// A libuv handle as a value. Loop thread only; must go before its loop.
#pragma once

#include <uv.h>

#include <memory>
#include <utility>
#include <variant>

#include "dagsync/base/assert.h"

namespace dagsync {

// Move-only, over a heap block that only the close callback frees: libuv may look at a handle until
// then, so the handle can be dropped anywhere, also from within its own callback. `Extra` is kept
// in the same block, and so lives exactly as long. handle->data is the user's; it is null once the
// value is gone, which is how the callbacks of pending requests see that nobody waits for them.
template <typename Handle, typename Extra = std::monostate>
class UvHandle {
 public:
  struct Block {
    Handle handle{};
    Extra extra{};
  };

  UvHandle() = default;  // no handle
  UvHandle(UvHandle&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  UvHandle& operator=(UvHandle&& other) noexcept {
    if (this != &other) {
      close();
      block_ = std::exchange(other.block_, nullptr);
    }
    return *this;
  }
  ~UvHandle() { close(); }

  // Makes the handle with `initialise(Handle*)`, one of libuv's uv_*_init, and returns its code.
  template <typename Initialise>
  [[nodiscard]] int open(Initialise initialise) {
    close();
    auto block = std::make_unique<Block>();
    const int code = initialise(&block->handle);
    if (code == 0) block_ = block.release();
    return code;
  }

  // No callback of the handle finds its user after this.
  void close() {
    if (block_ == nullptr) return;
    Block* block = std::exchange(block_, nullptr);
    block->handle.data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(&block->handle), [](uv_handle_t* handle) {
      delete reinterpret_cast<Block*>(handle);  // the handle is the block's first member
    });
  }

  [[nodiscard]] explicit operator bool() const { return block_ != nullptr; }
  [[nodiscard]] Handle* get() const {
    DAGSYNC_ASSERT(block_ != nullptr);
    return &block_->handle;
  }
  [[nodiscard]] Extra& extra() const {
    DAGSYNC_ASSERT(block_ != nullptr);
    return block_->extra;
  }
  [[nodiscard]] uv_stream_t* stream() const { return reinterpret_cast<uv_stream_t*>(get()); }

 private:
  Block* block_ = nullptr;
};

}  // namespace dagsync
