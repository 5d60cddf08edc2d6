// The rules agree with git: on a table of what people write, and on random lines. Only lines of the
// user here; paths are named so that no built-in line touches them.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "core/git_oracle.h"
#include "dagsync/core/ignore.h"

using dagsync::GitOracle;
using dagsync::IgnoreQuery;
using dagsync::IgnoreRules;
using dagsync::RelPath;

namespace {

// A trailing slash says that the path is a directory.
std::vector<IgnoreQuery> queries_of(const std::vector<std::string>& paths) {
  std::vector<IgnoreQuery> queries;
  for (const std::string& path : paths) {
    const bool is_directory = path.ends_with('/');
    queries.push_back({is_directory ? path.substr(0, path.size() - 1) : path, is_directory});
  }
  return queries;
}

// Returns how many of the queries are ignored. No path may begin with a colon: git would take it
// for a pathspec with magic.
std::size_t check_against(GitOracle& git, const std::string& text,
                          const std::vector<IgnoreQuery>& queries) {
  const IgnoreRules rules({}, text);
  const std::vector<bool> expected = git.ignores(text, queries);
  std::size_t ignored = 0;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const auto path = RelPath::parse(queries[i].path);
    REQUIRE(path.has_value());
    const bool verdict = rules.ignores(*path, queries[i].is_directory);
    ignored += verdict ? 1 : 0;
    if (verdict == expected[i]) continue;  // a message a pair is slow to make
    CAPTURE(text);
    CAPTURE(queries[i].path);
    CAPTURE(queries[i].is_directory);
    CHECK(verdict == expected[i]);
  }
  return ignored;
}

struct Row {
  std::string text;
  std::vector<std::string> paths;
};

