#include "dagsync/core/index.h"

#include <malloc.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/one_replica.h"

using namespace dagsync;

namespace {

IndexEntry entry_of(const Content& content) {
  Record record = edit("a", 1, content, 1);
  return {record, record.origin, std::nullopt};
}

Index index_of(const std::vector<std::pair<std::string, Content>>& rows) {
  Index index;
  for (const auto& [path, content] : rows)
    index.put(at(path), entry_of(content));
  return index;
}

const Content kFile = file_content("x", 1);
const Content kLink = symlink_content("x", 1);
const Content kPrivateDirectory = directory_content(0700);
const Content kNothing;

std::vector<std::string> below(const Index& index, const std::string& directory) {
  std::vector<std::string> paths;
  index.visit_below(directory.empty() ? RelPath() : at(directory), [&](const auto& path, auto&) {
    paths.push_back(path.bytes());
    return true;
  });
  return paths;
}

// Children by name; '*' marks those that only live paths below imply.
std::vector<std::string> children(const Index& index, const std::string& directory) {
  std::vector<std::string> names;
  index.visit_children(directory.empty() ? RelPath() : at(directory),
                       [&](const RelPath& path, const IndexEntry* entry) {
                         names.push_back(std::string(path.name()) + (entry ? "" : "*"));
                       });
  std::sort(names.begin(), names.end());
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the totals follow what is put, replaced and dropped") {
  Index index;
  index.put(at("a"), entry_of(file_content("12345", 1)));
  index.put(at("b"), entry_of(kLink));
  index.put(at("d"), entry_of(kPrivateDirectory));
  CHECK(index.totals().files == 2);
  CHECK(index.totals().directories == 1);
  CHECK(index.totals().bytes == 5);
  index.put(at("a"), entry_of(file_content("12", 2)));
  CHECK(index.totals().files == 2);
  CHECK(index.totals().bytes == 2);
  index.put(at("a"), entry_of(kNothing));
  CHECK(index.totals().files == 1);
  CHECK(index.totals().bytes == 0);
  CHECK(index.totals().tombstones == 1);
  for (const char* path : {"a", "b", "d", "never"})
    index.drop(at(path));
  CHECK(index.totals().files + index.totals().directories + index.totals().tombstones == 0);
  CHECK(index.entries().empty());
}

TEST_CASE("rows that are appended in their order are as if they had been put") {
  Index appended;
  Index put;
  appended.reserve(3);
  for (const auto& [path, content] :
       {std::pair("a", kPrivateDirectory), std::pair("a.py", kFile), std::pair("a/b", kLink)}) {
    appended.append(at(path), entry_of(content));
    put.put(at(path), entry_of(content));
  }
  CHECK(appended.entries().size() == 3);
  CHECK(std::equal(
      appended.entries().begin(), appended.entries().end(), put.entries().begin(),
      [](const auto& a, const auto& b) { return a.first == b.first && a.second == b.second; }));
  CHECK(appended.totals().files == put.totals().files);
  CHECK(appended.paths_of(kFile.digest, 4) == put.paths_of(kFile.digest, 4));
  appended.put(at("a.py"), entry_of(kNothing));
  CHECK(appended.paths_of(kFile.digest, 4).empty());
}

TEST_CASE("files are found by their content, while they have it") {
  Index index = index_of({{"a", kFile}, {"b", kFile}, {"c", file_content("y", 1)}, {"l", kLink}});
  auto paths = index.paths_of(digest_of("x"), 10);
  std::sort(paths.begin(), paths.end());
  CHECK(paths == std::vector<RelPath>{at("a"), at("b")});
  CHECK(index.paths_of(digest_of("x"), 1).size() == 1);
  index.put(at("a"), entry_of(file_content("y", 2)));
  index.drop(at("b"));
  CHECK(index.paths_of(digest_of("x"), 10).empty());
  CHECK(index.paths_of(digest_of("y"), 10).size() == 2);
  CHECK(Index(std::move(index)).paths_of(digest_of("y"), 10).size() == 2);
}

TEST_CASE("below a directory is neither itself nor its neighbours") {
  // '-' and '.' stand before '/', '0' behind it.
  const Index index = index_of({{"d", kPrivateDirectory},
                                {"d-1/x", kFile},
                                {"d.py", kFile},
                                {"d/a", kFile},
                                {"d/s/b", kFile},
                                {"d0", kFile}});
  CHECK(below(index, "d") == Names{"d/a", "d/s/b"});
  CHECK(below(index, "d/s") == Names{"d/s/b"});
  CHECK(below(index, "d/a").empty());
  CHECK(below(index, "").size() == 6);
  std::size_t visits = 0;
  index.visit_below(RelPath(), [&](const RelPath&, const IndexEntry&) { return ++visits < 3; });
  CHECK(visits == 3);
}

TEST_CASE("children are visited once, however many paths lie below or between") {
  const Index index = index_of({{"d", kPrivateDirectory},
                                {"d-1", kFile},
                                {"d-1.py", kFile},
                                {"d/a", kFile},
                                {"d/b", kFile},
                                {"e/f/g", kFile},
                                {"gone", kNothing},
                                {"gone-too/x", kNothing},
                                {"t", kNothing},
                                {"t/x", kFile}});
  CHECK(children(index, "") == Names{"d", "d-1", "d-1.py", "e*", "t*"});
  CHECK(children(index, "d") == Names{"a", "b"});
  CHECK(children(index, "e") == Names{"f*"});
  CHECK(children(index, "t") == Names{"x"});
  CHECK(children(index, "gone-too").empty());
}

TEST_CASE("what should stand at a path") {
  const Index index = index_of({{"f", kFile},
                                {"f/below", kFile},
                                {"l", kLink},
                                {"l/s/below", kFile},
                                {"d", kPrivateDirectory},
                                {"d/x", kFile},
                                {"implied/s/x", kFile},
                                {"kept", kNothing},
                                {"kept/x", kFile},
                                {"gone", kNothing},
                                {"gone/x", kNothing}});
  Content implied = directory_content(kImpliedDirectoryMode);
  CHECK(index.expected_at(at("f")) == kFile);
  CHECK(index.expected_at(at("f/below")) == kNothing);
  CHECK(index.is_shadowed(at("f/below")));
  CHECK(index.is_shadowed(at("f/unknown/below")));
  CHECK_FALSE(index.is_shadowed(at("f")));
  CHECK(index.expected_at(at("l/s/below")) == kNothing);
  CHECK(index.expected_at(at("l/s")) == kNothing);
  CHECK(index.expected_at(at("d")) == kPrivateDirectory);
  CHECK(index.expected_at(at("d/x")) == kFile);
  CHECK(index.expected_at(at("implied")) == implied);
  CHECK(index.expected_at(at("implied/s")) == implied);
  CHECK(index.expected_at(at("kept")) == implied);
  CHECK(index.expected_at(at("gone")) == kNothing);
  CHECK(index.expected_at(at("unknown")) == kNothing);
  CHECK(index.has_live_below(at("kept")));
  CHECK_FALSE(index.has_live_below(at("gone")));
}

TEST_CASE("children and paths below agree with a plain look at every path") {
  std::mt19937_64 random(7);
  const Names parts = {"a", "a-", "a.", "a0", "b", "\xff"};
  for (int round = 0; round < 200; ++round) {
    Index index;
    std::map<std::string, bool> live;
    for (int i = 0; i < 12; ++i) {
      std::string path = parts[random() % parts.size()];
      while (random() % 2 == 0)
        path += "/" + parts[random() % parts.size()];
      live[path] = random() % 3 != 0;
      index.put(at(path), entry_of(live[path] ? kFile : kNothing));
    }
    Names expected;
    for (const auto& [path, alive] : live) {
      if (!path.starts_with("a/")) continue;
      std::string name = path.substr(2, path.find('/', 2) - 2);
      const auto own = live.find("a/" + name);
      if (own == live.end() || !own->second) name += "*";
      if (alive) expected.push_back(name);
    }
    std::sort(expected.begin(), expected.end());
    expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
    CHECK(children(index, "a") == expected);
  }
}

TEST_CASE("an indexed file takes at most 350 bytes") {
  constexpr std::size_t kFiles = 20'000;
  const std::size_t before = ::mallinfo2().uordblks;
  Index index;
  for (std::size_t i = 0; i < kFiles; ++i) {
    // As from the wire or the store: whatever can be shared comes as a copy of its own.
    const std::string name = std::to_string(i);
    const std::string path = "teams/team" + std::to_string(i / 40) + "/dag_" + name + ".py";
    IndexEntry entry = entry_of(file_content("content of " + name, 1));
    entry.record.content.owner = "a user with a long name:and a group of his";
    entry.id = {author_of("worker3.example.org"), i + 1};
    entry.record.origin = {author_of("worker3.example.org"), i + 1};
    entry.record.seen = {};
    entry.record.seen.raise(author_of("worker3.example.org"), i + 1);
    entry.record.version = entry.record.seen;
    entry.disk = state_of(entry.record.content, 1);
    index.put(at(path), std::move(entry));
  }
  const std::size_t taken = ::mallinfo2().uordblks - before;
  if (before == 0) return;  // a sanitizer's allocator does not count here
  CHECK(taken / kFiles <= 350);
  CHECK(taken / kFiles >= sizeof(IndexEntry));
}
