#include "daemon/state_dir.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "temp_dir.h"

namespace dagsync {
namespace {

const NodeName kNode{"node1"};

TEST_CASE("a missing state directory is made, and is nobody else's to look into") {
  const TempDir dir;
  const auto state = StateDir::open(dir / "a/b/state", kNode);
  REQUIRE_MESSAGE(state, state.error().message);
  CHECK(mode_of(dir / "a/b/state") == 0700);
  CHECK(read_file(dir / "a/b/state/node") == "node1\n");
  CHECK(read_file(dir / "a/b/state/lock") == std::to_string(getpid()) + "\n");
  CHECK(mode_of(dir / "a/b/state/node") == 0600);
}

TEST_CASE("one that is open to others is closed to them") {
  const TempDir dir;
  std::filesystem::permissions(dir.path(), std::filesystem::perms(0755));
  REQUIRE(StateDir::open(dir.path(), kNode));
  CHECK(mode_of(dir.path()) == 0700);
}

TEST_CASE("a second daemon is refused with the process id of the first") {
  const TempDir dir;
  auto first = StateDir::open(dir / "state", kNode);
  REQUIRE(first);
  const auto second = StateDir::open(dir / "state", kNode);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kUnavailable);
  CHECK(second.error().message.find("(process " + std::to_string(getpid()) + ")") !=
        std::string::npos);
  CHECK(second.error().message.find(dir / "state") != std::string::npos);

  first = fail(ErrorCode::kIo, "closed");
  CHECK(StateDir::open(dir / "state", kNode));
}

TEST_CASE("another node's state is refused and left alone") {
  const TempDir dir;
  REQUIRE(StateDir::open(dir / "state", kNode));
  const auto other = StateDir::open(dir / "state", {"node2"});
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ErrorCode::kInvalid);
  CHECK(other.error().message.find("belongs to node \"node1\"") != std::string::npos);
  CHECK(read_file(dir / "state/node") == "node1\n");
  CHECK(StateDir::open(dir / "state", kNode));
}

TEST_CASE("each folder has a directory of its own") {
  const TempDir dir;
  const auto state = StateDir::open(dir / "state", kNode);
  REQUIRE(state);
  for (int i = 0; i < 2; ++i) {
    const auto folder = state->folder_dir("dags");
    REQUIRE(folder);
    CHECK(*folder == dir / "state/folders/dags");
    CHECK(mode_of(*folder) == 0700);
  }
}

TEST_CASE("a file in the place of the directory is an error that names it") {
  const TempDir dir;
  write_file(dir / "state", "");
  const auto state = StateDir::open(dir / "state", kNode);
  REQUIRE_FALSE(state);
  CHECK(state.error().message.find(dir / "state") != std::string::npos);
}

}  // namespace
}  // namespace dagsync
