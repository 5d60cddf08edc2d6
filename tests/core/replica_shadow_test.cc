// Records that stand on no disk, because a file stands above them.
#include "core/one_replica.h"
#include "dagsync/core/replica.h"

using namespace dagsync;

namespace {

const Content kPlainDirectory = directory_content(0755);

}  // namespace

TEST_CASE("a file over a directory hides what is below, and what is below comes back") {
  OneReplica one;
  const Record child = edit("b", 1, file_content("x", 10), 10);
  (void)one.hear_and_publish(kB, change_of("d/x.py", child));
  const Change file = change_of("d", edit("b", 2, file_content("file", 50), 50));
  REQUIRE(wanted_by(one.hear(kB, {file})) == std::vector<std::string>{"d"});
  one.begin_publishing("d");
  (void)one.replica.evicted(at("d/x.py"));
  CHECK_FALSE(one.entry("d/x.py").disk.has_value());
  (void)one.publish("d");
  CHECK(one.record("d/x.py") == child);
  CHECK(one.look({gone("d/x.py", 100)}).empty());
  CHECK(one.replica.wanted().empty());

  SUBCASE("when the file is deleted elsewhere") {
    const Record erased = edit("b", 3, {}, 60, &file.record);
    CHECK(wanted_by(one.hear(kB, {change_of("d", erased)})) == std::vector<std::string>{"d"});
    CHECK(wanted_by(one.publish("d")) == std::vector<std::string>{"d/x.py"});
  }
  SUBCASE("when it is deleted here") {
    const Actions actions = one.look({gone("d", 100)});
    CHECK(wanted_by(actions) == std::vector<std::string>{"d/x.py"});
    CHECK(broadcast_by(actions).size() == 1);
  }
  SUBCASE("when it becomes a directory again") {
    CHECK(wanted_by(one.look({seen("d", kPlainDirectory, 100)})) ==
          std::vector<std::string>{"d/x.py"});
  }
  SUBCASE("but not when it becomes a symlink") {
    CHECK(wanted_by(one.look({seen("d", symlink_content("x", 100), 100)})).empty());
    CHECK(wanted_by(one.look({gone("d", 100)})) == std::vector<std::string>{"d/x.py"});
  }
  const Wanted& back = one.replica.wanted().at(at("d/x.py"));
  CHECK(back.again);
  CHECK(back.id == child.origin);
  CHECK(broadcast_by(one.publish("d/x.py")).empty());
  CHECK(one.entry("d/x.py").disk.has_value());
}

TEST_CASE("what a local file hides comes back too, though its absence was seen later") {
  OneReplica one;
  (void)one.write("d/x.py", file_content("x", 10), 100);
  (void)one.write("d", file_content("file", 150), 150);
  (void)one.look({gone("d/x.py", 160)});
  CHECK(one.record("d/x.py").is_live());
  CHECK_FALSE(one.entry("d/x.py").disk.has_value());
  CHECK(wanted_by(one.look({gone("d", 200)})) == std::vector<std::string>{"d/x.py"});
}

TEST_CASE("what is there again while its delete is wanted comes back when nothing hides it") {
  OneReplica one;
  const Change child = change_of("d/x.py", edit("b", 1, file_content("x", 10), 10));
  (void)one.hear_and_publish(kB, child);
  (void)one.hear(kB, {change_of("d", edit("b", 2, file_content("file", 50), 50))});
  one.begin_publishing("d");
  (void)one.replica.evicted(at("d/x.py"));
  (void)one.publish("d");
  const Change erased = change_of("d/x.py", edit("b", 3, {}, 60, &child.record));
  (void)one.hear(kB, {erased});
  CHECK(wanted_by(one.look({gone("d", 100)})).empty());  // the delete is still wanted

  const Change again = change_of("d/x.py", edit("c", 1, file_content("x", 10), 10, &erased.record));
  CHECK(wanted_by(one.hear(kC, {again})) == std::vector<std::string>{"d/x.py"});
  CHECK(one.replica.wanted().at(at("d/x.py")).again);
  (void)one.publish("d/x.py");
  CHECK(one.record("d/x.py") == again.record);
  CHECK(one.entry("d/x.py").disk.has_value());
  CHECK(one.replica.known().covers(erased.id));
  CHECK(one.replica.known().covers(again.id));
}

TEST_CASE("what a file was to hide, and comes after that file has gone, is wanted at its place") {
  OneReplica one;
  (void)one.write("m", file_content("file", 10), 100);
  const auto below = edit("b", 1, file_content("below", 20), 20);
  (void)one.hear(kB, {change_of("m/x.py", below)});
  REQUIRE(one.replica.wanted().contains(at("m/x.py")));
  one.replica.publishing(at("m/x.py"));  // with nothing to do: it is hidden
  SUBCASE("gone while that was under way") {
    (void)one.erase("m", 200);
    const Actions actions =
        one.replica.published(at("m/x.py"), below, below.origin, {}, std::nullopt);
    CHECK(wanted_by(actions) == std::vector<std::string>{"m/x.py"});
  }
  SUBCASE("still there") {
    const Actions actions =
        one.replica.published(at("m/x.py"), below, below.origin, {}, std::nullopt);
    CHECK(wanted_by(actions).empty());
  }
}
