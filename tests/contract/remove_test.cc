// Directories that go, or make room; and what is made durable.
#include <doctest/doctest.h>

#include "contract/folders.h"
#include "support/paths.h"

namespace dagsync {

TEST_CASE("a directory is replaced together with what is disposable in it, and with nothing else") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.mkdir("job");
    folder.mkdir("job/__pycache__");
    folder.write("job/__pycache__/a.pyc", "compiled");
    folder.write("job/notes.txt", "mine");
    const auto refused = folder.publish("job", folder.look("job"), folder.staged_file("new"));
    REQUIRE_FALSE(refused.has_value());
    CHECK(fails_with(refused, ErrorCode::kExists));
    CHECK(refused.error().message.find("notes.txt") != std::string::npos);
    CHECK(folder.read("job/__pycache__/a.pyc") == "compiled");
    folder.remove("job/notes.txt");
    const auto done = folder.publish("job", folder.look("job"), folder.staged_file("new"));
    REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
    CHECK(folder.read("job") == "new");
    CHECK(folder.leftovers().empty());
  }
}

TEST_CASE("a directory goes with what is disposable in it") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.mkdir("job");
    folder.mkdir("job/__pycache__");
    folder.mkdir("job/__pycache__/deep");
    folder.write("job/__pycache__/deep/a.pyc", "compiled");
    const auto done = folder.disk().remove_directory(path("job"), is_compiled);
    REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().message));
    CHECK(done->outcome == PublishOutcome::kDone);
    CHECK_FALSE(done->now.has_value());
    CHECK_FALSE(folder.exists("job"));
  }
}

TEST_CASE("a directory with something else in it stays whole, and the error names it") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.mkdir("job");
    folder.mkdir("job/__pycache__");
    folder.write("job/__pycache__/a.pyc", "compiled");
    folder.mkdir("job/inner");
    const auto done = folder.disk().remove_directory(path("job"), is_compiled);
    REQUIRE_FALSE(done.has_value());
    CHECK(fails_with(done, ErrorCode::kExists));
    CHECK(done.error().message.find("inner") != std::string::npos);
    CHECK(folder.read("job/__pycache__/a.pyc") == "compiled");
  }
}

TEST_CASE("a person's file in a disposable directory is asked for by itself") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.mkdir("job");
    folder.mkdir("job/__pycache__");
    folder.write("job/__pycache__/a.pyc", "compiled");
    folder.write("job/__pycache__/notes.txt", "mine");
    const auto only_pyc = [](const RelPath& path, FileType type) {
      return type == FileType::kDirectory || path.bytes().ends_with(".pyc");
    };
    const auto done = folder.disk().remove_directory(path("job"), only_pyc);
    REQUIRE_FALSE(done.has_value());
    CHECK(fails_with(done, ErrorCode::kExists));
    CHECK(done.error().message.find("notes.txt") != std::string::npos);
    CHECK(folder.read("job/__pycache__/a.pyc") == "compiled");
  }
}

TEST_CASE("removing what is not there, or is something else, changes nothing") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("a.py", "a");
    const auto state = *folder.look("a.py");
    const auto is_changed = [](const Result<Published>& done) {
      return done.has_value() && done->outcome == PublishOutcome::kChanged;
    };
    CHECK(is_changed(folder.disk().remove(path("b.py"), state, std::nullopt)));
    CHECK(is_changed(folder.disk().remove(path("no/b.py"), state, std::nullopt)));
    CHECK(is_changed(folder.disk().remove_directory(path("a.py"), is_compiled)));
    CHECK(is_changed(folder.disk().remove_directory(path("nothing"), is_compiled)));
    CHECK(is_changed(folder.disk().set_attributes(path("b.py"), state, {0600, {}, {}})));
    folder.mkdir("d");
    CHECK(is_changed(folder.disk().remove(path("d"), state, std::nullopt)));
    CHECK(folder.read("a.py") == "a");
    CHECK(folder.leftovers().empty());
  }
}

TEST_CASE("sync takes few paths, many paths, and paths that are gone") {
  DAGSYNC_IN_EACH(safe_folders(), folder) {
    folder.mkdir("sub");
    folder.symlink("nowhere", "sub/link");
    std::vector<RelPath> paths{path("gone"), path("sub/gone/too"), path("sub"), path("sub/link")};
    for (int i = 0; i < 3; ++i) {
      const std::string name = "sub/" + std::to_string(i);
      folder.write(name, "old");
      REQUIRE(folder.publish(name, folder.look(name), folder.staged_file("new"), kept_id(i)));
      paths.push_back(path(name));
    }
    CHECK(folder.disk().sync(paths).has_value());
    CHECK(folder.disk().sync({}).has_value());
    for (int i = 0; i < 200; ++i)
      paths.push_back(path("gone" + std::to_string(i)));
    CHECK(folder.disk().sync(paths).has_value());
  }
}

TEST_CASE("in a visit each directory is its own") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.mkdir("d");
    folder.mkdir("e");
    const auto visit = folder.disk().visit();
    for (const char* name : {"a.py", "d/a.py", "e/a.py", "d/b.py", "b.py"})
      CHECK(folder.publish(name, std::nullopt, folder.staged_file(name)).has_value());
    for (const char* name : {"a.py", "d/a.py", "e/a.py", "d/b.py", "b.py"})
      CHECK(folder.read(name) == name);
  }
}

TEST_CASE("in a visit a directory that was removed and made again is the new one") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.mkdir("d");
    const auto visit = folder.disk().visit();
    CHECK_FALSE(folder.look("d/a.py").has_value());
    CHECK(folder.disk().remove_directory(path("d"), is_compiled).has_value());
    CHECK(folder.publish("d", std::nullopt, folder.staged_directory()).has_value());
    CHECK(folder.publish("d/a.py", std::nullopt, folder.staged_file("bytes")).has_value());
    CHECK(folder.read("d/a.py") == "bytes");
  }
}

TEST_CASE("a symlink in a directory is removed itself, not what it points to") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.mkdir("precious");
    folder.write("precious/a.py", "x");
    folder.mkdir("job");
    folder.symlink("../precious", "job/__pycache__");
    const auto done = folder.disk().remove_directory(path("job"), is_compiled);
    REQUIRE(done.has_value());
    CHECK_FALSE(folder.exists("job"));
    CHECK(folder.read("precious/a.py") == "x");
  }
}

}  // namespace dagsync
