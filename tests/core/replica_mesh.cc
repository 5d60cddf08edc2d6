#include "core/replica_mesh.h"

#include "dagsync/core/reconcile.h"

namespace dagsync {
namespace {

constexpr int kMostRounds = 60;  // of healing; a healthy mesh needs few

const std::array kPaths = {"a", "b", "d", "d/x", "d/y", "d/s/z"};

bool is_leaf(const Content& content) {
  return content.kind == Kind::kFile || content.kind == Kind::kSymlink;
}

}  // namespace

ReplicaMesh::ReplicaMesh(std::uint64_t seed, bool restores) : random_(seed), restores_(restores) {
  const std::array names = {"a", "b", "c"};
  for (std::size_t i = 0; i < kNodes; ++i) {
    Node& node = nodes_[i];
    node.name = {names[i]};
    node.replica = std::make_unique<Replica>(Replica::Settings{.self = node.name});
    node.replica->begin_epoch({++last_epoch_});
    node.clock_offset = static_cast<std::int64_t>(below(2000)) - 1000;
  }
  for (Node& node : nodes_)
    configure_peers(node);
}

void ReplicaMesh::configure_peers(Node& node) {
  for (const Node& other : nodes_) {
    if (other.name != node.name) node.replica->configure_peer(other.name, true, true, true);
  }
}

std::size_t ReplicaMesh::index_of(const NodeName& name) const {
  std::size_t i = 0;
  while (nodes_[i].name != name)
    ++i;
  return i;
}

void ReplicaMesh::step() {
  now_ += static_cast<std::int64_t>(below(50));
  mono_ = mono_ + std::chrono::milliseconds(below(200));
  const std::size_t one = below(kNodes);
  const std::size_t other = (one + 1 + below(kNodes - 1)) % kNodes;
  if (restores_ && below(30) == 0) return start_again(one);
  switch (below(12)) {
    case 0:
    case 1:
      return edit_something(one);
    case 2:
    case 3:
      return (void)begin_publishing(one);
    case 4:
    case 5:
      return (void)end_publishing(one, below(5) != 0);
    case 6:
      if (link(one, other).up) tell(one, other);
      return;
    case 7:
      if (below(3) == 0) return cut(one, other);
      return connect(one, other);
    default:
      return (void)deliver(one, other);
  }
}

// What an editor does: the disk changes, and the replica is shown all that changed.
void ReplicaMesh::edit_something(std::size_t at_node) {
  Node& node = nodes_[at_node];
  const RelPath path = at(kPaths[below(kPaths.size())]);
  const std::int64_t moment = clock_of(node);
  std::map<RelPath, Content> next = node.disk;
  const auto stands_below = [&](const auto& row) { return row.first.is_below(path); };
  const bool implied = !next.contains(path) && std::any_of(next.begin(), next.end(), stands_below);
  const std::int64_t mtime = moment - 500 + static_cast<std::int64_t>(below(600));
  switch (below(4)) {
    case 0:
      next.erase(path);
      break;
    case 1:
      if (implied) return;  // it stands there already
      next[path] = directory_content(0755);
      break;
    default:
      next[path] = file_content(std::to_string(below(5)), mtime);
  }
  const bool holds_children = next.contains(path) && !is_leaf(next.at(path));
  std::erase_if(next, [&](const auto& row) { return row.first.is_below(path) && !holds_children; });
  if (next.contains(path)) {
    for (RelPath above = path.parent(); !above.is_root(); above = above.parent()) {
      if (next.contains(above) && is_leaf(next.at(above))) next.erase(above);
    }
  }
  std::vector<Observation> batch;
  for (const char* name : kPaths) {
    const auto before = node.disk.find(at(name));
    const auto after = next.find(at(name));
    if (after == next.end() && before != node.disk.end()) {
      batch.push_back(gone(name, moment));
    } else if (after != next.end() &&
               (before == node.disk.end() || before->second != after->second)) {
      batch.push_back(seen(name, after->second, moment));
    }
  }
  // The engine leaves out what it publishes at that moment; here such an edit does not happen.
  for (const Observation& look : batch) {
    if (node.publishing.contains(look.path)) return;
  }
  node.disk = std::move(next);
  perform(at_node, node.replica->observe(batch, DeletePolicy::kGuard, mono_));
}

void ReplicaMesh::perform(std::size_t at_node, const Actions& actions) {
  Node& node = nodes_[at_node];
  for (const Action& action : actions) {
    if (const auto* save = std::get_if<SaveEntry>(&action)) {
      const auto before = node.records.find(save->path);
      if (before != node.records.end()) {
        CHECK(compare_age(save->entry.record, before->second) >= 0);
        CHECK(save->entry.record.version.has_seen(before->second.version));
      }
      node.records.insert_or_assign(save->path, save->entry.record);
    } else if (const auto* ours = std::get_if<Broadcast>(&action)) {
      for (const Node& other : nodes_) {
        const std::size_t to = index_of(other.name);
        if (to == at_node || !link(at_node, to).up) continue;
        if (!node.replica->peers().at(other.name).told) continue;
        for (const Change& change : ours->changes)
          node.replica->sent(other.name, change.id);
        link(at_node, to).queue.push_back(PageOf{ours->changes});
      }
    } else if (const auto* relay = std::get_if<Relay>(&action)) {
      node.replica->sent(relay->peer, relay->change.id);
      link(at_node, index_of(relay->peer)).queue.push_back(PageOf{{relay->change}});
    } else if (const auto* want = std::get_if<Want>(&action)) {
      node.wanted.insert(want->path);
    } else if (const auto* unwant = std::get_if<Unwant>(&action)) {
      node.wanted.erase(unwant->path);
    } else if (const auto* start = std::get_if<StartSnapshot>(&action)) {
      send_snapshot(at_node, index_of(start->peer));
    } else {
      CHECK_MESSAGE(false, "nothing here deletes so many files");
    }
  }
}

void ReplicaMesh::send_snapshot(std::size_t from, std::size_t to) {
  Replica& replica = *nodes_[from].replica;
  const NodeName& peer = nodes_[to].name;
  const Knowledge offered = replica.offered();
  PageOf page;
  for (const auto& [path, entry] : replica.index().entries()) {
    if (replica.peers().at(peer).received.covers(entry.id)) continue;
    page.changes.push_back({path, entry.id, entry.record});
  }
  for (const Change& change : page.changes)
    replica.sent(peer, change.id);
  link(from, to).queue.push_back(std::move(page));
  link(from, to).queue.push_back(SnapshotEnd{"dags", offered});
  replica.snapshot_sent(peer, offered);
}

void ReplicaMesh::tell(std::size_t from, std::size_t to) {
  const Replica& replica = *nodes_[from].replica;
  Tell tell;
  tell.author = replica.author();
  tell.received = replica.received();
  tell.durable = replica.known();
  for (std::size_t other = 0; other < kNodes; ++other) {
    if (link(from, other).up) tell.connected.push_back(nodes_[other].name);
  }
  link(from, to).queue.push_back(std::move(tell));
}

void ReplicaMesh::connect(std::size_t a, std::size_t b) {
  if (link(a, b).up) return;
  for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
    link(from, to).up = true;
    nodes_[from].replica->connected(nodes_[to].name);
    tell(from, to);
  }
}

