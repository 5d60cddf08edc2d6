#include "file_system.h"

#include <algorithm>

namespace dagsync::sim {
namespace {

void count_link(FileSystem::Image& image, Inode inode, bool add) {
  const auto it = image.find(inode);
  if (it == image.end()) return;
  it->second.links += add ? 1u : static_cast<std::uint32_t>(-1);
}

}  // namespace

void FileSystem::enact(Image& image, const Operation& operation) {
  if (operation.made != 0) {
    Stored& made = image[operation.made];
    made.type = operation.type;
    if (operation.bytes) made.bytes = operation.bytes;
  }
  for (const auto& [at, inode] : operation.entries) {
    const auto directory = image.find(at.directory);
    if (directory == image.end()) continue;
    auto& names = directory->second.names;
    if (const auto old = names.find(at.name); old != names.end()) {
      count_link(image, old->second, false);
      names.erase(old);
    }
    if (inode == 0) continue;
    names.emplace(at.name, inode);
    count_link(image, inode, true);
  }
  for (const auto& attributes : operation.attributes) {
    const auto it = image.find(attributes.inode);
    if (it == image.end()) continue;
    if (attributes.mode) it->second.mode = *attributes.mode;
    if (attributes.mtime) it->second.mtime = *attributes.mtime;
    if (attributes.ctime) it->second.ctime = *attributes.ctime;
    if (attributes.mark) it->second.mark = *attributes.mark;
    if (attributes.owner) it->second.owner = *attributes.owner;
  }
  if (operation.written != 0) {
    const auto it = image.find(operation.written);
    if (it != image.end()) it->second.bytes = operation.bytes;
  }
}

FileSystem::FileSystem(Events& events, const WallClock& clock, Journal journal)
    : events_(events), clock_(clock), journal_(journal) {
  Stored top;
  top.type = FileType::kDirectory;
  top.mode = 0755;
  live_.emplace(next_++, top);
  make({kTop, "folder"}, FileType::kDirectory, 0755);
  const Inode state = make({kTop, "state"}, FileType::kDirectory, 0700);
  make({state, "staging"}, FileType::kDirectory, 0700);
  make({state, "versions"}, FileType::kDirectory, 0700);
  pending_.clear();
  durable_ = live_;
}

Inode FileSystem::find(Inode directory, std::string_view name) const {
  const auto it = live_.find(directory);
  if (it == live_.end()) return 0;
  const auto found = it->second.names.find(std::string(name));
  return found == it->second.names.end() ? 0 : found->second;
}

Inode FileSystem::walk(Inode base, std::string_view path) const {
  while (base != 0 && !path.empty()) {
    const std::size_t slash = path.find('/');
    base = find(base, path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return base;
}

std::optional<NameIn> FileSystem::place(Inode base, const RelPath& path) const {
  const Inode directory = walk(base, path.parent().bytes());
  if (!is_directory(directory)) return std::nullopt;
  return NameIn{directory, std::string(path.name())};
}

bool FileSystem::is_directory(Inode inode) const {
  const auto it = live_.find(inode);
  return it != live_.end() && it->second.type == FileType::kDirectory;
}

DiskState FileSystem::state(Inode inode) const {
  const Stored& stored = live_.at(inode);
  DiskState state;
  state.type = stored.type;
  state.device = 1;
  state.inode = inode;
  state.size = stored.bytes ? stored.bytes->size() : 0;
  state.mtime = stored.mtime;
  state.ctime = stored.ctime;
  state.mode = static_cast<std::uint16_t>(stored.mode);
  state.links = stored.links;
  state.user = state.group = stored.owner;
  return state;
}

void FileSystem::perform(Operation operation) {
  operation.at = events_.now();
  enact(live_, operation);
  pending_.push_back(std::move(operation));
}

Operation::Attributes FileSystem::touch(Inode directory) const {
  return {directory, std::nullopt, clock_.tick(), clock_.tick(), std::nullopt};
}

void FileSystem::tell(Inode directory, const std::string& name, FileEvent::What what, Inode inode) {
  if (on_event) on_event({directory, name, what, is_directory(inode)});
}

// inotify tells the directories of an inode's names about it.
void FileSystem::tell_names(Inode inode, FileEvent::What what) {
  if (!on_event) return;
  for (const auto& [directory, stored] : live_) {
    for (const auto& [name, named] : stored.names) {
      if (named == inode) tell(directory, name, what, inode);
    }
  }
  if (is_directory(inode) && what == FileEvent::What::kAttributes) {
    on_event({inode, "", what, true});
  }
}

Inode FileSystem::make(const NameIn& at, FileType type, std::uint32_t mode, std::string target) {
  DAGSYNC_ASSERT(find(at.directory, at.name) == 0);
  Operation operation;
  operation.made = next_++;
  operation.type = type;
  if (type != FileType::kDirectory)
    operation.bytes = std::make_shared<std::string>(std::move(target));
  operation.entries = {{at, operation.made}};
  operation.attributes = {{operation.made, mode, clock_.tick(), clock_.tick(), std::nullopt},
                          touch(at.directory)};
  const Inode made = operation.made;
  perform(std::move(operation));
  tell(at.directory, at.name, FileEvent::What::kMade, made);
  return made;
}

Inode FileSystem::make_nameless(std::uint32_t mode) {
  Operation operation;
  operation.made = next_++;
  operation.bytes = std::make_shared<std::string>();
  operation.attributes = {{operation.made, mode, clock_.tick(), clock_.tick(), std::nullopt}};
  const Inode made = operation.made;
  perform(std::move(operation));
  return made;
}

void FileSystem::link(Inode inode, const NameIn& at) {
  DAGSYNC_ASSERT(find(at.directory, at.name) == 0);
  Operation operation;
  operation.entries = {{at, inode}};
  operation.attributes = {{inode, {}, {}, clock_.tick(), {}}, touch(at.directory)};
  perform(std::move(operation));
  tell(at.directory, at.name, FileEvent::What::kMade, inode);
}

void FileSystem::unlink(const NameIn& at) {
  const Inode inode = find(at.directory, at.name);
  DAGSYNC_ASSERT(inode != 0);
  DAGSYNC_ASSERT(live_.at(inode).names.empty());
  const bool directory = is_directory(inode);
  Operation operation;
  operation.entries = {{at, 0}};
  operation.removed = directory ? inode : 0;
  operation.attributes = {{inode, {}, {}, clock_.tick(), {}}, touch(at.directory)};
  perform(std::move(operation));
  tell(at.directory, at.name, FileEvent::What::kGone, inode);
  if (directory && on_event) on_event({inode, "", FileEvent::What::kSelfGone, true});
}

void FileSystem::rename(const NameIn& from, const NameIn& to) {
  const Inode inode = find(from.directory, from.name);
  const Inode old = find(to.directory, to.name);
  DAGSYNC_ASSERT(inode != 0);
  if (inode == old) return;
  Operation operation;
  operation.entries = {{from, 0}, {to, inode}};
  operation.attributes = {
      {inode, {}, {}, clock_.tick(), {}}, touch(from.directory), touch(to.directory)};
  if (old != 0) operation.attributes.push_back({old, {}, {}, clock_.tick(), {}});
  perform(std::move(operation));
  tell(from.directory, from.name, FileEvent::What::kMovedOut, inode);
  tell(to.directory, to.name, FileEvent::What::kMovedIn, inode);
}

void FileSystem::exchange(const NameIn& a, const NameIn& b) {
  const Inode inode_a = find(a.directory, a.name);
  const Inode inode_b = find(b.directory, b.name);
  DAGSYNC_ASSERT(inode_a != 0);
  DAGSYNC_ASSERT(inode_b != 0);
  Operation operation;
  operation.entries = {{a, inode_b}, {b, inode_a}};
  operation.attributes = {{inode_a, {}, {}, clock_.tick(), {}},
                          {inode_b, {}, {}, clock_.tick(), {}},
                          touch(a.directory),
                          touch(b.directory)};
  perform(std::move(operation));
  tell(a.directory, a.name, FileEvent::What::kMovedOut, inode_a);
  tell(b.directory, b.name, FileEvent::What::kMovedIn, inode_a);
  tell(b.directory, b.name, FileEvent::What::kMovedOut, inode_b);
  tell(a.directory, a.name, FileEvent::What::kMovedIn, inode_b);
}

// Times and size are metadata, the bytes are not: two operations.
void FileSystem::write(Inode inode, std::string bytes) {
  Operation times;
  times.attributes = {touch(inode)};
  perform(std::move(times));
  Operation data;
  data.written = inode;
  data.bytes = std::make_shared<std::string>(std::move(bytes));
  perform(std::move(data));
  tell_names(inode, FileEvent::What::kWritten);
}

void FileSystem::set_mode(Inode inode, std::uint32_t mode) {
  Operation operation;
  operation.attributes = {{inode, mode, {}, clock_.tick(), {}}};
  perform(std::move(operation));
  tell_names(inode, FileEvent::What::kAttributes);
}

void FileSystem::set_owner(Inode inode, const std::string& owner) {
  const auto known = std::find(owners_.begin(), owners_.end(), owner);
  const auto number = static_cast<std::uint32_t>(known - owners_.begin());
  if (known == owners_.end()) owners_.push_back(owner);
  Operation operation;
  operation.attributes = {{inode, {}, {}, clock_.tick(), {}, number}};
  perform(std::move(operation));
  tell_names(inode, FileEvent::What::kAttributes);
}

void FileSystem::set_mtime(Inode inode, UnixNanos mtime) {
  Operation operation;
  operation.attributes = {{inode, {}, mtime, clock_.tick(), {}}};
  perform(std::move(operation));
  tell_names(inode, FileEvent::What::kAttributes);
}

void FileSystem::set_mark(Inode inode, std::string mark) {
  Operation operation;
  operation.attributes = {{inode, {}, {}, clock_.tick(), std::move(mark)}};
  perform(std::move(operation));
}

void FileSystem::open_writer(Inode inode) {
  ++writers_[inode];
}

void FileSystem::close_writer(Inode inode) {
  const auto it = writers_.find(inode);
  if (it == writers_.end()) return;
  if (--it->second == 0) writers_.erase(it);
  tell_names(inode, FileEvent::What::kWritten);
}

}  // namespace dagsync::sim
