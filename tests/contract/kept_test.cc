#include <doctest/doctest.h>

#include "contract/folders.h"
#include "support/paths.h"

namespace dagsync {

TEST_CASE("kept versions are listed in order, and go one by one") {
  DAGSYNC_IN_EACH(safe_folders(), folder) {
    for (const int n : {3, 1, 2}) {
      folder.write("a.py", std::to_string(n));
      REQUIRE(folder.publish("a.py", folder.look("a.py"), folder.staged_file("new"), kept_id(n)));
    }
    const auto listed = folder.disk().list_kept();
    REQUIRE(listed.has_value());
    CHECK(*listed == std::vector<KeptId>{kept_id(1), kept_id(2), kept_id(3)});
    CHECK(folder.kept(kept_id(2)) == "2");
    CHECK(folder.disk().remove_kept(kept_id(2)).has_value());
    CHECK(folder.disk().remove_kept(kept_id(2)).has_value());
    CHECK(folder.disk().list_kept().value().size() == 2);
    CHECK(fails_with(folder.disk().open_kept(kept_id(2)), ErrorCode::kNotFound));
  }
}

TEST_CASE("a kept version says where it stood, until it is removed") {
  DAGSYNC_IN_EACH(safe_folders(), folder) {
    folder.mkdir("etl");
    folder.write("etl/a.py", "old");
    folder.chmod("etl/a.py", 0640);
    folder.symlink("etl", "link");
    REQUIRE(
        folder.publish("etl/a.py", folder.look("etl/a.py"), folder.staged_file("new"), kept_id(1)));
    REQUIRE(folder.disk().remove(path("link"), *folder.look("link"), kept_id(2)));
    const auto file = folder.disk().describe_kept(kept_id(1));
    REQUIRE(file.has_value());
    CHECK(file->path == path("etl/a.py"));
    CHECK(file->state.size == 3);
    CHECK(file->state.mode == 0640);
    CHECK(folder.disk().describe_kept(kept_id(2)).value().path == path("link"));
    CHECK(fails_with(folder.disk().describe_kept(kept_id(3)), ErrorCode::kNotFound));
    CHECK(folder.disk().list_kept().value().size() == 2);
    REQUIRE(folder.disk().remove_kept(kept_id(1)));
    CHECK(folder.leftovers().empty());
  }
}

TEST_CASE("an id cannot name anything but a kept version") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    for (const char* id : {"../secret", "", ".", "README", "0123456789abcdef-0000000G",
                           "0123456789abcdef-00000001/../../secret"}) {
      CAPTURE(id);
      CHECK(fails_with(folder.disk().open_kept({id}), ErrorCode::kInvalid));
      CHECK(fails_with(folder.disk().read_kept_link({id}), ErrorCode::kInvalid));
      CHECK(fails_with(folder.disk().describe_kept({id}), ErrorCode::kInvalid));
      CHECK(fails_with(folder.disk().remove_kept({id}), ErrorCode::kInvalid));
      folder.write("a.py", "a");
      const auto done =
          folder.publish("a.py", folder.look("a.py"), folder.staged_file("new"), KeptId{id});
      CHECK(fails_with(done, ErrorCode::kInvalid));
      CHECK(folder.read("a.py") == "a");
    }
  }
}

TEST_CASE("what a kept version shows is what stood there, moved or copied") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    for (const bool is_shared : {false, true}) {
      CAPTURE(is_shared);
      folder.write("a.py", "old");
      folder.chmod("a.py", 0751);
      folder.set_mtime("a.py", UnixNanos{1'500'000'000'000'000'007});
      if (is_shared) folder.link("a.py", "twin");
      const KeptId id = kept_id(is_shared ? 1 : 2);
      REQUIRE(folder.publish("a.py", folder.look("a.py"), folder.staged_file("new"), id));
      const auto file = folder.disk().open_kept(id);
      REQUIRE(file.has_value());
      CHECK(TestFolder::contents(**file) == "old");
      const auto shown = folder.disk().describe_kept(id);
      REQUIRE(shown.has_value());
      CHECK(shown->path == path("a.py"));
      CHECK(shown->state.type == FileType::kFile);
      CHECK(shown->state.mode == 0751);
      CHECK(shown->state.mtime == UnixNanos{1'500'000'000'000'000'007});
    }
  }
}

TEST_CASE("a kept file is no symlink, and a kept symlink no file") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("a.py", "old");
    folder.symlink("target", "link");
    REQUIRE(folder.disk().remove(path("a.py"), *folder.look("a.py"), kept_id(1)));
    REQUIRE(folder.disk().remove(path("link"), *folder.look("link"), kept_id(2)));
    CHECK(fails_with(folder.disk().read_kept_link(kept_id(1)), ErrorCode::kNotFound));
    CHECK(fails_with(folder.disk().open_kept(kept_id(2)), ErrorCode::kNotFound));
    CHECK(fails_with(folder.disk().read_kept_link(kept_id(3)), ErrorCode::kNotFound));
    CHECK(fails_with(folder.disk().open_kept(kept_id(3)), ErrorCode::kNotFound));
    CHECK(folder.disk().read_kept_link(kept_id(2)).value() == "target");
    CHECK(folder.kept(kept_id(1)) == "old");
  }
}

TEST_CASE("kept versions are there after a restart, and what was staged is not") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("a.py", "old");
    REQUIRE(folder.disk().remove(path("a.py"), *folder.look("a.py"), kept_id(1)));
    {
      const auto file = folder.staged_file("new");
      folder.restart();
    }
    CHECK(folder.leftovers().empty());
    CHECK(folder.kept(kept_id(1)) == "old");
    CHECK(folder.disk().describe_kept(kept_id(1)).value().path == path("a.py"));
    CHECK(folder.names().empty());
  }
}

}  // namespace dagsync
