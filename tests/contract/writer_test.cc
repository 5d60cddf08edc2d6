#include <doctest/doctest.h>

#include "contract/folders.h"
#include "support/paths.h"

namespace dagsync {

TEST_CASE("a writer is seen until it closes, a reader is none") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("a.py", "a");
    CHECK(folder.disk().check_writer(path("a.py")) == WriterCheck::kNone);
    const auto reader = folder.disk().open(path("a.py"));
    CHECK(folder.disk().check_writer(path("a.py")) == WriterCheck::kNone);
    auto writer = folder.open_writer("a.py");
    CHECK(folder.disk().check_writer(path("a.py")) == WriterCheck::kWriter);
    writer.reset();
    CHECK(folder.disk().check_writer(path("a.py")) == WriterCheck::kNone);
    CHECK(folder.disk().check_writer(path("nothing")) == WriterCheck::kNone);
    folder.mkdir("d");
    folder.symlink("a.py", "link");
    writer = folder.open_writer("a.py");
    CHECK(folder.disk().check_writer(path("d")) == WriterCheck::kNone);
    CHECK(folder.disk().check_writer(path("link")) == WriterCheck::kNone);
  }
}

TEST_CASE("an opened file knows its writer, also when another file has taken its name") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("a.py", "a");
    const auto file = folder.disk().open(path("a.py"));
    REQUIRE(file.has_value());
    CHECK((*file)->check_writer() == WriterCheck::kNone);
    CHECK((*file)->check_writer() == WriterCheck::kNone);  // the first left no lease behind
    auto writer = folder.open_writer("a.py");
    CHECK((*file)->check_writer() == WriterCheck::kWriter);
    folder.save_by_rename("a.py", "b");
    CHECK((*file)->check_writer() == WriterCheck::kWriter);
    CHECK(folder.disk().check_writer(path("a.py")) == WriterCheck::kNone);
    writer.reset();
    CHECK((*file)->check_writer() == WriterCheck::kNone);
    CHECK(TestFolder::contents(**file) == "a");
    folder.remove("a.py");
    CHECK(TestFolder::contents(**file) == "a");
  }
}

TEST_CASE("a file that is being written is neither replaced nor removed nor touched") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    folder.write("a.py", "before");
    auto writer = folder.open_writer("a.py");
    const auto expected = folder.look("a.py");
    const auto is_busy = [](const Result<Published>& done) {
      return done.has_value() && done->outcome == PublishOutcome::kBusy;
    };
    CHECK(is_busy(folder.publish("a.py", expected, folder.staged_file("remote"), kept_id(1))));
    CHECK(is_busy(folder.publish("a.py", expected, folder.staged_symlink("x"), kept_id(1))));
    CHECK(is_busy(folder.publish("a.py", expected, folder.staged_directory(), kept_id(1))));
    CHECK(is_busy(folder.disk().remove(path("a.py"), *expected, kept_id(1))));
    CHECK(is_busy(folder.disk().set_attributes(path("a.py"), *expected, {0600, UnixNanos{1}, {}})));
    CHECK(folder.look("a.py") == expected);
    writer->write("after!");
    writer.reset();
    CHECK(folder.read("a.py") == "after!");
    CHECK(folder.disk().list_kept().value().empty());
    CHECK(folder.leftovers().empty());
    REQUIRE(folder.publish("a.py", folder.look("a.py"), folder.staged_file("remote"), kept_id(1)));
    CHECK(folder.kept(kept_id(1)) == "after!");
  }
}

TEST_CASE("a file that is being written gets no second name") {
  DAGSYNC_IN_EACH(linking_folders(), folder) {
    folder.write("a.py", "before");
    const auto writer = folder.open_writer("a.py");
    CHECK(fails_with(folder.disk().stage_link(path("a.py"), *folder.look("a.py")),
                     ErrorCode::kUnavailable));
    CHECK(folder.leftovers().empty());
  }
}

TEST_CASE("what was just published has no writer") {
  DAGSYNC_IN_EACH(all_folders(), folder) {
    REQUIRE(folder.publish("a.py", std::nullopt, folder.staged_file("x")).has_value());
    CHECK(folder.disk().check_writer(path("a.py")) == WriterCheck::kNone);
  }
}

}  // namespace dagsync