void ReplicaMesh::cut(std::size_t a, std::size_t b) {
  if (!link(a, b).up) return;
  for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
    link(from, to) = {};
    nodes_[from].replica->disconnected(nodes_[to].name);
  }
}

bool ReplicaMesh::deliver(std::size_t from, std::size_t to) {
  if (link(from, to).queue.empty()) return false;
  const Message message = std::move(link(from, to).queue.front());
  link(from, to).queue.pop_front();
  Replica& replica = *nodes_[to].replica;
  const NodeName& sender = nodes_[from].name;
  if (const auto* page = std::get_if<PageOf>(&message)) {
    perform(to, replica.announced(sender, page->changes, nothing_ignored));
  } else if (const auto* told = std::get_if<Tell>(&message)) {
    perform(to, replica.told(sender, *told, mono_));
  } else if (const auto* end = std::get_if<SnapshotEnd>(&message)) {
    perform(to, replica.snapshot_ended(sender, end->knowledge));
  }
  return true;
}

bool ReplicaMesh::begin_publishing(std::size_t at_node) {
  Node& node = nodes_[at_node];
  if (node.wanted.empty()) return false;
  const auto it = std::next(node.wanted.begin(), static_cast<long>(below(node.wanted.size())));
  const RelPath path = *it;
  if (node.publishing.contains(path)) return false;
  node.wanted.erase(it);
  node.publishing.emplace(path, node.replica->wanted().at(path));
  node.replica->publishing(path);
  return true;
}

