#include "daemon/push_plan.h"

#include <doctest/doctest.h>

#include "core/record_samples.h"

namespace dagsync {
namespace {

RelPath at(const std::string& path) {
  return *RelPath::parse(path);
}

struct PushPlanFixture {
  PushedTree tree;
  Listing listing;

  std::vector<std::string> plan(bool delete_missing) {
    std::vector<std::string> lines;
    for (const Change& change : plan_push(tree, listing, {{"ci"}, {1}}, {1000}, delete_missing)) {
      lines.push_back(describe(change, listing));
    }
    return lines;
  }
};

using Lines = std::vector<std::string>;

TEST_CASE_FIXTURE(PushPlanFixture, "new, changed and missing files are planned, the last only if wished") {
  tree.contents[at("new.py")] = file_content("new", 1);
  tree.contents[at("same.py")] = file_content("same", 1);
  tree.contents[at("changed.py")] = file_content("after", 1);
  listing[at("same.py")] = edit("a", 1, file_content("same", 500), 500);
  listing[at("changed.py")] = edit("a", 2, file_content("before", 500), 500);
  listing[at("gone.py")] = edit("a", 3, file_content("x", 500), 500);
  listing[at("dead.py")] = edit("a", 4, {}, 500);
  CHECK(plan(false) == Lines{"~ changed.py", "+ new.py"});
  CHECK(plan(true) == Lines{"~ changed.py", "+ new.py", "- gone.py"});
}

TEST_CASE_FIXTURE(PushPlanFixture, "a pushed file stays whose it was, and is not pushed for that alone") {
  Content owned = file_content("before", 500);
  owned.owner = "alice:users";
  listing[at("same.py")] = edit("a", 1, owned, 500);
  listing[at("changed.py")] = edit("a", 2, owned, 500);
  listing[at("gone.py")] = edit("a", 3, owned, 500);
  tree.contents[at("same.py")] = file_content("before", 1);
  tree.contents[at("changed.py")] = file_content("after", 1);
  tree.contents[at("new.py")] = file_content("new", 1);
  const auto changes = plan_push(tree, listing, {{"ci"}, {1}}, {1000}, true);
  REQUIRE(changes.size() == 3);
  CHECK(*changes[0].record.content.owner == "alice:users");
  CHECK(changes[1].record.content.owner->empty());
  CHECK(changes[2].record.content == Content{});
}

TEST_CASE_FIXTURE(PushPlanFixture, "what stands there but is not pushed is not missing") {
  tree.contents[at("a.py")] = file_content("a", 1);
  tree.troubles[at("being-written.py")] = "somebody writes it just now";
  tree.rules = IgnoreRules({"*.local"});
  for (const char* path : {"a.py", "being-written.py", "my.local"})
    listing[at(path)] = edit("a", 1, file_content("a", 1), 1);
  CHECK(plan(true).empty());
}

TEST_CASE_FIXTURE(PushPlanFixture, "directories alone are not a single file") {
  tree.contents[at("d")] = directory_content(0755);
  CHECK_FALSE(may_delete(tree, "dags"));
  tree.contents[at("d/link")] = symlink_content("x", 1);
  CHECK(may_delete(tree, "dags"));
}

}  // namespace
}  // namespace dagsync
