#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "contract/folders.h"
#include "support/paths.h"

namespace dagsync {

TEST_CASE("a listing shows every name as its bytes, and follows nothing") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    const std::string longest(255, 'n');
    const std::string invalid = "caf\xe9.py";
    const std::string lines = "two\nlines.py";
    for (const std::string& name : {longest, invalid, lines}) {
      const auto done = folder.publish(name, std::nullopt, folder.staged_file(name));
      REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
      CHECK(folder.read(name) == name);
      REQUIRE(folder.publish(name, folder.look(name), folder.staged_file("2"), std::nullopt));
      CHECK(folder.read(name) == "2");
    }
    folder.mkdir("sub");
    folder.symlink("sub", "link");
    folder.mkfifo("fifo");
    const auto listed = folder.disk().list(RelPath());
    REQUIRE(listed.has_value());
    std::map<std::string, FileType> types;
    for (const auto& entry : *listed) {
      types[entry.name] = entry.state.type;
      CHECK_FALSE(entry.mount_point);
      CHECK(folder.look(entry.name) == entry.state);
    }
    const std::map<std::string, FileType> wanted{
        {longest, FileType::kFile},    {invalid, FileType::kFile},   {lines, FileType::kFile},
        {"sub", FileType::kDirectory}, {"link", FileType::kSymlink}, {"fifo", FileType::kSpecial}};
    CHECK(types == wanted);
    CHECK(fails_with(folder.disk().list(path("link")), ErrorCode::kNotFound));
    CHECK(fails_with(folder.disk().list(path("no")), ErrorCode::kNotFound));
  }
}

TEST_CASE("below a file or a symlink there is nothing") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.mkdir("d");
    folder.write("d/secret", "x");
    folder.write("a.py", "a");
    folder.symlink("d", "link");
    for (const char* name : {"a.py/x", "link/secret", "no/x", "no"}) {
      CAPTURE(name);
      CHECK_FALSE(folder.look(name).has_value());
      CHECK(fails_with(folder.disk().open(path(name)), ErrorCode::kNotFound));
      CHECK(fails_with(folder.disk().read_link(path(name)), ErrorCode::kNotFound));
      CHECK(fails_with(folder.disk().list(path(name)), ErrorCode::kNotFound));
    }
    CHECK(folder.look("link")->type == FileType::kSymlink);
    for (const char* name : {"a.py", "link"})
      CHECK(fails_with(folder.disk().list(path(name)), ErrorCode::kNotFound));
  }
}

TEST_CASE("a FIFO blocks nothing and is never replaced") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.mkfifo("pipe");
    CHECK(fails_with(folder.disk().open(path("pipe")), ErrorCode::kInvalid));
    CHECK(folder.disk().check_writer(path("pipe")) == WriterCheck::kNone);
    const auto done =
        folder.publish("pipe", folder.look("pipe"), folder.staged_file("x"), kept_id(1));
    REQUIRE_FALSE(done.has_value());
    CHECK(fails_with(done, ErrorCode::kExists));
    CHECK(folder.look("pipe")->type == FileType::kSpecial);
    CHECK(folder.disk().sync({path("pipe")}).has_value());
    CHECK(folder.leftovers().empty());
  }
}

TEST_CASE("a symlink is read, never opened, and a file is no symlink") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("a.py", "a");
    folder.symlink("/etc/passwd", "link");
    CHECK(folder.disk().read_link(path("link")).value() == "/etc/passwd");
    CHECK_FALSE(folder.disk().open(path("link")).has_value());
    CHECK(fails_with(folder.disk().read_link(path("a.py")), ErrorCode::kNotFound));
    CHECK(fails_with(folder.disk().read_link(path("no")), ErrorCode::kNotFound));
    CHECK(fails_with(folder.disk().open(path("no")), ErrorCode::kNotFound));
  }
}

TEST_CASE("a file is read in order to its end, or as far as asked, or until its taker has enough") {
  const std::string bytes = std::string(kReadBytes, 'a') + std::string(kReadBytes, 'b') + "rest";
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("a.py", bytes);
    folder.write("empty", "");
    const auto file = folder.disk().open(path("a.py"));
    REQUIRE(file.has_value());
    std::string read;
    const TakeBytes take = [&](std::string_view piece) -> Status {
      read += piece;
      return {};
    };
    CHECK((*file)->read_all(take).value() == bytes.size());
    CHECK(read == bytes);
    read.clear();
    CHECK((*file)->read_all(kReadBytes + 1, take).value() == kReadBytes + 1);
    CHECK(read == bytes.substr(0, kReadBytes + 1));
    read.clear();
    CHECK((*file)->read_all(0, take).value() == 0);
    CHECK((*folder.disk().open(path("empty")))->read_all(take).value() == 0);
    CHECK(read.empty());
    int pieces = 0;
    const auto refused = (*file)->read_all([&](std::string_view) -> Status {
      return ++pieces < 2 ? Status() : fail(ErrorCode::kInvalid, "enough");
    });
    CHECK(fails_with(refused, ErrorCode::kInvalid));
    CHECK(pieces == 2);
  }
}