bool ReplicaMesh::end_publishing(std::size_t at_node, bool success) {
  Node& node = nodes_[at_node];
  if (node.publishing.empty()) return false;
  auto it = std::next(node.publishing.begin(), static_cast<long>(below(node.publishing.size())));
  const auto [path, wanted] = *it;
  node.publishing.erase(it);
  if (success) {
    put_on_disk(node, path, wanted);
    const auto stands = node.disk.find(path);
    std::optional<DiskState> disk;
    if (stands != node.disk.end()) disk = state_of(stands->second, clock_of(node));
    perform(at_node, node.replica->published(path, wanted.record, wanted.id, wanted.waiting, disk));
    return true;
  }
  perform(at_node, node.replica->not_published(path));
  if (node.replica->wanted().contains(path)) node.wanted.insert(path);  // tried again
  return true;
}

// A file over a directory evicts what is below; what is shadowed stands nowhere.
void ReplicaMesh::put_on_disk(Node& node, const RelPath& path, const Wanted& wanted) {
  const Content& content = wanted.record.content;
  node.disk.erase(path);
  if (!wanted.record.is_live() || node.replica->index().is_shadowed(path)) return;
  if (is_leaf(content)) {
    std::vector<RelPath> evicted;
    for (const auto& [below_it, stood] : node.disk) {
      if (below_it.is_below(path)) evicted.push_back(below_it);
    }
    for (const RelPath& below_it : evicted) {
      node.disk.erase(below_it);
      perform(index_of(node.name), node.replica->evicted(below_it));
    }
  }
  node.disk[path] = content;
}

ReplicaMesh::Backup ReplicaMesh::back_up(const Node& node) const {
  Backup backup;
  for (const auto& [path, entry] : node.replica->index().entries())
    backup.entries.emplace_back(path, entry);
  backup.knowledge = node.replica->known();
  backup.author = node.replica->author();
  backup.sequence = node.replica->sequence();
  backup.disk = node.disk;
  backup.records = node.records;
  backup.alive_at = clock_of(node);
  return backup;
}

void ReplicaMesh::start_again(std::size_t at_node) {
  Node& node = nodes_[at_node];
  const Backup now = back_up(node);
  switch (below(6)) {
    case 0:
      return start_from(at_node, now);
    case 1: {  // the index is lost, the folder is full
      Backup lost;
      lost.author = {node.name, {1 + below(1'000'000)}};
      lost.disk = now.disk;
      lost.alive_at = now.alive_at;
      return start_from(at_node, lost);
    }
    case 2:
    case 3:
      node.backup = now;
      return;
    default: {
      if (!node.backup) return;
      Backup earlier = *node.backup;
      if (below(2) == 0) earlier.disk = now.disk;
      return start_from(at_node, earlier);
    }
  }
}

