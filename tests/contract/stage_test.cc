// What is made ready, and what of it can be seen once it is published.
#include <doctest/doctest.h>

#include "contract/folders.h"
#include "support/paths.h"

namespace dagsync {

TEST_CASE("what is staged and not published leaves nothing") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    {
      auto half = folder.disk().stage_file(5 << 20);
      REQUIRE(half.has_value());
      REQUIRE((*half)->append("half").has_value());
      const auto file = folder.staged_file("whole");
      const auto link = folder.staged_symlink("x");
      const auto directory = folder.staged_directory();
    }
    CHECK(folder.leftovers().empty());
    CHECK(folder.names().empty());
  }
}

TEST_CASE("files never get setuid or setgid, directories keep setgid and sticky") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    REQUIRE(folder.publish("a.sh", std::nullopt, folder.staged_file("x", 06755)));
    CHECK(folder.look("a.sh")->mode == 0755);
    REQUIRE(folder.publish("d", std::nullopt, folder.staged_directory(07755)));
    CHECK(folder.look("d")->mode == 03755);
    REQUIRE(folder.publish("locked", std::nullopt, folder.staged_directory(0500)));
    CHECK(folder.look("locked")->mode == 0500);
    const auto set =
        folder.disk().set_attributes(path("a.sh"), *folder.look("a.sh"), {04700, UnixNanos{5}, {}});
    REQUIRE(set.has_value());
    CHECK(set->outcome == PublishOutcome::kDone);
    CHECK(set->now == folder.look("a.sh"));
    CHECK(folder.look("a.sh")->mode == 0700);
    CHECK(folder.look("a.sh")->mtime == UnixNanos{5});
  }
}

TEST_CASE("contents are copied from open files, whole and in parts") {
  DAGSYNC_IN_EACH(safe_folders(), folder) {
    std::string bytes(3'000'000, 'x');
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<char>(i * 31 >> 3);
    folder.write("source", bytes);
    auto source = folder.disk().open(path("source"));
    REQUIRE(source.has_value());
    auto file = folder.disk().stage_file(bytes.size() + 6);
    REQUIRE(file.has_value());
    CHECK((*file)->append("abc").has_value());
    CHECK((*file)->append_from(**source, 5, 1'000'000).has_value());
    CHECK((*file)->append("def").has_value());
    CHECK((*file)->append_from(**source, 0, bytes.size()).has_value());
    const auto beyond = (*file)->append_from(**source, bytes.size() - 1, 2);
    REQUIRE_FALSE(beyond.has_value());
    CHECK(fails_with(beyond, ErrorCode::kUnavailable));
    CHECK((*file)->finish({0600, UnixNanos{7}, {}}).has_value());
    REQUIRE(folder.publish("copy", std::nullopt, std::move(*file)).has_value());
    const std::string whole = folder.read("copy");
    CHECK(whole.substr(0, whole.size() - 1) == "abc" + bytes.substr(5, 1'000'000) + "def" + bytes);
  }
}

TEST_CASE("a rename within the folder links the file, and reads nothing") {
  DAGSYNC_IN_EACH(linking_folders(), folder) {
    folder.write("a.py", "same inode");
    const auto inode = folder.look("a.py")->inode;
    auto link = folder.disk().stage_link(path("a.py"), *folder.look("a.py"));
    REQUIRE_MESSAGE(link.has_value(), (link ? "" : link.error().message));
    const auto done = folder.publish("b.py", std::nullopt, std::move(*link));
    REQUIRE(done.has_value());
    CHECK(done->now == folder.look("b.py"));
    CHECK(folder.look("b.py")->inode == inode);
    const auto gone = folder.disk().remove(path("a.py"), *folder.look("a.py"), std::nullopt);
    REQUIRE(gone.has_value());
    CHECK(gone->outcome == PublishOutcome::kDone);
    CHECK_FALSE(folder.exists("a.py"));
    CHECK(folder.read("b.py") == "same inode");
    CHECK(folder.leftovers().empty());

    auto stale = *folder.look("b.py");
    stale.mtime.value += 1;
    const auto refused = folder.disk().stage_link(path("b.py"), stale);
    REQUIRE_FALSE(refused.has_value());
    CHECK(fails_with(refused, ErrorCode::kUnavailable));
  }
}

