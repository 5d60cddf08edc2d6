#include <doctest/doctest.h>

#include <algorithm>

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

TEST_CASE("kept versions are listed in order, and other names in there are left alone") {
  DAGSYNC_ON_EACH(safe_grounds(), world) {
    for (const int n : {3, 1, 2}) {
      world.write("a.py", std::to_string(n));
      REQUIRE(world.publish("a.py", world.look("a.py"), world.staged_file("new"), kept_id(n)));
    }
    std::ofstream(world.state("versions/README")) << "not ours";
    const auto listed = world.disk().list_kept();
    REQUIRE(listed.has_value());
    CHECK(*listed == std::vector<KeptId>{kept_id(1), kept_id(2), kept_id(3)});
    CHECK(world.kept(kept_id(2)) == "2");
    CHECK(world.disk().remove_kept(kept_id(2)).has_value());
    CHECK(world.disk().remove_kept(kept_id(2)).has_value());
    CHECK(world.disk().list_kept().value().size() == 2);
    CHECK(fails_with(world.disk().open_kept(kept_id(2)), ErrorCode::kNotFound));
    CHECK(std::filesystem::exists(world.state("versions/README")));
  }
}

TEST_CASE("a kept version says where it stood, until it is removed") {
  DAGSYNC_ON_EACH(safe_grounds(), world) {
    world.mkdir("etl");
    world.write("etl/a.py", "old");
    REQUIRE(::chmod(world.real("etl/a.py").c_str(), 0640) == 0);
    world.symlink("etl", "link");
    REQUIRE(
        world.publish("etl/a.py", world.look("etl/a.py"), world.staged_file("new"), kept_id(1)));
    REQUIRE(world.disk().remove(DiskWorld::path("link"), *world.look("link"), kept_id(2)));
    const auto file = world.disk().describe_kept(kept_id(1));
    REQUIRE(file.has_value());
    CHECK(file->path == DiskWorld::path("etl/a.py"));
    CHECK(file->state.size == 3);
    CHECK(file->state.mode == 0640);
    CHECK(world.disk().describe_kept(kept_id(2)).value().path == DiskWorld::path("link"));
    CHECK(fails_with(world.disk().describe_kept(kept_id(3)), ErrorCode::kNotFound));
    CHECK(world.disk().list_kept().value().size() == 2);
    REQUIRE(world.disk().remove_kept(kept_id(1)));
    CHECK_FALSE(std::filesystem::is_symlink(world.state("versions/" + kept_id(1).value + ".of")));
  }
}

TEST_CASE("what is not kept after all leaves no word of it behind") {
  DAGSYNC_ON_EACH(safe_grounds(), world) {
    world.write("a.py", "seen");
    const auto seen = world.look("a.py");
    world.save_by_rename("a.py", "a later edit");
    const auto published = world.publish("a.py", seen, world.staged_file("new"), kept_id(1));
    REQUIRE(published.has_value());
    CHECK(published->outcome == PublishOutcome::kChanged);
    const std::string label = world.state("versions/" + kept_id(1).value + ".of");
    CHECK_FALSE(std::filesystem::is_symlink(label));
    // As a crash in the middle leaves it.
    std::filesystem::create_symlink("a.py", label);
    world.restart();
    REQUIRE(world.disk().remove_strays());
    CHECK_FALSE(std::filesystem::is_symlink(label));
  }
}

TEST_CASE("an id cannot name anything but a kept version") {
  DiskWorld world;
  std::ofstream(world.state("secret")) << "x";
  for (const char* id : {"../secret", "", ".", "README", "0123456789abcdef-0000000G",
                         "0123456789abcdef-00000001/../../secret"}) {
    CAPTURE(id);
    CHECK(fails_with(world.disk().open_kept({id}), ErrorCode::kInvalid));
    CHECK(fails_with(world.disk().read_kept_link({id}), ErrorCode::kInvalid));
    CHECK(fails_with(world.disk().remove_kept({id}), ErrorCode::kInvalid));
    world.write("a.py", "a");
    const auto done =
        world.publish("a.py", world.look("a.py"), world.staged_file("new"), KeptId{id});
    CHECK(fails_with(done, ErrorCode::kInvalid));
    CHECK(world.read("a.py") == "a");
  }
  CHECK(std::filesystem::exists(world.state("secret")));
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
