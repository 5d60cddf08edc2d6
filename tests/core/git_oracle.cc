#include "core/git_oracle.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <utility>

#include "support/files.h"

namespace dagsync {
namespace fs = std::filesystem;
namespace {

void write_all(const fs::path& file, const std::string& bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << bytes;
  REQUIRE(out.flush().good());
}

std::vector<std::string> split_at_nul(const std::string& bytes) {
  std::vector<std::string> fields;
  std::size_t begin = 0;
  for (std::size_t end = bytes.find('\0'); end != std::string::npos;
       end = bytes.find('\0', begin = end + 1))
    fields.push_back(bytes.substr(begin, end - begin));
  return fields;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings)
    result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

GitOracle::GitOracle() {
  std::string name = (fs::temp_directory_path() / "dagsync-git-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  home_ = name;
  fs::create_directory(home_ / "tree");
  write_all(home_ / "in", "");
  run_git({"init", "-q", "--template="}, false);
}

GitOracle::~GitOracle() {
  std::error_code ignored;
  fs::remove_all(home_, ignored);
}

void GitOracle::lay_out(const std::vector<IgnoreQuery>& queries) {
  for (const auto& entry : fs::directory_iterator(home_ / "tree")) {
    if (entry.path().filename() != ".git") fs::remove_all(entry.path());
  }
  for (const IgnoreQuery& query : queries) {
    if (query.is_directory) fs::create_directories(home_ / "tree" / query.path);
  }
}

std::vector<bool> GitOracle::ignores(const std::string& text,
                                     const std::vector<IgnoreQuery>& queries) {
  write_all(home_ / "tree" / ".gitignore", text);
  std::string input;
  for (const IgnoreQuery& query : queries)
    input += query.path + '\0';
  write_all(home_ / "in", input);
  run_git({"check-ignore", "--no-index", "--stdin", "-z", "-v", "-n"}, true);

  // Four fields a path: the file, line and text of the line that decides (all "" for none), and
  // the path.
  const std::vector<std::string> fields = split_at_nul(read_file(home_ / "out"));
  REQUIRE(fields.size() == 4 * queries.size());
  std::vector<bool> verdicts;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    REQUIRE(fields[4 * i + 3] == queries[i].path);
    verdicts.push_back(!fields[4 * i].empty() && !fields[4 * i + 2].starts_with('!'));
  }
  return verdicts;
}

// Standard input and output are files, so that nobody waits for a full pipe. Nothing of the
// person's own git configuration may count.
void GitOracle::run_git(const std::vector<std::string>& arguments, bool may_find_nothing) {
  const std::string home = home_.string();
  std::vector<std::string> words = {"git",
                                    "-C",
                                    home + "/tree",
                                    "-c",
                                    "core.ignoreCase=false",
                                    "-c",
                                    "core.excludesFile=/dev/null"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const char* path = std::getenv("PATH");
  std::vector<std::string> environment = {std::string("PATH=") + (path ? path : "/usr/bin:/bin"),
                                          "HOME=" + home, "GIT_CONFIG_NOSYSTEM=1",
                                          "GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C"};

  posix_spawn_file_actions_t files;
  REQUIRE(posix_spawn_file_actions_init(&files) == 0);
  const std::string in = home + "/in";
  const std::string out = home + "/out";
  posix_spawn_file_actions_addopen(&files, 0, in.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child = 0;
  const int error = posix_spawnp(&child, "git", &files, nullptr, pointers(words).data(),
                                 pointers(environment).data());
  posix_spawn_file_actions_destroy(&files);
  REQUIRE_MESSAGE(error == 0, "git cannot be run");
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  const int code = WEXITSTATUS(status);
  REQUIRE((code == 0 || (may_find_nothing && code == 1)));
}

}  // namespace dagsync
