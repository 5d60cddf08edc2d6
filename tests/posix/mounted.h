// A mount of our own, where we may mount at all.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "posix/disk_world.h"

namespace dagsync {

class Mounted {
 public:
  explicit Mounted(const std::string& what) : at_(temp_root()) {
    if (::geteuid() != 0) return;
    mounted_ = std::system(("mount " + what + " '" + at_.path() + "' 2>/dev/null").c_str()) == 0;
  }
  Mounted(const Mounted&) = delete;
  Mounted& operator=(const Mounted&) = delete;
  ~Mounted() {
    if (mounted_) CHECK(std::system(("umount '" + at_.path() + "'").c_str()) == 0);
  }
  [[nodiscard]] bool is_there() const { return mounted_; }
  [[nodiscard]] const std::string& path() const { return at_.path(); }

 private:
  TempDirectory at_;
  bool mounted_ = false;
};

}  // namespace dagsync
