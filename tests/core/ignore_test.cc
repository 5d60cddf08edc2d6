#include "dagsync/core/ignore.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/paths.h"

using dagsync::IgnoreRules;
using dagsync::path;
using dagsync::RelPath;

namespace {

// A trailing slash says that the path is a directory.
bool ignores(const IgnoreRules& rules, std::string bytes) {
  const bool is_directory = bytes.ends_with('/');
  if (is_directory) bytes.pop_back();
  return rules.ignores(path(bytes), is_directory);
}

bool is_disposable(const IgnoreRules& rules, std::string bytes) {
  const bool is_directory = bytes.ends_with('/');
  if (is_directory) bytes.pop_back();
  const bool verdict = rules.is_built_in_ignored(path(bytes), is_directory);
  if (verdict) CHECK(rules.ignores(path(bytes), is_directory));
  return verdict;
}

}  // namespace

TEST_CASE("what programs leave beside people's files is ignored without a word of configuration") {
  const std::vector<std::string> ignored = {"__pycache__/",
                                            "a/__pycache__/",
                                            "a/__pycache__/x.cpython-311.pyc",
                                            "a.pyc",
                                            "a/b.pyo",
                                            ".pyc",
                                            ".git/",
                                            ".git/HEAD",
                                            "sub/.git/objects/aa/bb",
                                            ".hg/",
                                            ".hg/store",
                                            ".svn/",
                                            ".svn/entries",
                                            ".a.py.swp",
                                            "a.swo",
                                            "x/.b.swx",
                                            "4913",
                                            "dags/4913",
                                            "a.py~",
                                            "~",
                                            ".#a.py",
                                            ".#",
                                            "#a.py#",
                                            "##",
                                            ".DS_Store",
                                            "d/.DS_Store",
                                            ".nfs0000000000000001",
                                            ".nfs",
                                            ".fuse_hidden001",
                                            ".dagsync-stage-1",
                                            ".dagsync-",
                                            "d/.dagsync-x/",
                                            "d/.dagsync-x/y"};
  const std::vector<std::string> kept = {"a.py",
                                         "__pycache__",
                                         "pycache/",
                                         ".gitignore",
                                         ".git",
                                         ".github/",
                                         ".hg",
                                         "a.pyc.txt",
                                         "a.swp.py",
                                         "49130",
                                         "4913a",
                                         "a~b",
                                         "#a",
                                         "a#",
                                         "#",
                                         ".ds_store",
                                         "nfs1",
                                         ".dagsyncignore",
                                         ".dagsync",
                                         "d/.dagsyncignore",
                                         ".airflowignore",
                                         "a.swz",
                                         "a.PYC",
                                         "x.nfs",
                                         "a.zip",
                                         "d/",
                                         "a.#b",
                                         "4913.py",
                                         "svn/",
                                         "dagsync-x"};
  const IgnoreRules rules;
  for (const std::string& bytes : ignored) {
    CAPTURE(bytes);
    CHECK(ignores(rules, bytes));
    CHECK(is_disposable(rules, bytes));
  }
  for (const std::string& bytes : kept) {
    CAPTURE(bytes);
    CHECK_FALSE(ignores(rules, bytes));
    CHECK_FALSE(is_disposable(rules, bytes));
  }
}

TEST_CASE("the folder itself is never ignored") {
  const IgnoreRules rules({"*", "/", "**/"}, "*\n");
  CHECK_FALSE(rules.ignores(RelPath(), true));
  CHECK_FALSE(rules.is_built_in_ignored(RelPath(), true));
}

TEST_CASE("a line of the user takes a built-in one back") {
  const IgnoreRules rules({"!*.pyc", "!.git/"});
  CHECK_FALSE(ignores(rules, "legacy.pyc"));
  CHECK_FALSE(is_disposable(rules, "legacy.pyc"));
  CHECK_FALSE(ignores(rules, ".git/HEAD"));
  CHECK(ignores(rules, "a.pyo"));
  CHECK(ignores(rules, "__pycache__/a.pyc"));  // the directory above is still ignored
  CHECK(is_disposable(rules, "__pycache__/a.pyc"));
}

TEST_CASE("what dagsync itself puts into the folder cannot be taken back") {
  const IgnoreRules rules({"!.dagsync-*", "!*", "!**/"}, "!.dagsync-*\n!.dagsync-x\n");
  CHECK(ignores(rules, ".dagsync-x"));
  CHECK(ignores(rules, "d/.dagsync-x/"));
  CHECK(ignores(rules, "d/.dagsync-x/y"));
  CHECK(is_disposable(rules, ".dagsync-x"));
}

TEST_CASE("a later layer overrules an earlier one") {
  const IgnoreRules rules({"*.csv", "!keep.csv", "!*.bak"}, "!b.csv\nkeep.csv\n*.bak\n");
  CHECK(ignores(rules, "a.csv"));
  CHECK_FALSE(ignores(rules, "b.csv"));
  CHECK(ignores(rules, "keep.csv"));
  CHECK(ignores(rules, "x.bak"));
}