const std::vector<Row>& table() {
  using namespace std::string_literals;
  static const std::vector<Row> rows = {
      // Names, anywhere.
      {"logs", {"logs", "a/logs", "a/b/logs", "logs2", "xlogs", "logs.txt", "Logs"}},
      {"logs", {"logs/", "logs/x", "logs/x/y", "a/logs/", "a/logs/x"}},
      {"*.tmp", {"a.tmp", ".tmp", "b/a.tmp", "a.tmp.py", "atmp", "d.tmp/", "d.tmp/x"}},
      {"tmp*", {"tmp", "tmpx", "xtmp", "d/tmp1", "tmpdir/", "tmpdir/x"}},
      {"a*z", {"az", "abz", "a", "z", "azb", "aazz", "d/axz", "a/z", "a/"}},
      {"?.py", {"a.py", "ab.py", ".py", "d/x.py"}},
      {"*", {"a", "a/", "a/b", ".x"}},
      {"**", {"a", "d/", "d/b", ".x"}},
      {"***", {"a", "d/", "d/b"}},
      {"*.*", {"a", "a.b", ".b", "a."}},
      {"*a*b*", {"ab", "xaxbx", "ba", "b", "aab", "aabb"}},
      // Directories only.
      {"logs/", {"logs", "a/logs", "logs2/"}},
      {"logs/", {"logs/", "logs/x", "a/logs/", "a/logs/b/c"}},
      {"*/", {"f", "d/", "d/f", "d/e/"}},
      {"**/", {"f", "d/", "d/f", "d/e/"}},
      {"build*/", {"build", "builds/", "builds/x", "x/build1/", "x/build1/y"}},
      // Anchored.
      {"/logs", {"logs", "a/logs", "logs.txt"}},
      {"/logs", {"logs/", "logs/x", "a/logs/x"}},
      {"/*.py", {"a.py", "d/a.py"}},
      {"/*", {"a", "d/", "d/a"}},
      {"/*/", {"a", "d/", "d/a"}},
      {"/a/b", {"a/b", "x/a/b", "a/b/c"}},
      {"a/b", {"a/b", "x/a/b", "a/bc", "a"}},
      {"a/b/", {"a/b", "x/a/b/"}},
      {"a/b/", {"a/b/", "a/b/c", "x/a/b/c"}},
      {"a/*", {"a/", "a/b", "a/b/c", "a/.x", "b/a/b"}},
      {"a/*.py", {"a/x.py", "a/b/x.py", "a/.py"}},
      {"a/*/c", {"a/c", "a/b/c", "a/b/b/c", "x/a/b/c"}},
      {"a/?/c", {"a/b/c", "a/bb/c", "a//c"s.substr(0, 2) + "c"}},
      {"*/b", {"a/b", "b", "a/a/b", "a/b/c"}},
      {"a*/b*", {"a/b", "ax/bx", "ax/y/bx", "x/ax/bx"}},
      {"/", {"a", "d/", "d/a"}},
      {"//", {"a", "d/", "d/a"}},
      {"//a", {"a", "d/a"}},
      {"a//b", {"a/b", "a/x/b"}},
      // Double stars.
      {"**/logs", {"logs", "a/logs", "a/b/logs", "alogs", "a/logs2"}},
      {"**/logs/x.py", {"logs/x.py", "a/logs/x.py", "a/b/logs/x.py", "logs/a/x.py"}},
      {"a/**", {"a/", "a/b", "a/b/c", "ab/c", "x/a/b"}},
      {"/**", {"a", "d/", "d/a"}},
      {"/**/", {"a", "d/", "d/a", "d/e/"}},
      {"a/**/", {"a/", "a/b", "a/d/", "a/d/f"}},
      {"a/**/b", {"a/b", "a/x/b", "a/x/y/b", "ab", "x/a/b", "a/xb"}},
      {"**/a/**/b", {"a/b", "x/a/y/b", "x/y/a/z/z/b", "a/x", "b"}},
      {"**/a/**", {"a/", "a/x", "x/a/y", "xa/y"}},
      {"a**b", {"ab", "axb", "axxb", "d/axb"}},
      {"a**/b", {"ab", "a/b", "ax/b", "axx/y/b", "axb"}},
      {"/a**", {"a", "ab", "abc/d", "xa"}},
      {"x/a**", {"x/a", "x/ab", "x/ac/d"}},
      {"x/**a", {"x/a", "x/ba", "x/b/a", "x/b/ca"}},
      {"x/b**a", {"x/ba", "x/bca", "x/bc/a"}},
      {"***/a", {"a", "x/a", "x/y/a", "xa"}},
      {"a/***/b", {"a/b", "a/x/y/b"}},
      {"**/*.tmp", {"a.tmp", "x/a.tmp", "x/y/.tmp"}},
      {"**a/b", {"a/b", "xa/b", "x/a/b"}},
      {"a/**/*", {"a/", "a/b", "a/b/c"}},
      {"a/**/**/b", {"a/b", "a/x/b", "a/x/y/b"}},
      {"**/**", {"a", "d/", "d/e"}},
      {"**/x/*/y", {"x/a/y", "b/x/a/y", "x/x/a/y", "x/a/a/y", "x/a/x/b/y"}},
      {"?**/b", {"a/b", "ax/b", "a/x/b", "ab"}},
      {"a\\**/b", {"a*/b", "a*x/b", "a*/x/b"}},
      {"a\\/**", {"a/x", "a/x/y"}},
      {"a/**\\/b", {"a/x/b", "a/x/y/b", "a/b"}},
      // Negation, the last line wins.
      {"*.py\n!keep.py", {"a.py", "keep.py", "d/keep.py", "d/a.py"}},
      {"!keep.py\n*.py", {"a.py", "keep.py"}},
      {"*.py\n!keep.py\nkeep.py", {"keep.py"}},
      {"logs/\n!logs/keep", {"logs/", "logs/keep", "logs/x"}},
      {"logs/*\n!logs/keep", {"logs/", "logs/keep", "logs/x"}},
      {"/*\n!/dags/\n/dags/*\n!/dags/etl/", {"x", "dags/", "dags/a", "dags/etl/", "dags/etl/b"}},
      {"*\n!*/\n!*.py", {"a", "a.py", "d/", "d/a", "d/a.py", "d/e/", "d/e/f.py"}},
      {"d\n!d/", {"d/", "d/x"}},
      {"d/\n!d", {"d/", "d/x"}},
      {"!d", {"d", "e"}},
      {"a\n!!a", {"a"}},
      {"*\n!", {"a"}},
      {"!*\n", {"a"}},
      {"*.x\n!/a.x", {"a.x", "d/a.x"}},
      {"/a/*\n!/a/b/\n/a/b/*\n!/a/b/c", {"a/x", "a/b/", "a/b/c", "a/b/x"}},
      // Comments, blanks, line ends, spaces.
      {"# c\n\n  \na", {"a", "# c", " ", "  "}},
      {"#a\n\\#b", {"#a", "#b"}},
      {"\\!a\n", {"a", "!a"}},
      {" #a", {"#a", " #a"}},
      {"a\r\nb\r\n", {"a", "b", "a\r"}},
      {"a\rb\n", {"a", "a\rb", "b"}},
      {"a\r", {"a", "a\r"}},
      {"\r\n", {"a", "\r"}},
      {"a   ", {"a", "a ", "a   "}},
      {"a\\ ", {"a", "a ", "a\\ "}},
      {"a\\  ", {"a", "a ", "a  "}},
      {"a \\ ", {"a", "a ", "a  "}},
      {"a\\\\ ", {"a", "a\\", "a\\ "}},
      {"a b", {"a b", "a", "b"}},
      {" a", {"a", " a"}},
      {"a\t", {"a", "a\t"}},
      {"a/ ", {"a/", "a/b"}},
      {"\xEF\xBB\xBF"
       "a\nb",
       {"a", "b",
        "\xEF\xBB\xBF"
        "a"}},
      {"a\n\xEF\xBB\xBF"
       "b",
       {"a", "b",
        "\xEF\xBB\xBF"
        "b"}},
      {"ab\0c\nd"s, {"ab", "abc", "d"}},
      {"no newline at the end", {"no newline at the end", "no"}},
      // Escapes.
      {"\\a", {"a", "\\a"}},
      {"a\\*", {"a*", "ab", "a\\*", "a\\"}},
      {"\\*.py", {"*.py", "a.py"}},
      {"a\\?", {"a?", "ab"}},
      {"\\[a]", {"[a]", "a"}},
      {"a\\", {"a", "a\\"}},
      {"a\\/", {"a/", "a\\"}},
      {"a\\\\", {"a\\", "a"}},
      {"d\\/x", {"d/x", "e/d/x"}},
      {"*\\", {"a", "a\\"}},
      {"a\\/b\\/c", {"a/b/c"}},
      {"\\", {"\\", "a"}},
      // Classes.
      {"[ab].py", {"a.py", "b.py", "c.py", "ab.py", "[ab].py"}},
      {"[a-c]x", {"ax", "bx", "cx", "dx", "-x"}},
      {"[!a]x", {"ax", "bx", "!x", "x"}},
      {"[^a]x", {"ax", "bx", "^x"}},
      {"[a!]x", {"ax", "!x", "bx"}},
      {"[]]x", {"]x", "ax"}},
      {"[]-]x", {"]x", "-x", "ax"}},
      {"[!]]x", {"]x", "ax"}},
      {"[]a]x", {"]x", "ax", "bx"}},
      {"[a-]x", {"ax", "-x", "bx"}},
      {"[-a]x", {"ax", "-x", "bx"}},
      {"[--0]x", {"-x", ".x", "0x", "1x"}},
      {"[a-c-e]x", {"ax", "bx", "-x", "dx", "ex"}},
      {"[c-a]x", {"ax", "bx", "cx"}},
      {"[\\]]x", {"]x", "\\x"}},
      {"[\\a-c]x", {"ax", "bx", "\\x"}},
      {"[a-\\c]x", {"ax", "bx", "cx", "\\x"}},
      {"[\\-a]x", {"-x", "ax", "\\x"}},
      {"[\\\\]x", {"\\x", "ax"}},
      {"[a", {"[a", "a"}},
      {"[a\\", {"a", "[a\\"}},
      {"[", {"["}},
      {"[]", {"[]", "]"}},
      {"[!]", {"[!]", "a"}},
      {"[!", {"[!", "a"}},
      {"a[]b", {"a[]b", "ab", "a]b"}},
      {"[a/b]", {"a", "b", "[a/b]"}},
      {"d[/]x", {"d/x"}},
      {"d[!a]x", {"d/x", "dbx"}},
      {"d?x", {"d/x", "dbx"}},
      {"e/d[!a]x", {"e/d/x", "e/dbx"}},
      {"e/d?x", {"e/d/x", "e/dbx"}},
      {"[[:alpha:]]x", {"ax", "Zx", "0x", "d/:x"}},
      {"[[:digit:]a]x", {"0x", "9x", "ax", "bx"}},
      {"[![:digit:]]x", {"0x", "ax"}},
      {"[[:alpha:]-z]x", {"ax", "-x", "zx", "0x"}},
      {"[a-[:alpha:]]x", {"ax", "[x", "d/:x", "ax]x", "d/:]x"}},
      {"[[:nope:]]x", {"nx", "d/:x"}},
      {"[[:alpha]x", {"ax", "d/:x", "[x"}},
      {"[[:alpha:x", {"ax", "[[:alpha:x"}},
      {"[[:]x", {"[x", "d/:x"}},
      {"[[::]x", {"[x", "d/:x"}},
      {"[[::]]x", {"[x", "d/:x", "d/:]x"}},
      {"[[:ALPHA:]]x", {"ax", "Ax"}},
      {"[:alpha:]x", {"ax", "lx", "zx"}},
      {"[[:alpha:][:digit:]]x", {"ax", "1x", "-x"}},
      {"[[]x", {"[x"}},
      {"[[a]x", {"[x", "ax"}},
      {"[\xE9]x", {"\xE9x", "ex"}},
      {"[\x80-\xFF]x", {"\xE9x", "ex"}},
      {"[!a-z]x", {"\xE9x", "ex"}},
      // Bytes, not letters.
      {"\xE9t\xE9", {"\xE9t\xE9", "ete"}},
      {"?t?", {"\xE9t\xE9", "\xC3\xA9t\xC3\xA9"}},
      {"caf\xC3\xA9/", {"caf\xC3\xA9/", "caf\xC3\xA9/x"}},
      {"a\nb", {"a", "b", "a\nb"}},
      {"a?b", {"a\nb"}},
      // What operators write.
      {"*.log\n/tmp/\n!important.log\nvenv/\n.env\n**/node_modules/\ndata/**/*.csv\n",
       {"a.log", "x/important.log", "tmp/", "tmp/x", "x/tmp/", "venv/", "venv/bin/python", ".env",
        "x/.env", "node_modules/", "x/node_modules/y", "data/a.csv", "data/x/y/b.csv", "data/a.py",
        "xdata/a.csv"}},
  };
  return rows;
}

}  // namespace

