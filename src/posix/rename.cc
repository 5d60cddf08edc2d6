#include "posix/rename.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "posix/look.h"

namespace dagsync {
namespace {

Sys<void> rename_with(NameAt from, NameAt to, unsigned flags) {
  if (::renameat2(from.directory, from.name, to.directory, to.name, flags) == 0) return {};
  return sys_error();
}

Sys<void> rename_new_by_link(NameAt from, NameAt to) {
  const auto look = look_at(from.directory, from.name);
  if (!look) return sys_error(look.error().number);
  if (look->state.type != FileType::kDirectory) {
    if (::linkat(from.directory, from.name, to.directory, to.name, 0) != 0) return sys_error();
    if (::unlinkat(from.directory, from.name, 0) != 0) return sys_error();
    return {};
  }
  // A directory cannot be linked, but its rename replaces nothing except an empty directory.
  if (look_at(to.directory, to.name)) return sys_error(EEXIST);
  return rename_over(from, to);
}

}  // namespace

Sys<void> rename_new(NameAt from, NameAt to) {
  const auto renamed = rename_with(from, to, RENAME_NOREPLACE);
  if (renamed || !is_unsupported(renamed.error().number)) return renamed;
  return rename_new_by_link(from, to);
}

Sys<void> exchange(NameAt a, NameAt b) {
  return rename_with(a, b, RENAME_EXCHANGE);
}

Sys<void> rename_over(NameAt from, NameAt to) {
  return rename_with(from, to, 0);
}

}  // namespace dagsync