TEST_CASE("what a person ignores is not disposable") {
  const IgnoreRules rules({"logs/", "*.csv"});
  CHECK(ignores(rules, "logs/today.log"));
  CHECK_FALSE(is_disposable(rules, "logs/"));
  CHECK_FALSE(is_disposable(rules, "logs/today.log"));
  CHECK_FALSE(is_disposable(rules, "logs/__pycache__/"));  // it goes with its directory, or stays
  CHECK_FALSE(is_disposable(rules, "a.csv"));
}

TEST_CASE("a built-in line that a person repeats stays disposable") {
  const IgnoreRules rules({"*.pyc", "__pycache__/"}, "__pycache__\n*.py[co]\n*\n");
  CHECK(is_disposable(rules, "a.pyc"));
  CHECK(is_disposable(rules, "__pycache__/"));
  CHECK(is_disposable(rules, "__pycache__/x"));
  CHECK(ignores(rules, "a.py"));
  CHECK_FALSE(is_disposable(rules, "a.py"));
}

TEST_CASE("a line that a person took back and then ignored is the person's") {
  const IgnoreRules rules({"!*.swp", "*.swp"});
  CHECK(ignores(rules, "notes.swp"));
  CHECK_FALSE(is_disposable(rules, "notes.swp"));
}

TEST_CASE("several lines in one entry of the configuration are several lines") {
  const IgnoreRules rules({"a\n!b\n# c", "", "*.x\r\n"});
  CHECK(ignores(rules, "a"));
  CHECK(ignores(rules, "q.x"));
  CHECK_FALSE(ignores(rules, "# c"));
}

TEST_CASE("the number of lines is bounded, and blank ones do not count") {
  std::string text;
  for (std::size_t i = 0; i < dagsync::kMaxIgnorePatterns; ++i)
    text += "# comment\n\nname" + std::to_string(i) + "\n";
  CHECK_FALSE(IgnoreRules({}, text).is_truncated());
  const IgnoreRules rules({}, text + "one-more\n");
  CHECK(rules.is_truncated());
  CHECK(ignores(rules, "name9999"));
  CHECK_FALSE(ignores(rules, "one-more"));
}

TEST_CASE("a line that is too long never matches") {
  std::string longest = std::string(dagsync::kMaxIgnorePatternBytes - 1, '*') + "a";
  CHECK(ignores(IgnoreRules({longest}), "a"));
  CHECK_FALSE(ignores(IgnoreRules({"*" + longest}), "a"));
}

TEST_CASE("a hostile line costs no more than a moment") {
  // Plain recursion would need some 2^100 steps for these.
  std::string stars;
  std::string directories;
  for (int i = 0; i < 500; ++i) {
    stars += "*a";
    directories += "**/a/";
  }
  const IgnoreRules rules({}, stars + "b\n" + directories + "b\n" + "/x*" + stars + "b\n");
  std::string deep = "a";
  for (int i = 0; i < 1000; ++i)
    deep += "/a";
  CHECK_FALSE(ignores(rules, std::string(255, 'a')));
  CHECK_FALSE(ignores(rules, deep));
  const IgnoreRules fewer({}, directories.substr(0, 50 * 5) + "b\n");
  CHECK_FALSE(ignores(fewer, deep.substr(0, 60 * 2 - 1) + "/c"));
  CHECK(ignores(fewer, deep.substr(0, 60 * 2 - 1) + "/b"));
}

TEST_CASE("lines and a path that are all made to take time are given up, and built-in ones count") {
  // 500 lines, each compared in vain at each of 2,000 directories: minutes, were it not for a
  // bound.
  std::string line = "**/*";
  for (int i = 0; i < 1000; ++i)
    line += "a/";
  std::string text;
  for (int i = 0; i < 500; ++i)
    text += line + "*c" + std::to_string(i) + "\n";
  const IgnoreRules rules({}, "*.log\n" + text);
  std::string deep = "a";
  for (int i = 0; i < 2000; ++i)
    deep += "/a";
  CHECK_FALSE(ignores(rules, deep));
  CHECK_FALSE(ignores(rules, deep + "/x.log"));  // no line of the user is heeded by then
  CHECK(is_disposable(rules, deep + "/x.pyc"));
  CHECK(ignores(rules, "a/x.log"));
}

TEST_CASE("many honest lines and a deep path stay far below the bound") {
  std::string text;
  for (std::size_t i = 0; i < dagsync::kMaxIgnorePatterns; ++i)
    text += (i % 3 == 0 ? "**/data" : "name*") + std::to_string(i) + ".csv\n";
  const IgnoreRules rules({}, "*.log\n" + text);  // the first line is compared last
  CHECK(ignores(rules, "some/ten/directories/deep/where/nobody/looks/any/more/dag.log"));
}
