#include "daemon/files.h"

#include <doctest/doctest.h>

#include "temp_dir.h"

namespace dagsync {
namespace {

std::size_t entries_in(const std::string& path) {
  const std::filesystem::directory_iterator entries(path);
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

TEST_CASE("a file is created whole with its mode, and never over another") {
  const TempDir dir;
  REQUIRE(create_file(dir / "key", "first", 0600));
  CHECK(mode_of(dir / "key") == 0600);
  const Status again = create_file(dir / "key", "second", 0644);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::kExists);
  CHECK(read_file(dir / "key") == "first");
  CHECK(mode_of(dir / "key") == 0600);
  CHECK(entries_in(dir.path()) == 1);
}

TEST_CASE("a file is replaced whole, mode and all") {
  const TempDir dir;
  write_file(dir / "crt", "first");
  REQUIRE(replace_file(dir / "crt", "second", 0640));
  CHECK(read_file(dir / "crt") == "second");
  CHECK(mode_of(dir / "crt") == 0640);
  CHECK(entries_in(dir.path()) == 1);
}

TEST_CASE("a link laid in the way of a new file leads nowhere") {
  const TempDir dir;
  write_file(dir / "victim", "mine");
  std::filesystem::create_symlink(dir / "victim", dir / ".key.tmp");
  std::filesystem::create_symlink(dir / "victim", dir / "taken");
  CHECK(create_file(dir / "key", "secret", 0600));
  CHECK_FALSE(create_file(dir / "taken", "secret", 0600));
  CHECK(replace_file(dir / "taken", "secret", 0600));
  CHECK(read_file(dir / "victim") == "mine");
  CHECK(read_file(dir / "key") == "secret");
}

TEST_CASE("a small file has a limit") {
  const TempDir dir;
  write_file(dir / "x", "12345");
  CHECK(read_small_file(dir / "x", 5).value_or("") == "12345");
  const auto large = read_small_file(dir / "x", 4);
  REQUIRE_FALSE(large);
  CHECK(large.error().code == ErrorCode::kInvalid);
}

}  // namespace
}  // namespace dagsync