void ReplicaMesh::start_from(std::size_t at_node, const Backup& backup) {
  Node& node = nodes_[at_node];
  for (std::size_t other = 0; other < kNodes; ++other) {
    if (other != at_node) cut(at_node, other);
  }
  node.replica = std::make_unique<Replica>(Replica::Settings{.self = node.name});
  Replica::Image image;
  for (const auto& [path, entry] : backup.entries)
    image.index.put(path, entry);
  image.knowledge = backup.knowledge;
  image.author = backup.author;
  image.sequence = backup.sequence;
  image.next_epoch = {++last_epoch_};
  node.replica->restore(std::move(image));
  configure_peers(node);
  node.disk = backup.disk;
  node.records = backup.records;
  node.wanted.clear();
  node.publishing.clear();
  std::vector<Observation> whole;
  for (const char* name : kPaths) {
    const auto stands = node.disk.find(at(name));
    whole.push_back(stands != node.disk.end() ? seen(name, stands->second, clock_of(node))
                                              : gone(name, backup.alive_at));
  }
  perform(at_node, node.replica->observe(whole, DeletePolicy::kGuard, mono_));
}

void ReplicaMesh::heal() {
  for (int round = 0; round < kMostRounds; ++round) {
    bool moved = false;
    for (std::size_t a = 0; a < kNodes; ++a) {
      for (std::size_t b = 0; b < kNodes; ++b) {
        if (a < b) connect(a, b);
        if (a != b) tell(a, b);
      }
    }
    for (bool busy = true; busy; moved = moved || busy) {
      busy = false;
      for (std::size_t a = 0; a < kNodes; ++a) {
        for (std::size_t b = 0; b < kNodes; ++b) {
          if (a == b || link(a, b).queue.empty()) continue;
          const bool news = !std::holds_alternative<Tell>(link(a, b).queue.front());
          busy = deliver(a, b) && news ? true : busy;
          busy = busy || !link(a, b).queue.empty();
        }
        while (begin_publishing(a))
          busy = true;
        while (end_publishing(a, true))
          busy = true;
      }
    }
    mono_ = mono_ + std::chrono::seconds(4);
    const Knowledge known = nodes_[0].replica->known();
    const bool same = std::all_of(nodes_.begin(), nodes_.end(), [&](const Node& node) {
      const Knowledge other = node.replica->known();
      return other.covers(known) && known.covers(other);
    });
    if (same && round > 1) return;
  }
  FAIL("the mesh does not come to rest");
}

void ReplicaMesh::check_equal() const {
  const Index& index = nodes_[0].replica->index();
  for (const Node& node : nodes_) {
    CAPTURE(node.name.value);
    CHECK(node.replica->wanted().empty());
    CHECK(node.replica->index().entries().size() == index.entries().size());
    for (const auto& [at, entry] : index.entries()) {
      const RelPath& path = at;  // lambdas of clang 14 do not capture what was bound
      CAPTURE(path.bytes());
      const IndexEntry* other = node.replica->index().find(path);
      REQUIRE(other != nullptr);
      CHECK(other->record.stamp == entry.record.stamp);
      CHECK(other->record.content == entry.record.content);
      CHECK(other->record.version == entry.record.version);
    }
    for (const char* name : kPaths) {
      CAPTURE(std::string(name));
      const IndexEntry* entry = node.replica->index().find(at(name));
      const bool recorded = entry != nullptr && entry->record.is_live();
      const Content expected = recorded ? node.replica->index().expected_at(at(name)) : Content{};
      const auto stands = node.disk.find(at(name));
      const Content shown = stands != node.disk.end() ? stands->second : Content{};
      // A directory that nothing implies any more is for the publisher to prune.
      if (!recorded && shown.kind == Kind::kDirectory) continue;
      CHECK(shown == expected);
      const bool should_stand = expected.kind != Kind::kTombstone;
      if (recorded) CHECK(entry->disk.has_value() == should_stand);
    }
  }
}

}  // namespace dagsync
