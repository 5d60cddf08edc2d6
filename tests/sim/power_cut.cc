// What is durable of a file system, and what a power cut leaves.
#include <algorithm>
#include <set>

#include "file_system.h"

namespace dagsync::sim {

namespace {

void drop_unreachable(FileSystem::Image& image) {
  std::set<Inode> reached;
  std::vector<Inode> todo{FileSystem::kTop};
  while (!todo.empty()) {
    const Inode inode = todo.back();
    todo.pop_back();
    if (!reached.insert(inode).second) continue;
    for (const auto& [name, below] : image.at(inode).names)
      todo.push_back(below);
  }
  std::erase_if(image, [&](const auto& entry) { return !reached.contains(entry.first); });
}

}  // namespace

// The later one makes no sense without the earlier.
bool FileSystem::is_needed_by(const Operation& earlier, const Operation& later) const {
  for (const Operation::Entry& before : earlier.entries) {
    if (later.removed != 0 && before.at.directory == later.removed) return true;
  }
  for (const Operation::Entry& after : later.entries) {
    if (earlier.made != 0 && (after.inode == earlier.made || after.at.directory == earlier.made))
      return true;
    for (const Operation::Entry& before : earlier.entries) {
      const bool same_directory = before.at.directory == after.at.directory;
      if (same_directory || (before.inode != 0 && before.inode == after.inode)) return true;
    }
  }
  for (const Operation::Attributes& after : later.attributes) {
    if (earlier.made != 0 && after.inode == earlier.made) return true;
    // An inode is written whole, also with the operation that gives it a name.
    for (const Operation::Attributes& before : earlier.attributes) {
      if (before.inode == after.inode && earlier.entries.empty()) return true;
    }
  }
  return later.written != 0 && (earlier.made == later.written || earlier.written == later.written);
}

void FileSystem::close_over_needs(std::vector<bool>& chosen) const {
  for (std::size_t later = pending_.size(); later-- > 0;) {
    if (!chosen[later]) continue;
    for (std::size_t earlier = 0; earlier < later; ++earlier) {
      if (!chosen[earlier] && is_needed_by(pending_[earlier], pending_[later]))
        chosen[earlier] = true;
    }
  }
}

void FileSystem::persist(const std::vector<bool>& chosen) {
  std::vector<Operation> left;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (chosen[i]) {
      enact(durable_, pending_[i]);
    } else {
      left.push_back(std::move(pending_[i]));
    }
  }
  pending_ = std::move(left);
}

bool FileSystem::has_durable_bytes(Inode inode) const {
  return std::none_of(pending_.begin(), pending_.end(),
                      [inode](const Operation& operation) { return operation.written == inode; });
}

void FileSystem::sync(Inode inode) {
  std::vector<bool> chosen(pending_.size());
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const Operation& operation = pending_[i];
    const bool is_data = operation.written != 0;
    if (is_data) {
      chosen[i] = operation.written == inode;
      continue;
    }
    const bool is_named =
        std::any_of(operation.entries.begin(), operation.entries.end(),
                    [&](const auto& entry) { return entry.at.directory == inode; });
    const bool is_of_it =
        operation.made == inode ||
        (operation.entries.empty() &&
         std::any_of(operation.attributes.begin(), operation.attributes.end(),
                     [&](const auto& attributes) { return attributes.inode == inode; }));
    chosen[i] = journal_ == Journal::kOrdered || is_named || is_of_it;
  }
  close_over_needs(chosen);
  persist(chosen);
}

void FileSystem::sync_all() {
  persist(std::vector<bool>(pending_.size(), true));
}

void FileSystem::write_back(MonoNanos older_than) {
  std::vector<bool> chosen(pending_.size());
  for (std::size_t i = 0; i < pending_.size(); ++i)
    chosen[i] = pending_[i].at < older_than;
  persist(chosen);
}

void FileSystem::power_cut(Seeded& seeded) {
  writers_.clear();
  ++power_cuts_;
  std::vector<bool> chosen(pending_.size());
  const std::size_t names_until = seeded.index(pending_.size() + 1);
  const double share = seeded.pick({0.0, 0.3, 0.7, 1.0});
  std::set<Inode> torn;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const Operation& operation = pending_[i];
    if (operation.written != 0) {
      // A later write of the same bytes is lost with an earlier one.
      const bool is_lost = torn.contains(operation.written) || seeded.chance(0.4);
      if (is_lost) torn.insert(operation.written);
      chosen[i] = !is_lost;
    } else {
      chosen[i] = journal_ == Journal::kOrdered ? i < names_until : seeded.chance(share);
    }
  }
  if (journal_ == Journal::kAnyOrder) {
    std::vector<bool> names = chosen;
    close_over_needs(names);
    chosen = names;
  }
  std::map<Inode, Bytes> half;  // bytes that were just being written
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const Operation& operation = pending_[i];
    if (chosen[i] || operation.written == 0 || !seeded.chance(0.5)) continue;
    const std::string& bytes = *operation.bytes;
    half[operation.written] = std::make_shared<std::string>(
        seeded.chance(0.5) ? "" : bytes.substr(0, seeded.index(bytes.size() + 1)));
  }
  persist(chosen);
  for (const auto& [inode, bytes] : half) {
    if (const auto it = durable_.find(inode); it != durable_.end()) it->second.bytes = bytes;
  }
  pending_.clear();
  drop_unreachable(durable_);
  live_ = durable_;
}

}  // namespace dagsync::sim
