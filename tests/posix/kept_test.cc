#include <doctest/doctest.h>

#include "posix/disk_world.h"
#include "posix/swap_name.h"

namespace dagsync {
namespace {

std::uint64_t inode_of(const std::string& path) {
  struct stat seen {};
  REQUIRE(::lstat(path.c_str(), &seen) == 0);
  return seen.st_ino;
}

}  // namespace

TEST_CASE("what lies beside the kept versions is left alone") {
  DiskWorld world;
  std::ofstream(world.state("versions/README")) << "not ours";
  std::filesystem::create_directory(world.state("versions/" + kept_id(1).value));
  CHECK(world.disk().list_kept().value().empty());
  world.restart();
  CHECK(std::filesystem::exists(world.state("versions/README")));
}

TEST_CASE("the word of what was not kept after all goes after a crash") {
  DAGSYNC_ON_EACH(safe_grounds(), world) {
    const std::string label = world.state("versions/" + kept_id(1).value + ".of");
    std::filesystem::create_symlink("a.py", label);
    world.restart();
    REQUIRE(world.disk().remove_strays());
    CHECK_FALSE(std::filesystem::is_symlink(label));
  }
}

TEST_CASE("a swap name reads as it was written, and nothing else does") {
  const SwapName name{kept_id(1), 18446744073709551615u};
  CHECK(parse_swap_name(to_string(name)) == name);
  for (const char* text : {"", "1", "0123456789abcdef-00000001", "0123456789abcdef-00000001.",
                           "0123456789abcdef-00000001.x", "0123456789abcdef-00000001.1x",
                           "0123456789abcdef-00000001.99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_swap_name(text).has_value());
  }
}

TEST_CASE("after a crash staging is empty, and what had come out of the folder is kept") {
  DAGSYNC_ON_EACH(safe_grounds(), world) {
    const std::string staging = world.state("staging/");
    std::ofstream(staging + "17") << "half a download";
    std::filesystem::create_directory(staging + "18");
    // Staged, and not yet exchanged.
    std::ofstream(staging + "new") << "staged";
    const SwapName before{kept_id(1), inode_of(staging + "new")};
    std::filesystem::rename(staging + "new", staging + to_string(before));
    // Exchanged: what lies there now is not what was staged.
    std::ofstream(staging + to_string(SwapName{kept_id(2), 1})) << "what stood in the folder";
    std::filesystem::create_symlink("old", staging + to_string(SwapName{kept_id(3), 0}));
    std::filesystem::create_symlink("link", world.state("versions/" + kept_id(3).value + ".of"));
    // Of a symlink that got other times nothing is to be kept, nor of a file that has another name.
    std::filesystem::create_symlink("same", staging + to_string(SwapName{kept_id(5), 1}));
    std::ofstream(world.state("elsewhere")) << "it moves";
    std::filesystem::create_hard_link(world.state("elsewhere"),
                                      staging + to_string(SwapName{kept_id(6), 0}));
    std::filesystem::create_directory(staging + to_string(SwapName{kept_id(4), 1}));
    std::ofstream(world.state("versions/half.copy")) << "half a copy";

    world.restart();
    CHECK(world.leftovers().empty());
    CHECK(world.disk().list_kept().value() == std::vector<KeptId>{kept_id(2), kept_id(3)});
    CHECK(world.kept(kept_id(2)) == "what stood in the folder");
    CHECK(world.disk().read_kept_link(kept_id(3)).value() == "old");
    CHECK(std::filesystem::exists(world.state("elsewhere")));
    CHECK_FALSE(std::filesystem::exists(world.state("versions/half.copy")));
  }
}

TEST_CASE("strays of a crash go from the folder, and what somebody wrote is kept") {
  DAGSYNC_ON_EACH(safe_grounds(), world) {
    world.mkdir("a");
    world.mkdir("a/b");
    const std::string prefix(kStrayPrefix);
    world.write("a/b/new", "staged");
    const SwapName ours{kept_id(1), inode_of(world.real("a/b/new"))};
    std::filesystem::rename(world.real("a/b/new"), world.real("a/b/" + prefix + to_string(ours)));
    const std::string theirs = "a/" + prefix + to_string(SwapName{kept_id(2), 1});
    world.write(theirs, "somebody's");
    world.write(prefix + to_string(SwapName{kept_id(3), 1}), "copied already");
    std::ofstream(world.state("versions/" + kept_id(3).value)) << "copied already";
    world.write(prefix + to_string(SwapName{kept_id(4), 1}), "edited since the copy");
    std::ofstream(world.state("versions/" + kept_id(4).value)) << "the copy";
    world.write(prefix + "mine", "a person's own file with that name");

    CHECK(world.disk().remove_strays().has_value());
    CHECK(DiskWorld::names_under(world.real("")) ==
          std::vector<std::string>{prefix + "mine", "a", "a/b"});
    const auto kept = world.disk().list_kept().value();
    REQUIRE(kept.size() == 4);  // one of them under a new id
    CHECK(world.kept(kept_id(2)) == "somebody's");
    CHECK(world.kept(kept_id(4)) == "the copy");
    CHECK(world.kept(kept[3]) == "edited since the copy");
  }
}

}  // namespace dagsync
