#include "posix/temp_name.h"

#include <fcntl.h>

#include "posix/look.h"

namespace dagsync {

TempName& TempName::operator=(TempName&& other) noexcept {
  if (this == &other) return *this;
  drop();
  directory_ = std::move(other.directory_);
  name_ = std::move(other.name_);
  inode_ = other.inode_;
  return *this;
}

Sys<void> TempName::rename_to(std::string name) {
  const auto renamed = rename_new(at(), {directory_->get(), name.c_str()});
  if (renamed) name_ = std::move(name);
  return renamed;
}

Sys<void> TempName::remove(bool is_directory) {
  const auto [directory, name] = at();
  if (::unlinkat(directory, name, is_directory ? AT_REMOVEDIR : 0) != 0) return sys_error();
  forget();
  return {};
}

void TempName::drop() {
  if (!directory_) return;
  const auto look = look_at(directory_->get(), name_.c_str());
  if (look && look->state.inode == inode_) (void)remove(look->state.type == FileType::kDirectory);
  directory_.reset();
}

}  // namespace dagsync