TEST_CASE("a link is not published where somebody changes the file under its first name") {
  DAGSYNC_IN_EACH(linking_folders(), folder) {
    folder.write("a.py", "moved");
    folder.write("b.py", "old");
    const auto publish = [&](std::unique_ptr<Staged> link, const char* name) {
      const auto done = folder.publish(name, folder.look(name), std::move(link));
      REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
      return done->outcome;
    };
    for (const char* name : {"b.py", "new.py"}) {
      auto busy = folder.disk().stage_link(path("a.py"), *folder.look("a.py"));
      REQUIRE(busy.has_value());
      auto writer = folder.open_writer("a.py");
      REQUIRE(writer != nullptr);
      CHECK(publish(std::move(*busy), name) == PublishOutcome::kBusy);
      writer.reset();
      auto changed = folder.disk().stage_link(path("a.py"), *folder.look("a.py"));
      REQUIRE(changed.has_value());
      folder.write("a.py", folder.read("a.py") + ", and edited");
      CHECK(publish(std::move(*changed), name) == PublishOutcome::kChanged);
    }
    CHECK(folder.read("b.py") == "old");
    CHECK_FALSE(folder.exists("new.py"));
    CHECK(folder.leftovers().empty());
  }
}

TEST_CASE("a kept version does not change when another hard link of the file is written") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("a.py", "old");
    folder.link("a.py", "twin");
    const auto done =
        folder.publish("a.py", folder.look("a.py"), folder.staged_file("new"), kept_id(1));
    REQUIRE(done.has_value());
    CHECK(done->kept);
    folder.write("twin", "changed later");
    CHECK(folder.kept(kept_id(1)) == "old");
    CHECK(folder.read("a.py") == "new");

    folder.link("twin", "third");
    const auto gone = folder.disk().remove(path("twin"), *folder.look("twin"), kept_id(2));
    REQUIRE(gone.has_value());
    CHECK(gone->kept);
    folder.write("third", "and again");
    CHECK(folder.kept(kept_id(2)) == "changed later");
    CHECK(folder.leftovers().empty());
  }
}

TEST_CASE("a hard link published over another link of the same file changes nothing") {
  DAGSYNC_IN_EACH(linking_folders(), folder) {
    folder.write("a.py", "one");
    folder.link("a.py", "b.py");
    auto link = folder.disk().stage_link(path("a.py"), *folder.look("a.py"));
    REQUIRE(link.has_value());
    const auto done = folder.publish("b.py", folder.look("b.py"), std::move(*link), kept_id(1));
    REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
    CHECK(done->outcome == PublishOutcome::kDone);
    CHECK(folder.read("a.py") == "one");
    CHECK(folder.read("b.py") == "one");
    CHECK(folder.kept(kept_id(1)) == "one");
    CHECK(folder.leftovers().empty());
  }
}

TEST_CASE("a symlink must point somewhere") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    for (const std::string& target :
         {std::string(), std::string(4096, 'x'), std::string("a\0b", 3)})
      CHECK(fails_with(folder.disk().stage_symlink(target, {}), ErrorCode::kInvalid));
    const std::string longest(4095, 'x');
    auto staged = folder.disk().stage_symlink(longest, {});
    REQUIRE(staged.has_value());
    REQUIRE(folder.publish("link", std::nullopt, std::move(*staged)));
    CHECK(folder.disk().read_link(path("link")).value() == longest);
  }
}

TEST_CASE("what is given no time has that of its making") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("probe", "x");
    const UnixNanos before = folder.look("probe")->mtime;
    auto link = folder.disk().stage_symlink("x", {});
    auto file = folder.disk().stage_file(1);
    REQUIRE(link.has_value());
    REQUIRE(file.has_value());
    REQUIRE((*file)->append("1").has_value());
    REQUIRE((*file)->finish({0600, {}, {}}).has_value());
    REQUIRE(folder.publish("link", std::nullopt, std::move(*link)));
    REQUIRE(folder.publish("file", std::nullopt, std::move(*file)));
    CHECK(folder.look("link")->mtime >= before);
    CHECK(folder.look("file")->mtime >= before);
  }
}

TEST_CASE("a name is linked only as long as it shows the expected file") {
  DAGSYNC_IN_EACH(linking_folders(), folder) {
    folder.write("a.py", "1");
    folder.mkdir("d");
    folder.symlink("a.py", "link");
    const auto state = *folder.look("a.py");
    const auto is_unavailable = [&](const char* name, const DiskState& expected) {
      return fails_with(folder.disk().stage_link(path(name), expected), ErrorCode::kUnavailable);
    };
    CHECK(is_unavailable("no", state));
    CHECK(is_unavailable("no/a.py", state));
    CHECK(is_unavailable("d", *folder.look("d")));
    CHECK(is_unavailable("link", *folder.look("link")));
    folder.save_by_rename("a.py", "2");
    CHECK(is_unavailable("a.py", state));
    CHECK(folder.leftovers().empty());
  }
}

}  // namespace dagsync
