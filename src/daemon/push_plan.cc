#include "daemon/push_plan.h"

#include <algorithm>

#include "dagsync/core/ignore.h"
#include "dagsync/core/messages.h"
#include "dagsync/engine/observe/observer.h"

namespace dagsync {
namespace {

constexpr std::uint64_t kKeptBytesMost = 64 << 20;

std::string read_small(Disk& disk, const RelPath& path) {
  auto file = disk.open(path);
  if (!file) return "";
  std::string text(kMaxInlineBytes, '\0');
  const auto got = (*file)->read(0, text);
  text.resize(got ? *got : 0);
  return text;
}

std::string why_not(const LookResult& look) {
  switch (look.outcome) {
    case LookResult::Outcome::kOpen:
    case LookResult::Outcome::kMoving:
      return "somebody writes it just now: push it then";
    case LookResult::Outcome::kSpecial:
      return "a socket, device or FIFO is not replicated: ignore it, or remove it";
    case LookResult::Outcome::kFailed:
    case LookResult::Outcome::kSeen:
    case LookResult::Outcome::kSame:
      break;
  }
  return look.error;
}

class TreeReader {
 public:
  TreeReader(Disk& disk, const std::vector<std::string>& ignore, UnixNanos now)
      : disk_(disk), now_(now) {
    tree.rules = IgnoreRules(ignore, read_small(disk, *RelPath::parse(kIgnoreFileName)));
  }

  Status read(const RelPath& directory) {
    const auto listed = disk_.list(directory);
    if (!listed) return Unexpected(listed.error());
    for (const Disk::Listed& entry : *listed) {
      const auto path = directory.child(entry.name);
      const bool is_directory = entry.state.type == FileType::kDirectory;
      if (!path || tree.rules.ignores(*path, is_directory)) continue;
      take(*path);
      if (is_directory && !entry.mount_point) {
        if (const Status below = read(*path); !below) return below;
      }
    }
    return {};
  }

  PushedTree tree;

 private:
  void take(const RelPath& path) {
    const bool keep = kept_ < kKeptBytesMost;
    LookResult look = look_at(disk_, {path, std::nullopt, {}}, now_, keep);
    if (look.outcome != LookResult::Outcome::kSeen) {
      tree.troubles[path] = why_not(look);
      return;
    }
    if (look.bytes) {
      kept_ += look.bytes->size();
      tree.bytes.emplace(look.seen.content.digest, *look.bytes);
    }
    tree.contents.emplace(path, std::move(look.seen.content));
  }

  Disk& disk_;
  UnixNanos now_;
  std::uint64_t kept_ = 0;
};

class Planner {
 public:
  Planner(const Listing& listing, AuthorId author, UnixNanos now)
      : listing_(listing), author_(std::move(author)), now_(now) {}

  void change(const RelPath& path, const Content& content) {
    const auto base = listing_.find(path);
    Record record;
    record.content = content;
    record.stamp = now_;
    record.origin = {author_, changes.size() + 1};
    if (base != listing_.end()) {
      record.version = base->second.version;
      // Nobody looked whose the pushed file is: it stays whose it was.
      if (record.is_live()) record.content.owner = base->second.content.owner;
      record.stamp = std::max(now_, base->second.stamp + Duration(1));
    }
    record.version.raise(author_, record.origin.sequence);
    record.seen = record.version;
    changes.push_back({path, record.origin, std::move(record)});
  }

  std::vector<Change> changes;

 private:
  const Listing& listing_;
  AuthorId author_;
  UnixNanos now_;
};

}  // namespace

Status may_delete(const PushedTree& tree, const std::string& from) {
  const bool has_files = std::ranges::any_of(tree.contents, [](const auto& entry) {
    return entry.second.kind == Kind::kFile || entry.second.kind == Kind::kSymlink;
  });
  if (has_files) return {};
  return fail(ErrorCode::kInvalid,
              "--from " + escape_bytes(from) +
                  " holds not a single file, and --delete would delete all that the receivers "
                  "have: name the right directory, or leave --delete out");
}

Result<PushedTree> read_tree(Disk& disk, const std::vector<std::string>& ignore, UnixNanos now) {
  TreeReader reader(disk, ignore, now);
  if (const Status read = reader.read(RelPath()); !read) return Unexpected(read.error());
  return std::move(reader.tree);
}

std::vector<Change> plan_push(const PushedTree& tree, const Listing& listing,
                              const AuthorId& author, UnixNanos now, bool delete_missing) {
  Planner planner(listing, author, now);
  for (const auto& [path, content] : tree.contents) {
    const auto base = listing.find(path);
    const bool same = base != listing.end() && same_bytes(base->second.content, content) &&
                      base->second.content.mode == content.mode;
    if (!same) planner.change(path, content);
  }
  if (delete_missing) {
    for (auto it = listing.rbegin(); it != listing.rend(); ++it) {
      const RelPath& path = it->first;
      const bool is_directory = it->second.content.kind == Kind::kDirectory;
      const bool is_missing = !tree.contents.contains(path) && !tree.troubles.contains(path) &&
                              !tree.rules.ignores(path, is_directory);
      if (it->second.is_live() && is_missing) planner.change(path, {});
    }
  }
  return std::move(planner.changes);
}

std::string describe(const Change& change, const Listing& listing) {
  const char* sign = !change.record.is_live() ? "- " : listing.contains(change.path) ? "~ " : "+ ";
  return sign + display(change.path);
}

}  // namespace dagsync