TEST_CASE("mtimes of the far past and future are kept to the nanosecond") {
  DAGSYNC_IN_EACH(safe_folders(), folder) {
    for (const std::int64_t nanos :
         {std::int64_t{-1'500'000'001}, std::int64_t{1}, std::int64_t{4'000'000'000'000'000'007}}) {
      const auto done =
          folder.publish("t", folder.look("t"), folder.staged_file("x", 0644, UnixNanos{nanos}));
      REQUIRE(done.has_value());
      CHECK(done->now->mtime == folder.look("t")->mtime);
      // A file system may clamp what it cannot store; this one says so by what it shows.
      if (nanos < 2'000'000'000'000'000'000) CHECK(done->now->mtime == UnixNanos{nanos});
    }
  }
}

TEST_CASE("whatever is done to a file moves its ctime on, a rename there and back, too") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("a.py", "1");
    const std::vector<std::function<void()>> acts = {
        [&] { folder.write("a.py", "2"); },
        [&] { folder.chmod("a.py", 0600); },
        [&] { folder.set_mtime("a.py", UnixNanos{5}); },
        [&] { folder.link("a.py", "twin"); },
        [&] { folder.remove("twin"); },
        [&] { folder.rename("a.py", "b.py"), folder.rename("b.py", "a.py"); },
        [&] { folder.save_by_rename("a.py", "2"); }};
    for (std::size_t i = 0; i < acts.size(); ++i) {
      CAPTURE(i);
      const auto before = folder.look("a.py");
      CHECK(is_unchanged(*before, *folder.look("a.py")));
      folder.wait_a_tick();
      acts[i]();
      const auto after = folder.look("a.py");
      CHECK(after->ctime > before->ctime);
      CHECK_FALSE(is_unchanged(*before, *after));
    }
  }
}

TEST_CASE("what stands there again is told from what came back with the disk") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("kept", "1");
    folder.write("moved", "1");
    folder.write("removed", "1");
    folder.mkdir("d");
    for (const char* name : {"kept", "moved", "removed", "d"}) {
      CAPTURE(name);
      const auto before = folder.look(name);
      const UnixNanos gone_at = folder.now();
      CHECK(has_come_back(seen_gone(gone_at, before), *before));  // as a power cut shows it again
      folder.wait_a_tick();
      if (before->type == FileType::kDirectory) {
        REQUIRE(folder.disk().remove_directory(path(name), is_compiled));
        folder.mkdir(name);
      } else if (path(name) == path("removed")) {
        REQUIRE(folder.disk().remove(path(name), *before, std::nullopt));
        folder.write(name, "1");
      } else {
        folder.rename(name, "elsewhere");
        folder.rename("elsewhere", name);
      }
      CHECK_FALSE(has_come_back(seen_gone(gone_at, before), *folder.look(name)));
    }
  }
}

TEST_CASE("publishing, and taking in what was published, change nothing that is compared") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    const auto done = folder.publish("a.py", std::nullopt, folder.staged_file("1"));
    REQUIRE(done.has_value());
    folder.wait_a_tick();
    const auto file = folder.disk().open(path("a.py"));
    REQUIRE(file.has_value());
    CHECK(TestFolder::contents(**file) == "1");
    CHECK((*file)->state().value() == *done->now);
    CHECK(folder.disk().check_writer(path("a.py")) == WriterCheck::kNone);
    REQUIRE(folder.disk().sync({path("a.py")}));
    // With what it shows already, no new ctime either.
    const auto set =
        folder.disk().set_attributes(path("a.py"), *done->now, {0644, done->now->mtime, {}});
    REQUIRE(set.has_value());
    CHECK(set->now == done->now);
    CHECK(folder.look("a.py") == done->now);
    // Of a directory what lies in it is not compared.
    REQUIRE(folder.publish("d", std::nullopt, folder.staged_directory(0750)));
    const auto directory = folder.look("d");
    folder.wait_a_tick();
    folder.write("d/b.py", "2");
    CHECK(is_unchanged(*directory, *folder.look("d")));
    folder.chmod("d", 0700);
    CHECK_FALSE(is_unchanged(*directory, *folder.look("d")));
  }
}

TEST_CASE("what may not be read is refused, but no absence, and its bytes are not lost") {
  DAGSYNC_IN_EACH(safe_folders(), folder) {
    folder.write("a.py", "secret");
    const auto forbidden = folder.forbid("a.py");
    CHECK(fails_with(folder.disk().open(path("a.py")), ErrorCode::kPermission));
    REQUIRE(folder.look("a.py").has_value());
    CHECK(folder.disk().list(RelPath()).value().size() == 1);
    CHECK(folder.disk().check_writer(path("a.py")) != WriterCheck::kWriter);
    const auto before = folder.look("a.py");
    const auto done = folder.publish("a.py", before, folder.staged_file("new"), kept_id(1));
    if (!done.has_value()) {  // where keeping takes a copy
      CHECK(fails_with(done, ErrorCode::kPermission));
      CHECK(folder.look("a.py") == before);
      continue;
    }
    CHECK(folder.read("a.py") == "new");
    CHECK(folder.kept(kept_id(1)) == "secret");
  }
}

}  // namespace dagsync
