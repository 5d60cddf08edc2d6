// Memory for many small objects that stay: cut from large blocks of their own, without a header
// each. On the common heap they would stand between what a burst needs for a moment, and a page
// with one of them cannot go back to the system when the rest is gone.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace dagsync {

// Pieces of up to kLargest bytes. What is given back is used again for pieces of the same size; the
// blocks go when the slabs go. One thread at a time.
class Slabs {
 public:
  static constexpr std::size_t kLargest = 512;

  [[nodiscard]] void* take(std::size_t bytes);
  void give_back(void* piece, std::size_t bytes);  // as many as were taken

 private:
  static constexpr std::size_t kUnit = alignof(std::max_align_t) / 2;
  struct Free {
    Free* next;
  };

  std::array<Free*, kLargest / kUnit + 1> free_{};  // by units
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::byte* next_ = nullptr;  // what is left of the last block
  std::size_t left_ = 0;
};

// For containers whose nodes stay: each container that was not made from another one has slabs of
// its own, which move with it.
template <typename T>
class SlabAllocator {
 public:
  using value_type = T;
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;

  SlabAllocator() : slabs_(std::make_shared<Slabs>()) {}
  // Copies, also where it could be moved: the container that it is moved from still needs them.
  SlabAllocator(const SlabAllocator& other) noexcept : slabs_(other.slabs_) {}
  SlabAllocator& operator=(const SlabAllocator& other) noexcept = default;
  template <typename Other>
  SlabAllocator(const SlabAllocator<Other>& other) noexcept : slabs_(other.slabs()) {}

  [[nodiscard]] T* allocate(std::size_t count) {
    static_assert(alignof(T) <= alignof(void*));
    if (!is_piece(count)) return std::allocator<T>().allocate(count);
    return static_cast<T*>(slabs_->take(sizeof(T)));
  }
  void deallocate(T* at, std::size_t count) {
    if (!is_piece(count)) return std::allocator<T>().deallocate(at, count);
    slabs_->give_back(at, sizeof(T));
  }
  [[nodiscard]] const std::shared_ptr<Slabs>& slabs() const { return slabs_; }
  bool operator==(const SlabAllocator& other) const { return slabs_ == other.slabs_; }

 private:
  static bool is_piece(std::size_t count) { return count == 1 && sizeof(T) <= Slabs::kLargest; }

  std::shared_ptr<Slabs> slabs_;
};

}  // namespace dagsync
