// The folder itself, which may be missing, change, and be full.
#include <doctest/doctest.h>

#include "contract/folders.h"
#include "support/paths.h"

namespace dagsync {

TEST_CASE("a root gets a marker once, and keeps it") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    const auto plain = folder.disk().identify_root(std::nullopt);
    REQUIRE(plain.has_value());
    CHECK(plain->marker.empty());
    const auto marked = folder.disk().identify_root("first");
    REQUIRE(marked.has_value());
    if (marked->marker.empty()) continue;  // the file system keeps no attributes
    CHECK(marked->marker == "first");
    CHECK(marked->inode == plain->inode);
    CHECK(marked->file_system == plain->file_system);
    CHECK(folder.disk().identify_root("second").value() == *marked);
    folder.restart();
    CHECK(folder.disk().identify_root(std::nullopt).value() == *marked);
  }
}

TEST_CASE("a folder may be missing at first and appear later") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.move_folder_away();
    folder.restart();
    Disk& disk = folder.disk();
    CHECK(fails_with(disk.identify_root(std::nullopt), ErrorCode::kNotFound));
    CHECK(fails_with(disk.stat(path("a.py")), ErrorCode::kNotFound));
    CHECK(fails_with(disk.stage_file(1), ErrorCode::kNotFound));
    CHECK(fails_with(disk.sync({path("a.py")}), ErrorCode::kNotFound));
    folder.make_folder();
    // Not before somebody decided that it is the one.
    CHECK(fails_with(disk.stat(path("a.py")), ErrorCode::kNotFound));
    CHECK(disk.identify_root(std::nullopt).has_value());
    CHECK_FALSE(disk.stat(path("a.py")).value().has_value());
  }
}

TEST_CASE("a folder that is there when the disk is opened is the one") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("a.py", "a");
    folder.restart();
    CHECK(folder.look("a.py").has_value());
    CHECK(folder.look("a.py")->type == FileType::kFile);
    CHECK(folder.disk().stat(RelPath()).value()->type == FileType::kDirectory);
  }
}

TEST_CASE("a folder that vanished or was replaced is noticed by every operation") {
  for (const bool replaced : {false, true}) {
    CAPTURE(replaced);
    DAGSYNC_IN_EACH(all_folders(), folder) {
      folder.write("a.py", "a");
      Disk& disk = folder.disk();
      const RelPath a = path("a.py");
      const auto state = folder.look("a.py");
      auto staged = disk.stage_symlink("x", {});
      REQUIRE(staged.has_value());
      folder.move_folder_away();
      if (replaced) folder.make_folder();

      CHECK(fails_with(disk.stat(a), ErrorCode::kNotFound));
      CHECK(fails_with(disk.stat(RelPath()), ErrorCode::kNotFound));
      CHECK(fails_with(disk.list(RelPath()), ErrorCode::kNotFound));
      CHECK(fails_with(disk.open(a), ErrorCode::kNotFound));
      CHECK(fails_with(disk.read_link(a), ErrorCode::kNotFound));
      CHECK(disk.check_writer(a) == WriterCheck::kNone);
      CHECK(fails_with(disk.stage_file(1), ErrorCode::kNotFound));
      CHECK(fails_with(disk.stage_symlink("x", {}), ErrorCode::kNotFound));
      CHECK(fails_with(disk.stage_directory({}), ErrorCode::kNotFound));
      CHECK(fails_with(disk.stage_link(a, *state), ErrorCode::kNotFound));
      CHECK(fails_with(disk.remove(a, *state, std::nullopt), ErrorCode::kNotFound));
      CHECK(fails_with(disk.remove_directory(a, is_compiled), ErrorCode::kNotFound));
      CHECK(fails_with(disk.set_attributes(a, *state, {0600, {}, {}}), ErrorCode::kNotFound));
      CHECK(fails_with(disk.publish(a, state, std::move(*staged), std::nullopt, is_compiled),
                       ErrorCode::kNotFound));
      CHECK(fails_with(disk.sync({a}), ErrorCode::kNotFound));
      CHECK(fails_with(disk.sync_all(), ErrorCode::kNotFound));
      CHECK(disk.identify_root(std::nullopt).has_value() == replaced);
      // The question does not make it ours; that takes somebody's decision, with a mark.
      CHECK(fails_with(disk.stat(a), ErrorCode::kNotFound));
      if (replaced) {
        REQUIRE(disk.identify_root("another").has_value());
        CHECK_FALSE(disk.stat(a).value().has_value());
      }
      folder.move_folder_back();
      CHECK(folder.names() == std::vector<std::string>{"a.py"});
      CHECK(folder.read("a.py") == "a");
      CHECK(disk.stat(a).has_value() != replaced);
    }
  }
}

TEST_CASE("a symlink in the place of the folder is refused, and not followed") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("a.py", "a");
    folder.move_folder_away();
    folder.link_folder();
    CHECK(fails_with(folder.disk().identify_root(std::nullopt), ErrorCode::kInvalid));
    CHECK(fails_with(folder.disk().identify_root("mark"), ErrorCode::kInvalid));
    CHECK_FALSE(folder.disk().stat(path("a.py")).has_value());
    CHECK_FALSE(folder.disk().stage_file(1).has_value());
    folder.move_folder_back();
    CHECK(folder.look("a.py").has_value());
  }
}

TEST_CASE("the folder itself is neither published nor removed nor changed") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    Disk& disk = folder.disk();
    const RelPath root;
    const auto state = disk.stat(root).value();
    CHECK(fails_with(disk.publish(root, state, folder.staged_file("x"), std::nullopt, is_compiled),
                     ErrorCode::kInvalid));
    CHECK(fails_with(disk.remove(root, *state, std::nullopt), ErrorCode::kInvalid));
    CHECK(fails_with(disk.remove_directory(root, is_compiled), ErrorCode::kInvalid));
    CHECK(fails_with(disk.set_attributes(root, *state, {0700, {}, {}}), ErrorCode::kInvalid));
    CHECK(fails_with(disk.open(root), ErrorCode::kInvalid));
    CHECK(fails_with(disk.read_link(root), ErrorCode::kInvalid));
    CHECK(disk.stat(root).value() == state);
    CHECK(disk.sync({root}).has_value());
    CHECK(disk.sync_all().has_value());
  }
}

TEST_CASE("a full file system is an error that says what to do, and changes nothing") {
  DAGSYNC_IN_EACH(small_folders(), folder) {
    folder.write("a.py", "old");
    const std::string much(3 << 20, 'x');
    auto announced = folder.disk().stage_file(much.size());  // may make room at once
    const Status refused =
        announced ? (*announced)->append(much) : Status(Unexpected(announced.error()));
    CHECK(fails_with(refused, ErrorCode::kNoSpace));
    CHECK(refused.error().message.find("free space") != std::string::npos);
    auto grown = folder.disk().stage_file(0);
    REQUIRE(grown.has_value());
    CHECK(fails_with((*grown)->append(much), ErrorCode::kNoSpace));
    announced = Unexpected(Error{});
    grown->reset();
    CHECK(folder.disk().stage_file(1 << 20).has_value());  // what was staged is gone
    CHECK(folder.read("a.py") == "old");
    CHECK(folder.leftovers().empty());
  }
}

}  // namespace dagsync
