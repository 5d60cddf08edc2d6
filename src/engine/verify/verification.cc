#include "dagsync/engine/verify/verification.h"

#include <algorithm>
#include <utility>

#include "dagsync/base/log.h"

namespace dagsync {
namespace {

constexpr std::size_t kPathsAtOnce = 512;  // asked for again
constexpr std::size_t kMaxProblemBytes = 500;

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::kTombstone:
      return "nothing";
    case Kind::kDirectory:
      return "a directory";
    case Kind::kFile:
      return "a file";
    case Kind::kSymlink:
      return "a symlink";
  }
  return "";
}

}  // namespace

std::string describe_difference(const Content& should, const Content& stands,
                                const NodeName& here) {
  const bool another_owner =
      !should.owner->empty() && !stands.owner->empty() && should.owner != stands.owner;
  Content but_for_owner = stands;
  but_for_owner.owner = should.owner;
  if (should == but_for_owner && !another_owner) return "";
  const std::string than_here = " than on " + here.value;
  if (stands.kind == Kind::kTombstone) {
    return "it is missing there, or ignored, and stands on " + here.value;
  }
  if (should.kind == Kind::kTombstone) return "it stands only there, not on " + here.value;
  if (should.kind != stands.kind) {
    return fmt::format("it is {} there, and {} on {}", name_of(stands.kind), name_of(should.kind),
                       here.value);
  }
  if (!same_bytes(should, stands)) {
    return (stands.kind == Kind::kSymlink ? "another target" : "other content") + than_here;
  }
  if (should.mode != stands.mode) {
    return fmt::format("mode {:04o} there, and {:04o} on {}", stands.mode, should.mode, here.value);
  }
  if (another_owner) {
    return fmt::format("it belongs to {} there, and to {} on {}", escape_bytes(*stands.owner),
                       escape_bytes(*should.owner), here.value);
  }
  return "another modification time" + than_here;
}

Verification::Verification(const Index& index, const Rereader& reader, std::vector<Source> sources,
                           Hooks hooks)
    : index_(index), reader_(reader), hooks_(std::move(hooks)) {
  for (Source& source : sources)
    nodes_.push_back({std::move(source), {}, 0, {}, {}, {}, false});
}

void Verification::start() {
  asking_ = nodes_.size();
  for (std::size_t node = 0; node < nodes_.size(); ++node)
    ask(node);
}

// -- all of it ----------------------------------------------------------------------------------

void Verification::ask(std::size_t node) {
  const RereadRange range{nodes_[node].after, {}};
  nodes_[node].source.ask(
      range, [this, node, range](const VerifyPage& page) { answered(node, range, page); });
}

// Why an answer cannot be believed. A page must get on, or a peer could keep us busy for ever.
std::string Verification::nonsense(const RereadRange& range, const VerifyPage& page) {
  if (!page.error.empty()) return page.error;
  const bool all = page.last.is_root();
  const bool stands_still = !all && page.last <= range.after;
  const bool outside = !page.rows.empty() && (page.rows.front().path <= range.after ||
                                              (!all && page.rows.back().path > page.last));
  return stands_still || outside || (!all && page.rows.empty()) ? "it answers nonsense" : "";
}

void Verification::answered(std::size_t number, const RereadRange& range, const VerifyPage& page) {
  Node& node = nodes_[number];
  if (const std::string why = nonsense(range, page); !why.empty()) {
    node.problems[RelPath()] = "not compared: " + why;
    node_done();
    return;
  }
  for (const VerifyPage::Row& row : page.rows)
    compare(node, row);
  find_missing(node, range.after, page);
  hooks_.progress({node.source.node, node.compared});
  if (page.last.is_root() || node.full) {
    node_done();
    return;
  }
  node.after = page.last;
  ask(number);
}

