#include "daemon/path_argument.h"

#include <doctest/doctest.h>

namespace dagsync {
namespace {

std::vector<FolderConfig> folders_at(
    std::initializer_list<std::pair<const char*, const char*>> list) {
  std::vector<FolderConfig> folders;
  for (const auto& [name, path] : list) {
    folders.emplace_back();
    folders.back().name = name;
    folders.back().path = path;
  }
  return folders;
}

TEST_CASE("every byte of a path comes through JSON") {
  std::string all;
  for (int byte = 1; byte < 256; ++byte)
    all.push_back(static_cast<char>(byte));
  const auto back = path_from_json(path_to_json(all));
  REQUIRE(back);
  CHECK(*back == all);
  CHECK(path_to_json("a\xff") == "a\xC3\xBF");
  CHECK_FALSE(path_from_json("\xC4\x80"));      // U+0100
  CHECK_FALSE(path_from_json("\xE2\x82\xAC"));  // U+20AC
  CHECK_FALSE(path_from_json("\xC3"));          // cut off
}

TEST_CASE("a path is absolute or relative to the folder") {
  const auto folders = folders_at({{"dags", "/srv/dags"}, {"more", "/srv/dags2"}});
  struct Case {
    std::optional<std::string> folder;
    const char* path;
    std::optional<std::size_t> index;
    const char* rel;
  };
  const Case cases[] = {
      {{}, "/srv/dags/a/b.py", 0, "a/b.py"},
      {{}, "/srv//dags/./a/../c.py", 0, "c.py"},
      {{}, "/srv/dags", 0, ""},
      {{}, "/srv/dags/", 0, ""},
      {{}, "/srv/dags2/x", 1, "x"},
      {{"more"}, "./x/", 1, "x"},
      {{"more"}, ".", 1, ""},
      {{"dags"}, "/srv/dags/x", 0, "x"},
      {{"more"}, "/srv/dags/x", {}, ""},
      {{"none"}, "x", {}, ""},
      {{}, "x", {}, ""},  // of which folder?
      {{}, "/etc/passwd", {}, ""},
      {{}, "/srv/dags/../x", {}, ""},
      {{"dags"}, "../x", {}, ""},
      {{"dags"}, "a/../../x", {}, ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.path);
    const auto resolved = resolve_path(folders, c.folder, c.path);
    CHECK(resolved.has_value() == c.index.has_value());
    if (!resolved || !c.index) continue;
    CHECK(resolved->folder == *c.index);
    CHECK(resolved->path.bytes() == c.rel);
  }
}

TEST_CASE("the only folder need not be named") {
  const auto folders = folders_at({{"dags", "/srv/dags"}});
  const auto resolved = resolve_path(folders, std::nullopt, "a\xff.py");
  REQUIRE(resolved);
  CHECK(resolved->path.bytes() == "a\xff.py");
  CHECK(choose_folder(folders, std::nullopt));
  const auto unknown = choose_folder(folders, "dag");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message == "no folder is called \"dag\": there is dags");
}

}  // namespace
}  // namespace dagsync
