#include "dagsync/base/rel_path.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "support/paths.h"

using dagsync::kMaxNameBytes;
using dagsync::kMaxPathBytes;
using dagsync::path;
using dagsync::RelPath;

namespace {

// A path of exactly that many bytes, of valid names.
std::string path_of_length(std::size_t length) {
  std::string bytes;
  while (bytes.size() < length)
    bytes += bytes.size() % 200 == 199 ? '/' : 'a';
  if (bytes.back() == '/') bytes.back() = 'a';
  return bytes;
}

// What a process of its own says.
std::string hash_elsewhere() {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string command = "'" + self + "' -m -ns -tc='says the hash of a path'";
  const std::unique_ptr<FILE, int (*)(FILE*)> output(popen(command.c_str(), "r"), pclose);
  REQUIRE(output != nullptr);
  std::array<char, 64> line{};
  REQUIRE(fgets(line.data(), line.size(), output.get()) != nullptr);
  return line.data();
}

}  // namespace

TEST_CASE("a path that stays inside the folder is taken as it is") {
  const std::vector<std::string> good = {
      "a",        "dags/etl/load.py", ".hidden", "..a",     "a..",
      "...",      "a/.../b",          " ",       "a b\tc",  "new\nline",
      "\xFF\xFE", "na\xC3\xAFve",     "-rf",     "C:\\dir", "a/.dagsyncignore"};
  for (const std::string& bytes : good) {
    CAPTURE(bytes);
    const auto parsed = RelPath::parse(bytes);
    REQUIRE(parsed.has_value());
    CHECK(parsed->bytes() == bytes);
    CHECK_FALSE(parsed->is_root());
  }
}

TEST_CASE("a path that could leave the folder, or names nothing, is refused") {
  using namespace std::string_literals;
  const std::vector<std::string> bad = {
      "",    "/",     "/etc",    "/etc/passwd", ".",      "..",    "../a",  "a/..", "a/../b",
      "./a", "a/.",   "a/./b",   "a//b",        "a/",     "a\0b"s, "\0"s,   "//a",  "a/b/",
      "../", "a/../", "../../x", "a\0/b"s,      "a/b/..", "./",    "a/\0"s, "a//",  "/."};
  for (const std::string& bytes : bad) {
    CAPTURE(bytes);
    const auto parsed = RelPath::parse(bytes);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == dagsync::ErrorCode::kInvalid);
    CHECK(parsed.error().message.find('\n') == std::string::npos);
  }
}

TEST_CASE("names and paths are as long as Linux allows and no longer") {
  CHECK(RelPath::parse(std::string(kMaxNameBytes, 'a')).has_value());
  CHECK_FALSE(RelPath::parse(std::string(kMaxNameBytes + 1, 'a')).has_value());
  CHECK_FALSE(RelPath::parse("a/" + std::string(kMaxNameBytes + 1, 'a') + "/b").has_value());
  CHECK(RelPath::parse(path_of_length(kMaxPathBytes)).has_value());
  CHECK_FALSE(RelPath::parse(path_of_length(kMaxPathBytes + 1)).has_value());
}

TEST_CASE("the root is the empty path, and its own parent") {
  const RelPath root;
  CHECK(root.is_root());
  CHECK(root.bytes().empty());
  CHECK(root.name().empty());
  CHECK(root.parent() == root);
  CHECK(dagsync::display(root) == ".");
}

TEST_CASE("name and parent take a path apart, child puts it together") {
  const RelPath deep = path("dags/etl/load.py");
  CHECK(deep.name() == "load.py");
  CHECK(deep.parent() == path("dags/etl"));
  CHECK(deep.parent().parent().parent().is_root());
  CHECK(path("a").name() == "a");
  CHECK(path("a").parent().is_root());
  CHECK(*deep.parent().child("load.py") == deep);
  CHECK(*RelPath().child("a") == path("a"));
}

TEST_CASE("a child is refused where it is no name or makes the path too long") {
  using namespace std::string_literals;
  const std::vector<std::string> bad = {"",   ".",    "..", "a/b",
                                        "/a", "a\0"s, "a/", std::string(kMaxNameBytes + 1, 'a')};
  for (const std::string& name : bad) {
    CAPTURE(name);
    CHECK_FALSE(path("dir").child(name).has_value());
    CHECK_FALSE(RelPath().child(name).has_value());
  }
  const RelPath longest = path(path_of_length(kMaxPathBytes - 2));
  CHECK(longest.child("b").has_value());
  CHECK_FALSE(longest.child("bc").has_value());
}

TEST_CASE("below means strictly below, at a slash") {
  CHECK(path("a/b").is_below(path("a")));
  CHECK(path("a/b/c").is_below(path("a")));
  CHECK(path("a").is_below(RelPath()));
  CHECK_FALSE(path("a").is_below(path("a")));
  CHECK_FALSE(path("ab").is_below(path("a")));
  CHECK_FALSE(path("a").is_below(path("a/b")));
  CHECK_FALSE(RelPath().is_below(RelPath()));
  CHECK_FALSE(RelPath().is_below(path("a")));
}

TEST_CASE("paths are ordered by their bytes, and equal ones have equal hashes") {
  std::vector<RelPath> paths = {path("b"), path("\xFF"), path("a/b"),
                                path("a"), path("a-"),   path("B")};
  std::sort(paths.begin(), paths.end());
  const std::vector<RelPath> sorted = {path("B"),   path("a"), path("a-"),
                                       path("a/b"), path("b"), path("\xFF")};
  CHECK(paths == sorted);
  std::unordered_set<RelPath> set(paths.begin(), paths.end());
  CHECK(set.contains(path("a/b")));
  CHECK(set.size() == paths.size());
}

TEST_CASE("says the hash of a path" * doctest::skip()) {
  std::printf("hash %zu\n", std::hash<RelPath>()(path("dags/load.py")));
}

TEST_CASE("nobody outside a process knows which paths share a bucket in it") {
  CHECK(std::hash<RelPath>()(path("a/b")) == std::hash<RelPath>()(path("a/b")));
  const std::string first = hash_elsewhere();
  CHECK(first.starts_with("hash "));
  CHECK(first != hash_elsewhere());
}
