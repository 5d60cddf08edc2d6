#include "hand.h"

#include "dagsync/base/log.h"

namespace dagsync::sim {

std::optional<NameIn> Hand::place(const RelPath& path) const {
  const Inode root = machine_.root();
  return root == 0 ? std::nullopt : machine_.files.place(root, path);
}

Inode Hand::inode_at(const RelPath& path) const {
  const auto at = place(path);
  return at ? machine_.files.find(at->directory, at->name) : 0;
}

bool Hand::exists(const RelPath& path) const {
  return inode_at(path) != 0;
}

void Hand::make_directory(const RelPath& path, std::uint32_t mode) {
  const auto at = place(path);
  if (!at || machine_.files.find(at->directory, at->name) != 0) return;
  world_.touching(machine_, {path}, [&] { machine_.files.make(*at, FileType::kDirectory, mode); });
}

void Hand::remove_directory(const RelPath& path) {
  const Inode inode = inode_at(path);
  if (inode == 0 || !machine_.files.is_directory(inode)) return;
  if (!machine_.files.at(inode).names.empty()) return;
  world_.touching(machine_, {path}, [&] { machine_.files.unlink(*place(path)); });
}

void Hand::unlink(const RelPath& path) {
  const Inode inode = inode_at(path);
  if (inode == 0 || machine_.files.is_directory(inode)) return;
  world_.touching(machine_, {path}, [&] { machine_.files.unlink(*place(path)); });
}

void Hand::rename(const RelPath& from, const RelPath& to) {
  const Inode inode = inode_at(from);
  const auto target = place(to);
  if (inode == 0 || !target || to.is_below(from) || from == to) return;
  const Inode old = machine_.files.find(target->directory, target->name);
  if (old == inode) return;
  const bool is_directory = machine_.files.is_directory(inode);
  if (old != 0 && machine_.files.is_directory(old) != is_directory) return;
  if (old != 0 && is_directory && !machine_.files.at(old).names.empty()) return;
  world_.touching(machine_, {from, to}, [&] { machine_.files.rename(*place(from), *target); });
}

void Hand::link(const RelPath& from, const RelPath& to) {
  const Inode inode = inode_at(from);
  const auto target = place(to);
  if (inode == 0 || machine_.files.is_directory(inode) || !target) return;
  if (machine_.files.find(target->directory, target->name) != 0) return;
  world_.touching(machine_, {to}, [&] { machine_.files.link(inode, *target); });
}

void Hand::symlink(const std::string& target, const RelPath& path) {
  const auto at = place(path);
  if (!at || machine_.files.find(at->directory, at->name) != 0) return;
  world_.touching(machine_, {path},
                  [&] { machine_.files.make(*at, FileType::kSymlink, 0777, target); });
}

void Hand::set_mode(const RelPath& path, std::uint32_t mode) {
  const Inode inode = inode_at(path);
  if (inode == 0 || machine_.files.at(inode).type == FileType::kSymlink) return;
  world_.touching(machine_, {path}, [&] { machine_.files.set_mode(inode, mode); });
}

void Hand::set_mtime(const RelPath& path, UnixNanos mtime) {
  const Inode inode = inode_at(path);
  if (inode == 0 || machine_.files.is_directory(inode)) return;
  world_.touching(machine_, {path}, [&] { machine_.files.set_mtime(inode, mtime); });
}

bool Hand::open(const RelPath& path, Open& open) {
  const auto at = place(path);
  if (!at) return false;
  FileSystem& files = machine_.files;
  Inode inode = files.find(at->directory, at->name);
  if (inode != 0 && (files.at(inode).type != FileType::kFile || files.has_writer(inode)))
    return false;
  const Version before =
      world_.people_.version(machine_.name, path, world_.content_at(machine_, path));
  world_.tell(machine_.name, path, "a person opens it for writing");
  if (inode == 0) {
    inode = files.make(*at, FileType::kFile, 0644);
    files.open_writer(inode);
  } else {
    files.open_writer(inode);
    if (!files.at(inode).bytes->empty()) files.write(inode, "");
  }
  world_.flux_[{&machine_, inode}] = {before, path};
  open.inode = inode;
  return true;
}

void Hand::write(Open& open, const std::string& bytes) {
  if (open.inode == 0 || !machine_.files.has_writer(open.inode)) return;
  open.bytes += bytes;
  machine_.files.write(open.inode, open.bytes);
}

void Hand::close(Open& open) {
  if (open.inode == 0 || !machine_.files.has_writer(open.inode)) return;
  const auto flux = world_.flux_.extract({&machine_, open.inode});
  world_.people_.wrote(open.bytes);
  machine_.files.close_writer(open.inode);
  if (flux.empty()) return;
  const Content after = world_.content_of(machine_, open.inode);
  for (const auto& [path, content] : world_.tree_of(machine_)) {
    const auto at = place(path);
    if (machine_.files.find(at->directory, at->name) != open.inode) continue;
    const bool same_path = path == flux.mapped().path;
    const Version before =
        same_path ? flux.mapped().before : world_.people_.version(machine_.name, path, Content{});
    world_.people_.acted(machine_.name, path, before, after);
    world_.tell(machine_.name, path,
                fmt::format("a person has written {} ({} bytes {})",
                            open.bytes.substr(0, open.bytes.find('\n')), after.size,
                            to_hex(after.digest).substr(0, 8)));
  }
}

}  // namespace dagsync::sim
