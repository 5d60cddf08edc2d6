// A name of ours, in the staging directory or for a moment in the folder.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "posix/beneath.h"
#include "posix/rename.h"
#include "posix/unique_fd.h"

namespace dagsync {

// Removed when it goes, but only while it still stands for the inode that we made: what else lies
// under it, somebody wrote. Move-only.
class TempName {
 public:
  TempName() = default;
  TempName(SharedFd directory, std::string name, std::uint64_t inode)
      : directory_(std::move(directory)), name_(std::move(name)), inode_(inode) {}
  TempName(TempName&&) noexcept = default;
  TempName& operator=(TempName&& other) noexcept;
  ~TempName() { drop(); }

  [[nodiscard]] NameAt at() const { return {directory_->get(), name_.c_str()}; }
  [[nodiscard]] Place place() const { return {directory_, name_}; }
  [[nodiscard]] const std::string& name() const { return name_; }
  explicit operator bool() const { return directory_ != nullptr; }

  // What we put there.
  void holds(std::uint64_t inode) { inode_ = inode; }
  // Another name for it, in the same directory.
  [[nodiscard]] Sys<void> rename_to(std::string name);
  // Removes what lies there, whatever it is; a directory must be empty (ENOTEMPTY).
  [[nodiscard]] Sys<void> remove(bool is_directory);
  // It was moved away, or stays where it is.
  void forget() { directory_.reset(); }

 private:
  void drop();

  SharedFd directory_;
  std::string name_;
  std::uint64_t inode_ = 0;
};

}  // namespace dagsync
