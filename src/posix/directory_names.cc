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

template <typename Entry>
Sys<std::vector<Entry>> read_directory(int directory, Entry (*entry_of)(const dirent&)) {
  UniqueFd own(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return sys_error();
  const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(own.get()));
  if (!stream) return sys_error();
  (void)own.release();  // the stream closes it
  std::vector<Entry> entries;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name(entry->d_name);
    if (name == "." || name == "..") continue;
    if (entries.size() == kMaxNamesPerDirectory) return sys_error(EOVERFLOW);
    entries.push_back(entry_of(*entry));
  }
  if (errno != 0) return sys_error();
  return entries;
}

}  // namespace

Sys<std::vector<std::string>> names_in(int directory) {
  return read_directory<std::string>(directory,
                                     [](const dirent& entry) { return std::string(entry.d_name); });
}

Sys<std::vector<NamedType>> types_in(int directory) {
  return read_directory<NamedType>(directory, [](const dirent& entry) {
    return NamedType{entry.d_name, entry.d_type};
  });
}

}  // namespace dagsync
