// A few replicas in one process, from one seed: editors that write, links that deliver in their own
// time, are cut and come back, and disks on which publishing takes a while. No files: a disk is
// what was published on it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/one_replica.h"

namespace dagsync {

class ReplicaMesh {
 public:
  static constexpr std::size_t kNodes = 3;

  // With `restores`, nodes stop and start again, too: where they were, with no index at all, or
  // with that of an earlier day, while the disk goes back with it or does not.
  explicit ReplicaMesh(std::uint64_t seed, bool restores = false);

  void step();  // one random thing happens somewhere
  void heal();  // everything is connected, delivered and published, until nothing moves
  void check_equal() const;

 private:
  struct PageOf {
    std::vector<Change> changes;
  };
  using Message = std::variant<PageOf, Tell, SnapshotEnd>;

  // What a clean stop leaves in the state directory, and the disk at that time.
  struct Backup {
    std::vector<std::pair<RelPath, IndexEntry>> entries;
    Knowledge knowledge;
    AuthorId author;
    Sequence sequence = 0;
    std::map<RelPath, Content> disk;
    std::map<RelPath, Record> records;
    std::int64_t alive_at = 0;
  };
  struct Node {
    NodeName name;
    std::unique_ptr<Replica> replica;
    std::map<RelPath, Content> disk;
    std::set<RelPath> wanted;              // and nobody has begun to publish it
    std::map<RelPath, Wanted> publishing;  // begun
    std::map<RelPath, Record> records;     // as last saved: none gets older
    std::int64_t clock_offset = 0;
    std::optional<Backup> backup;
  };
  struct Link {
    bool up = false;
    std::deque<Message> queue;
  };

  [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  [[nodiscard]] std::int64_t clock_of(const Node& node) const { return now_ + node.clock_offset; }
  [[nodiscard]] Link& link(std::size_t from, std::size_t to) { return links_[from][to]; }
  [[nodiscard]] std::size_t index_of(const NodeName& name) const;
  void perform(std::size_t at, const Actions& actions);
  void send_snapshot(std::size_t from, std::size_t to);
  void tell(std::size_t from, std::size_t to);
  void connect(std::size_t a, std::size_t b);
  void cut(std::size_t a, std::size_t b);
  bool deliver(std::size_t from, std::size_t to);
  void edit_something(std::size_t at);
  bool begin_publishing(std::size_t at);
  bool end_publishing(std::size_t at, bool success);
  void put_on_disk(Node& node, const RelPath& path, const Wanted& wanted);
  void configure_peers(Node& node);
  [[nodiscard]] Backup back_up(const Node& node) const;
  void start_again(std::size_t at);
  void start_from(std::size_t at, const Backup& backup);

  std::mt19937_64 random_;
  std::uint64_t last_epoch_ = 0;  // of all nodes
  bool restores_;
  std::array<Node, kNodes> nodes_;
  std::array<std::array<Link, kNodes>, kNodes> links_;
  std::int64_t now_ = 1'000'000;
  MonoNanos mono_{1};
};

}  // namespace dagsync