void Verification::compare(Node& node, const VerifyPage::Row& row) {
  if (reader_.leaves_out(row.path, row.content.kind)) return;
  ++node.compared;
  const Kind kind = row.content.kind;
  if (is_ours(node) && look_ == 1 && (kind == Kind::kFile || kind == Kind::kSymlink)) ++files_;
  node.suspects.erase(row.path);
  if (!row.problem.empty()) {
    if (node.problems.size() >= kMaxDifferences) node.full = true;
    if (node.full) return;
    node.problems[row.path] = row.problem.substr(0, kMaxProblemBytes);
    return;
  }
  if (row.unsettled) {
    suspect(node, row.path,
            "it is being changed, or somebody has it open for writing: verify again after that");
    return;
  }
  if (is_ours(node) || !reader_.known_difference(row.path).empty()) return;
  std::string why =
      describe_difference(index_.expected_at(row.path), row.content, nodes_.front().source.node);
  if (!why.empty()) suspect(node, row.path, std::move(why));
}

// What the index has between the rows of a page stands here and not there.
void Verification::find_missing(Node& node, const RelPath& after, const VerifyPage& page) {
  if (is_ours(node)) return;
  auto row = page.rows.begin();
  const auto end =
      page.last.is_root() ? index_.entries().end() : index_.entries().upper_bound(page.last);
  for (auto entry = index_.entries().upper_bound(after); entry != end && !node.full; ++entry) {
    while (row != page.rows.end() && row->path < entry->first)
      ++row;
    if (row == page.rows.end() || row->path != entry->first) miss(node, entry->first);
  }
}

void Verification::miss(Node& node, const RelPath& path) {
  const IndexEntry* entry = index_.find(path);
  const bool stands = entry != nullptr && entry->record.is_live() && !index_.is_shadowed(path);
  if (!stands || reader_.leaves_out(path, entry->record.content.kind)) return;
  if (is_ours(node) || !reader_.known_difference(path).empty()) return;
  suspect(node, path, describe_difference(entry->record.content, {}, nodes_.front().source.node));
}

void Verification::suspect(Node& node, const RelPath& path, std::string why) {
  if (node.suspects.size() + node.problems.size() >= kMaxDifferences) {
    node.full = true;
    return;
  }
  node.suspects[path] = std::move(why);
}

// -- what differed, again -------------------------------------------------------------------------

void Verification::node_done() {
  if (--asking_ > 0) return;
  const bool sure = std::all_of(nodes_.begin(), nodes_.end(),
                                [](const Node& node) { return node.suspects.empty(); });
  if (sure || look_ == kLooks) {
    finish();
  } else {
    hooks_.settle([this] { look_again(); });
  }
}

void Verification::look_again() {
  ++look_;
  for (Node& node : nodes_) {
    node.to_ask.clear();
    for (const auto& [path, why] : node.suspects)
      node.to_ask.push_back(path);
  }
  asking_ = nodes_.size();
  for (std::size_t node = 0; node < nodes_.size(); ++node)
    ask_again(node);
}

void Verification::ask_again(std::size_t number) {
  Node& node = nodes_[number];
  if (node.to_ask.empty()) {
    node_done();
    return;
  }
  const std::size_t count = std::min(kPathsAtOnce, node.to_ask.size());
  const auto begin = node.to_ask.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(count);
  const RereadRange range{{}, {begin, end}};
  node.to_ask.erase(begin, end);
  node.source.ask(range, [this, number, range](const VerifyPage& page) {
    answered_again(number, range, page);
  });
}

void Verification::answered_again(std::size_t number, const RereadRange& range,
                                  const VerifyPage& page) {
  Node& node = nodes_[number];
  if (!page.error.empty()) {
    node.problems[RelPath()] = "not compared to the end: " + page.error;
    node_done();
    return;
  }
  for (const RelPath& path : range.paths)
    node.suspects.erase(path);
  auto row = page.rows.begin();
  for (const RelPath& path : range.paths) {
    while (row != page.rows.end() && row->path < path)
      ++row;
    if (row != page.rows.end() && row->path == path) {
      compare(node, *row);
    } else {
      miss(node, path);
    }
  }
  ask_again(number);
}

void Verification::finish() {
  VerifyReport report;
  report.files = files_;
  for (Node& node : nodes_) {
    node.problems.merge(node.suspects);
    for (const auto& [path, problem] : node.problems)
      report.differences.push_back({path, node.source.node, problem});
    if (!node.full) continue;
    report.differences.push_back(
        {RelPath(), node.source.node, fmt::format("more than {} differences", kMaxDifferences)});
  }
  const auto done = std::move(hooks_.done);
  done(std::move(report));
}

}  // namespace dagsync
