// What git itself says about ignored paths, in a repository of its own under the temporary
// directory, which goes with the object. One thread at a time.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace dagsync {

struct IgnoreQuery {
  std::string path;
  bool is_directory = false;
};

class GitOracle {
 public:
  GitOracle();  // fails the test where git cannot be run
  ~GitOracle();
  GitOracle(const GitOracle&) = delete;
  GitOracle& operator=(const GitOracle&) = delete;

  // Makes the directories among `queries`, whose paths must not contradict each other; git asks the
  // file system whether a path is a directory. What earlier calls made goes.
  void lay_out(const std::vector<IgnoreQuery>& queries);

  // Whether git ignores each of `queries` (laid out before) where .gitignore reads `text`.
  [[nodiscard]] std::vector<bool> ignores(const std::string& text,
                                          const std::vector<IgnoreQuery>& queries);

 private:
  void run_git(const std::vector<std::string>& arguments, bool may_find_nothing);

  std::filesystem::path home_;
};

}  // namespace dagsync
