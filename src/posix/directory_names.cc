#include "posix/directory_names.h"

#include <dirent.h>
#include <fcntl.h>

#include <memory>
#include <string_view>

#include "posix/unique_fd.h"

namespace dagsync {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

Sys<std::vector<std::string>> names_in(int directory) {
  UniqueFd own(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return sys_error();
  const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(own.get()));
  if (!stream) return sys_error();
  (void)own.release();  // the stream closes it
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name(entry->d_name);
    if (name == "." || name == "..") continue;
    if (names.size() == kMaxNamesPerDirectory) return sys_error(EOVERFLOW);
    names.emplace_back(name);
  }
  if (errno != 0) return sys_error();
  return names;
}

}  // namespace dagsync
