// A value that its copies share until one of them changes: a pointer wide, and copied by counting.
// For what stands in many places and is mostly the same, or mostly empty. Copies may be held by
// different threads.
#pragma once

#include <atomic>
#include <compare>
#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace dagsync {

template <typename T>
class Shared {
 public:
  Shared() = default;  // T(), which takes no memory
  Shared(T value) : held_(value == T() ? nullptr : new Held(std::move(value))) {}
  template <typename From>
  requires(std::convertible_to<From, T> && !std::same_as<std::remove_cvref_t<From>, T> &&
           !std::same_as<std::remove_cvref_t<From>, Shared>) Shared(From&& from)
      : Shared(T(std::forward<From>(from))) {}
  ~Shared() { release(); }
  Shared(const Shared& other) noexcept : held_(other.held_) {
    if (held_ != nullptr) held_->holders.fetch_add(1, std::memory_order_relaxed);
  }
  Shared(Shared&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }

  const T& operator*() const {
    if (held_ != nullptr) return held_->value;
    static const T none{};
    return none;
  }
  const T* operator->() const { return &**this; }
  [[nodiscard]] bool is_copy_of(const Shared& other) const { return held_ == other.held_; }
  // Whether no other copy is left.
  [[nodiscard]] bool is_alone() const {
    return held_ == nullptr || held_->holders.load(std::memory_order_acquire) == 1;
  }
  // To change it: a value that no copy shares.
  [[nodiscard]] T& own() {
    if (held_ == nullptr) {
      held_ = new Held(T());
    } else if (!is_alone()) {
      *this = Shared(new Held(held_->value));
    }
    return held_->value;
  }

  friend bool operator==(const Shared& a, const Shared& b) {
    return a.held_ == b.held_ || *a == *b;
  }
  friend auto operator<=>(const Shared& a, const Shared& b) {
    if (a.held_ == b.held_) return std::strong_ordering::equal;
    return *a <=> *b;
  }

 private:
  struct Held {
    explicit Held(T of) : value(std::move(of)) {}
    std::atomic<std::uint32_t> holders = 1;
    T value;
  };

  explicit Shared(Held* held) : held_(held) {}

  void release() {
    if (held_ != nullptr && held_->holders.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete held_;
  }

  Held* held_ = nullptr;
};

}  // namespace dagsync
