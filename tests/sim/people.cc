#include "people.h"

#include <algorithm>

#include "dagsync/base/log.h"

namespace dagsync::sim {
std::string People::next_content(const std::string& machine, const RelPath& path,
                                 std::size_t size) {
  std::string bytes = fmt::format("c{} {} {}\n", ++count_, machine, path.bytes());
  const std::string line = fmt::format("# line of {}\n", path.bytes());
  while (bytes.size() < size)
    bytes += line;
  return bytes;
}

Version People::version(const std::string& machine, const RelPath& path,
                        const Content& content) const {
  if (content.kind == Kind::kTombstone) {
    const auto it = gone_.find({machine, path});
    return it == gone_.end() ? "never " + path.bytes() : it->second;
  }
  return fmt::format("{} {} {} {:o} {} {}", path.bytes(), static_cast<int>(content.kind),
                     to_hex(content.digest), content.mode, content.mtime.value, *content.target);
}

void People::acted(const std::string& machine, const RelPath& path, const Version& before,
                   const Content& after) {
  Version made;
  if (after.kind == Kind::kTombstone) {
    made = fmt::format("d{} {}", ++deletes_, path.bytes());
    gone_[{machine, path}] = made;
    ++deletes_made_[{machine, path}];
  } else {
    made = version(machine, path, after);
    made_[{machine, path}].insert(made);
    if (made != before) ++times_made_[made];
    // Whoever changes what a power cut has torn has taken it for his.
    if (after.kind == Kind::kFile) contents_.insert(after.digest);
    // Made again, it may stand again.
    over_.erase(made);
    forgiven_.erase(made);
  }
  if (made != before) over_[before].insert(made);
  const auto told = told_.find(before);
  if (told == told_.end()) return;
  const Digest& digest = told->second.record.content.digest;
  if (digest != after.digest) overwritten_.emplace(path, digest);
}

void People::authored(const std::string& machine, const RelPath& path, const Record& record) {
  const Version made = version(machine, path, record.content);
  if (record.is_live()) {
    told_.emplace(made, Told{path, record});
  } else {
    deletes_told_.emplace(record.origin, made);
    --deletes_made_[{machine, path}];
    told_deletes_.insert(made);
  }
}

void People::published(const std::string& machine, const RelPath& path, const Record& record) {
  if (record.is_live()) return;
  const auto it = deletes_told_.find(record.origin);
  if (it != deletes_told_.end()) gone_[{machine, path}] = it->second;
}

bool People::made_here(const std::string& machine, const RelPath& path,
                       const Content& content) const {
  if (content.kind == Kind::kTombstone) {
    const auto deletes = deletes_made_.find({machine, path});
    return deletes != deletes_made_.end() && deletes->second > 0;
  }
  const auto it = made_.find({machine, path});
  return it != made_.end() && it->second.contains(version(machine, path, content));
}

void People::adopt(const std::string& machine, const RelPath& path, const Content& content) {
  if (content.kind == Kind::kTombstone) {
    ++deletes_made_[{machine, path}];
  } else {
    made_[{machine, path}].insert(version(machine, path, content));
  }
  if (content.kind == Kind::kFile) contents_.insert(content.digest);
}

void People::rows_went_back(const std::string& machine) {
  for (auto& [key, count] : deletes_made_) {
    if (key.first == machine) ++count;
  }
}

bool People::is_of_several(const Version& version, const RelPath& path) const {
  const auto times = times_made_.find(version);
  if (times != times_made_.end() && times->second > 1) return true;
  return std::count_if(made_.begin(), made_.end(), [&](const auto& entry) {
           return entry.first.second == path && entry.second.contains(version);
         }) > 1;
}

bool People::was_replaced(const Version& version) const {
  std::set<Version> seen;
  return was_replaced(version, seen);
}

bool People::was_replaced(const Version& version, std::set<Version>& seen) const {
  const auto over = over_.find(version);
  if (over == over_.end() || !seen.insert(version).second) return false;
  for (const Version& later : over->second) {
    if (forgiven_.contains(later)) continue;
    if (told_.contains(later) || told_deletes_.contains(later)) return true;
    if (was_replaced(later, seen)) return true;
  }
  return false;
}

}  // namespace dagsync::sim
