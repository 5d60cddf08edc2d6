#include "posix/clear_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include "posix/beneath.h"
#include "posix/directory_names.h"
#include "posix/disk_error.h"
#include "posix/look.h"

namespace dagsync {
namespace {

// Each level holds a descriptor.
constexpr int kMaxDepth = 100;

// One name below the directory, and the directory that it is, if it is one.
struct Below {
  RelPath path;
  std::string name;
  FileType type = FileType::kFile;
  UniqueFd directory;
};

Result<Below> step_down(int directory, const RelPath& parent, std::string name, int depth) {
  auto path = parent.child(name);
  if (!path) return fail_not_empty(parent, name);
  const auto look = look_at(directory, name.c_str());
  if (!look) return fail_at(look.error().number, "look at", *path);
  Below below{std::move(*path), std::move(name), look->state.type, {}};
  if (below.type != FileType::kDirectory) return below;
  if (depth == kMaxDepth)
    return fail(ErrorCode::kExists, display(below.path) + " lies too deep: remove it yourself");
  auto relative = RelPath::parse(below.name);
  if (!relative) return tl::unexpected(std::move(relative.error()));
  auto opened = open_beneath(directory, *relative, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!opened) return fail_at(opened.error().number, "enter", below.path);
  below.directory = std::move(*opened);
  return below;
}

Status check_at(int directory, const RelPath& path, const Disk::Disposable& disposable, int depth) {
  const auto names = names_in(directory);
  if (!names) return fail_at(names.error().number, "list", path);
  for (const std::string& name : *names) {
    const auto below = step_down(directory, path, name, depth);
    if (!below && below.error().code == ErrorCode::kNotFound) continue;  // gone already
    if (!below) return tl::unexpected(below.error());
    if (!disposable(below->path, below->type)) return fail_not_empty(path, name);
    if (!below->directory) continue;
    const auto checked = check_at(below->directory.get(), below->path, disposable, depth + 1);
    if (!checked) return checked;
  }
  return {};
}

Status remove_at(int directory, const RelPath& path, const Disk::Disposable& disposable,
                 int depth) {
  const auto names = names_in(directory);
  if (!names) return fail_at(names.error().number, "list", path);
  for (const std::string& name : *names) {
    const auto below = step_down(directory, path, name, depth);
    if (!below && below.error().code == ErrorCode::kNotFound) continue;
    if (!below) return tl::unexpected(below.error());
    if (!disposable(below->path, below->type)) return fail_not_empty(path, name);
    const bool is_directory = static_cast<bool>(below->directory);
    if (is_directory) {
      const auto removed = remove_at(below->directory.get(), below->path, disposable, depth + 1);
      if (!removed) return removed;
    }
    if (::unlinkat(directory, name.c_str(), is_directory ? AT_REMOVEDIR : 0) == 0) continue;
    if (errno == ENOTEMPTY) return fail_not_empty(below->path, "");
    if (errno != ENOENT) return fail_at(errno, "remove", below->path);
  }
  return {};
}

}  // namespace

Unexpected fail_not_empty(const RelPath& path, const std::string& name) {
  const std::string what = name.empty() ? "something new" : "\"" + escape_bytes(name) + "\"";
  return fail(ErrorCode::kExists,
              display(path) + " holds " + what + ", which is not replicated: move it away");
}

Status check_disposable(int directory, const RelPath& path, const Disk::Disposable& disposable) {
  return check_at(directory, path, disposable, 0);
}

Status remove_disposable(int directory, const RelPath& path, const Disk::Disposable& disposable) {
  return remove_at(directory, path, disposable, 0);
}

}  // namespace dagsync
