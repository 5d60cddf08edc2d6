// Rights that a test puts down for a while.
#pragma once

#include <doctest/doctest.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <initializer_list>

namespace dagsync {

// Of the calling thread: as root in a user namespace, or on a file system that knows no owners.
class WithoutCapabilities {
 public:
  WithoutCapabilities(std::initializer_list<unsigned> without) {
    std::uint32_t left = before_;
    for (const unsigned each : without)
      left &= ~(1U << each);
    set(left);
  }
  ~WithoutCapabilities() { set(before_); }
  WithoutCapabilities(const WithoutCapabilities&) = delete;
  WithoutCapabilities& operator=(const WithoutCapabilities&) = delete;

 private:
  using Data = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;
  static Data get() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    Data data{};
    REQUIRE(::syscall(SYS_capget, &header, data.data()) == 0);
    return data;
  }
  static void set(std::uint32_t effective) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    Data data = get();
    data[0].effective = effective;
    REQUIRE(::syscall(SYS_capset, &header, data.data()) == 0);
  }
  const std::uint32_t before_ = get()[0].effective;
};

}  // namespace dagsync
