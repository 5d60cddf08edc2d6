#include "daemon/config_conflicts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "daemon/running_daemon.h"
#include "temp_dir.h"

namespace dagsync {
namespace {

namespace fs = std::filesystem;

struct ConflictsFixture {
  TempDir dir;
  Config config;

  ConflictsFixture() {
    for (const char* name : {"real/dags/sub", "other", "third", "state"})
      fs::create_directories(dir / name);
    fs::create_directory_symlink(dir / "real", dir / "link");
    config.node.state_dir = dir / "state";
    config.node.control_socket = dir / "control.sock";
    add("dags", "real/dags");
  }
  void add(const std::string& name, const std::string& path) {
    FolderConfig folder;
    folder.name = name;
    folder.path = dir / path;
    config.folders.push_back(folder);
  }
  std::string complaint() const {
    REQUIRE(find_conflicts(config).empty());  // as they are written, they are apart
    const Status apart = check_resolved(config);
    return apart ? "" : apart.error().message;
  }
};

TEST_CASE_FIXTURE(ConflictsFixture, "folders beside each other are fine, through a symlink too") {
  add("more", "other");
  fs::create_directory_symlink(dir / "third", dir / "way");
  add("third", "way/missing/yet");
  CHECK(complaint() == "");
}

TEST_CASE_FIXTURE(ConflictsFixture,
                  "a folder inside another one through a symlink is named with both paths") {
  add("more", "link/dags/sub");
  const std::string found = complaint();
  CHECK(found.find(dir / "link/dags/sub") != std::string::npos);
  CHECK(found.find("which is ") != std::string::npos);
  CHECK(found.find("lies inside folder \"dags\"") != std::string::npos);
}

TEST_CASE_FIXTURE(ConflictsFixture, "the same directory by two names") {
  add("more", "link/dags");
  CHECK(complaint().find("is also the path of folder \"dags\"") != std::string::npos);
}

TEST_CASE_FIXTURE(ConflictsFixture, "what is wrong twice has a line for each") {
  add("more", "link/dags");
  fs::create_directory_symlink(dir / "real", dir / "other-link");
  add("yet-more", "other-link/dags/sub");
  const std::string found = complaint();
  CHECK(found.find("is also the path of folder \"dags\"") != std::string::npos);
  CHECK(found.find("lies inside folder \"more\"") != std::string::npos);
  CHECK(std::count(found.begin(), found.end(), '\n') == 2);
}

TEST_CASE_FIXTURE(ConflictsFixture, "the state directory inside a folder through a symlink") {
  config.node.state_dir = dir / "link/dags/state";
  CHECK(complaint().find("lies inside folder \"dags\"") != std::string::npos);
}

TEST_CASE("a running daemon has the ports that it was told, whatever the address") {
  const RunningDaemon running{{"a"}, {"0.0.0.0:7411", "[::]:7412"}};
  const std::vector<std::string> asked = {"127.0.0.1:7411", "[::1]:7412", "0.0.0.0:7413"};
  CHECK(without_ports_of(running, asked) == std::vector<std::string>{"0.0.0.0:7413"});
}

}  // namespace
}  // namespace dagsync