TEST_CASE("a few hundred pairs of lines and paths are judged as git judges them") {
  GitOracle git;
  std::size_t pairs = 0;
  std::size_t ignored = 0;
  for (const Row& row : table()) {
    const auto queries = queries_of(row.paths);
    git.lay_out(queries);
    ignored += check_against(git, row.text, queries);
    pairs += queries.size();
  }
  CHECK(pairs > 400);
  CHECK(ignored > pairs / 4);
  CHECK(ignored < pairs * 3 / 4);
}

TEST_CASE("every ASCII byte is in the named classes in which git has it") {
  GitOracle git;
  std::vector<IgnoreQuery> queries;
  for (char c = 1; c != 0x7F; ++c) {
    if (c != '/' && c != ':') queries.push_back({std::string(1, c) + "x", false});
  }
  queries.push_back({"\x7Fx", false});
  queries.push_back({"\xA0x", false});
  git.lay_out(queries);
  for (const std::string name : {"alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower",
                                 "print", "punct", "space", "upper", "xdigit"}) {
    CHECK(check_against(git, "[[:" + name + ":]]x", queries) > 0);
    CHECK(check_against(git, "[^[:" + name + ":]]x", queries) > 0);
  }
}

namespace {

std::string pick(std::mt19937_64& random, const std::vector<std::string>& from) {
  return from[random() % from.size()];
}

// A tree in which random lines often match: few letters, some directories.
std::vector<IgnoreQuery> random_tree(std::mt19937_64& random) {
  std::vector<IgnoreQuery> queries;
  std::vector<std::string> directories = {""};
  for (int i = 0; i < 12; ++i) {
    const std::string path = pick(random, directories) + "d" + std::to_string(i) +
                             pick(random, {"", "a", "b", "ab", ".b"});
    queries.push_back({path, true});
    directories.push_back(path + "/");
  }
  const std::vector<std::string> parts = {"a", "b", "c", "ab", ".", "-", "*", "[", "]", " ", "\\"};
  for (int i = 0; i < 60; ++i) {
    std::string name = pick(random, {"a", "b", "c", "x"});
    for (std::size_t n = random() % 3; n > 0; --n)
      name += pick(random, parts);
    queries.push_back({pick(random, directories) + name, false});
  }
  return queries;
}

std::string random_line(std::mt19937_64& random) {
  static const std::vector<std::string> parts = {
      "a", "a", "b",   "b",   "c",   "x",   "d",     "d1", ".",    "/",    "/",
      "/", "*", "*",   "*",   "**",  "**/", "/",     "?",  "[ab]", "[!a]", "[a-",
      "]", "[", "\\",  "\\*", "/**", "-",   "d[0-9", "]",  " ",    "\\ ",  "[[:alpha:]]",
      "!", "#", "***", "^",   ":",   "[^",  "ab",    "*b", "a*",   "d*",   "[]a-c]"};
  std::string line = random() % 4 == 0 ? "!" : "";
  if (random() % 4 == 0) line += "/";
  for (std::size_t n = 1 + random() % 5; n > 0; --n)
    line += pick(random, parts);
  if (random() % 5 == 0) line += "/";
  return line;
}

}  // namespace

TEST_CASE("random lines are judged as git judges them") {
  GitOracle git;
  std::mt19937_64 random(20261121);
  std::size_t pairs = 0;
  std::size_t ignored = 0;
  for (int tree = 0; tree < 10; ++tree) {
    const auto queries = random_tree(random);
    git.lay_out(queries);
    for (int round = 0; round < 60; ++round) {
      std::string text;
      for (std::size_t lines = 1 + random() % 6; lines > 0; --lines)
        text += random_line(random) + "\n";
      ignored += check_against(git, text, queries);
      pairs += queries.size();
    }
  }
  CHECK(ignored > pairs / 10);  // otherwise the lines say nothing
  CHECK(ignored < pairs * 9 / 10);
}
