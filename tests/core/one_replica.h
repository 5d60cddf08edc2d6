// One replica, told by hand what its disk shows and what its peers "b" and "c" say.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/record_samples.h"
#include "dagsync/core/replica.h"

namespace dagsync {

inline const NodeName kA{"a"};
inline const NodeName kB{"b"};
inline const NodeName kC{"c"};

inline RelPath at(const std::string& bytes) {
  const auto path = RelPath::parse(bytes);
  REQUIRE(path.has_value());
  return *path;
}

// What a disk would show of this content.
inline DiskState state_of(const Content& content, std::int64_t ctime) {
  DiskState state;
  state.type = content.kind == Kind::kDirectory ? FileType::kDirectory
               : content.kind == Kind::kSymlink ? FileType::kSymlink
                                                : FileType::kFile;
  state.inode = 7;
  state.size = content.size;
  state.mtime = content.mtime;
  state.ctime = {ctime};
  state.mode = static_cast<std::uint16_t>(content.mode);
  state.links = 1;
  return state;
}

inline Observation seen(const std::string& path, const Content& content, std::int64_t moment) {
  return {at(path), content, state_of(content, moment), {moment}};
}
inline Observation gone(const std::string& path, std::int64_t moment) {
  return {at(path), {}, std::nullopt, {moment}};
}

inline Change change_of(const std::string& path, const Record& record) {
  return {at(path), record.origin, record};
}

// What b says of a.py.
inline Change theirs(Sequence sequence, const std::string& bytes, std::int64_t time,
              const Record* replaced = nullptr) {
  return change_of("a.py", edit("b", sequence, file_content(bytes, time), time, replaced));
}

template <typename T>
std::vector<T> only(const Actions& actions) {
  std::vector<T> found;
  for (const Action& action : actions) {
    if (const auto* one = std::get_if<T>(&action)) found.push_back(*one);
  }
  return found;
}

// The changes that go to everybody.
inline std::vector<Change> broadcast_by(const Actions& actions) {
  std::vector<Change> changes;
  for (const Broadcast& ours : only<Broadcast>(actions))
    changes.insert(changes.end(), ours.changes.begin(), ours.changes.end());
  return changes;
}

inline std::vector<std::string> wanted_by(const Actions& actions) {
  std::vector<std::string> paths;
  for (const Want& want : only<Want>(actions))
    paths.push_back(want.path.bytes());
  return paths;
}

inline bool nothing_ignored(const RelPath&, Kind) {
  return false;
}

inline Tell tell_of(const NodeName& peer, Knowledge received, Knowledge durable,
                    std::vector<NodeName> sees = {kA}) {
  return {
      "dags", author_of(peer.value), std::move(received), std::move(durable), std::move(sees), 0,
      true};
}

inline Knowledge knowing(const AuthorId& author, Sequence last) {
  Knowledge knowledge;
  if (last > 0) knowledge.add(author, {1, last});
  return knowledge;
}

// What an earlier run left, without any record.
inline Replica::Image image_of(const AuthorId& author, Sequence issued) {
  Replica::Image image;
  image.knowledge = knowing(author, issued);
  image.author = author;
  image.sequence = issued;
  image.next_epoch = {42};
  return image;
}

struct OneReplica {
  using Policy = DeletePolicy;

  explicit OneReplica(Replica::Settings settings = {.self = kA}) : replica(std::move(settings)) {
    replica.begin_epoch({1});
    for (const NodeName& peer : {kB, kC})
      replica.configure_peer(peer, true, true, true);
  }

  Actions look(const std::vector<Observation>& batch, Policy policy = Policy::kGuard) {
    return replica.observe(batch, policy, now);
  }
  // As an editor on this node: the only change that it makes.
  Change write(const std::string& path, const Content& content, std::int64_t moment) {
    const auto changes = broadcast_by(look({seen(path, content, moment)}));
    REQUIRE(changes.size() == 1);
    return changes.front();
  }
  Change erase(const std::string& path, std::int64_t moment) {
    const auto changes = broadcast_by(look({gone(path, moment)}));
    REQUIRE(changes.size() == 1);
    return changes.front();
  }

  Actions hear(const NodeName& from, const std::vector<Change>& changes) {
    return replica.announced(from, changes, nothing_ignored);
  }
  Actions publish(const std::string& path) {
    const Wanted wanted = replica.wanted().at(at(path));
    if (!replica_is_publishing(path)) replica.publishing(at(path));
    publishing.erase(at(path));
    const Content& content = wanted.record.content;
    std::optional<DiskState> disk;
    const bool stands = wanted.record.is_live() && !replica.index().is_shadowed(at(path));
    if (stands) disk = state_of(content, ctime);
    return replica.published(at(path), wanted.record, wanted.id, wanted.waiting, disk);
  }
  void begin_publishing(const std::string& path) {
    replica.publishing(at(path));
    publishing.insert(at(path));
  }
  Actions hear_and_publish(const NodeName& from, const Change& change) {
    Actions all = hear(from, {change});
    if (!replica.wanted().contains(change.path)) return all;
    Actions more = publish(change.path.bytes());
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  Actions tell(const NodeName& from, const Tell& tell) { return replica.told(from, tell, now); }
  // Connects, and lets it say that it has nothing.
  void connect(const NodeName& peer, std::vector<NodeName> sees = {kA}) {
    replica.connected(peer);
    (void)tell(peer, tell_of(peer, {}, {}, std::move(sees)));
  }

  [[nodiscard]] const IndexEntry& entry(const std::string& path) const {
    const IndexEntry* found = replica.index().find(at(path));
    REQUIRE(found != nullptr);
    return *found;
  }
  [[nodiscard]] const Record& record(const std::string& path) const { return entry(path).record; }

  Replica replica;
  MonoNanos now{1'000'000'000};
  std::int64_t ctime = 500;  // of what is published

 private:
  [[nodiscard]] bool replica_is_publishing(const std::string& path) const {
    return publishing.contains(at(path));
  }
  std::set<RelPath> publishing;
};

}  // namespace dagsync
