#include "dagsync/engine/verify/verification.h"

#include <deque>
#include <optional>

#include "core/one_replica.h"
#include "posix/disk_world.h"
#include "support/inline_worker.h"

using namespace dagsync;

namespace {

using Row = VerifyPage::Row;

// This node "a", which reads what its index has, and the peer "b", which answers what the test
// says.
struct VerificationWorld {
  OneReplica one;
  InlineWorker worker;
  DiskWorld disk;
  IgnoreRules rules;
  Rereader reader{worker, disk.disk(), one.replica, rules};
  std::map<RelPath, Content> theirs;
  std::size_t page_rows = 2;
  std::vector<RereadRange> asked;  // of b
  std::function<void(VerifyPage&)> spoil = [](VerifyPage&) {};
  std::deque<std::function<void()>> later;
  int settled = 0;
  std::function<void()> on_settle = [] {};
  std::optional<VerifyReport> report;
  std::optional<Verification> run;

  void both_have(const std::string& path, const Content& content) {
    (void)one.write(path, content, 100);
    theirs[at(path)] = content;
  }

  VerifyPage page_of(const std::map<RelPath, Content>& contents, const RereadRange& range) const {
    VerifyPage page;
    for (const auto& [path, content] : contents) {
      const bool listed =
          std::find(range.paths.begin(), range.paths.end(), path) != range.paths.end();
      if (range.paths.empty() ? path <= range.after : !listed) continue;
      if (range.paths.empty() && page.rows.size() == page_rows) {
        page.last = page.rows.back().path;
        return page;
      }
      page.rows.push_back({path, content, "", false});
    }
    return page;
  }

  void verify() {
    std::map<RelPath, Content> ours;
    for (const auto& [path, entry] : one.replica.index().entries())
      if (entry.record.is_live()) ours[path] = entry.record.content;
    std::vector<Verification::Source> sources;
    sources.push_back({kA, [this, ours](const RereadRange& range, Verification::Answer answer) {
                         later.push_back([=, this] { answer(page_of(ours, range)); });
                       }});
    sources.push_back({kB, [this](const RereadRange& range, Verification::Answer answer) {
                         asked.push_back(range);
                         later.push_back([=, this] {
                           VerifyPage page = page_of(theirs, range);
                           spoil(page);
                           answer(page);
                         });
                       }});
    Verification::Hooks hooks;
    hooks.settle = [this](std::function<void()> then) {
      ++settled;
      on_settle();
      later.push_back(std::move(then));
    };
    hooks.progress = [](const Verification::Progress&) {};
    hooks.done = [this](VerifyReport done) { report = std::move(done); };
    run.emplace(one.replica.index(), reader, std::move(sources), std::move(hooks));
    run->start();
    for (int steps = 0; !later.empty(); ++steps) {
      REQUIRE(steps < 1000);
      const auto step = std::move(later.front());
      later.pop_front();
      step();
    }
    REQUIRE(report.has_value());
  }

  // "a.py on b: other content than on a"
  [[nodiscard]] std::vector<std::string> differences() const {
    std::vector<std::string> lines;
    for (const auto& each : report->differences)
      lines.push_back(display(each.path) + " on " + each.node.value + ": " + each.problem);
    return lines;
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("what is the same on both nodes is no difference, page by page") {
  VerificationWorld world;
  for (const char* path : {"a.py", "b.py", "c/d.py", "e.py", "f.py"})
    world.both_have(path, file_content(path, 10));
  world.both_have("g", directory_content(0755));
  world.both_have("h", symlink_content("a.py", 5));
  world.verify();
  CHECK(world.differences().empty());
  CHECK(world.report->files == 6);
  CHECK(world.asked.size() == 4);
  CHECK(world.settled == 0);
}

TEST_CASE("each way in which a path can differ is told in words") {
  VerificationWorld world;
  const Content file = file_content("x", 10);
  const auto put = [&](const std::string& path, const Content& ours, const Content& theirs) {
    world.both_have(path, ours);
    world.theirs[at(path)] = theirs;
  };
  Content mode = file;
  mode.mode = 0600;
  put("bytes", file, file_content("y", 10));
  put("kind", file, directory_content(0755));
  put("mode", file, mode);
  Content alices = file;
  alices.owner = "alice:users";
  Content bobs = file;
  bobs.owner = "bob:users";
  put("owner", alices, bobs);
  put("owner told here alone", alices, file);
  put("owner told there alone", file, bobs);
  put("mtime", file, file_content("x", 11));
  put("target", symlink_content("one", 5), symlink_content("two", 5));
  world.both_have("missing", file);
  world.theirs.erase(at("missing"));
  world.theirs[at("more")] = file;
  world.verify();
  CHECK(world.differences() ==
        Lines{"bytes on b: other content than on a",
              "kind on b: it is a directory there, and a file on a",
              "missing on b: it is missing there, or ignored, and stands on a",
              "mode on b: mode 0600 there, and 0644 on a",
              "more on b: it stands only there, not on a",
              "mtime on b: another modification time than on a",
              "owner on b: it belongs to bob:users there, and to alice:users on a",
              "target on b: another target than on a"});
  CHECK(world.settled == Verification::kLooks - 1);
  CHECK(world.asked.back().paths.size() == 8);
}

TEST_CASE("what arrives while it is verified is no difference") {
  VerificationWorld world;
  world.both_have("a.py", file_content("x", 10));
  world.theirs[at("a.py")] = file_content("before", 5);
  world.on_settle = [&] { world.theirs[at("a.py")] = file_content("x", 10); };
  world.verify();
  CHECK(world.differences().empty());
  CHECK(world.settled == 1);
}

TEST_CASE(
    "a problem that the other node names is told as it names it, and what it ignores is not") {
  VerificationWorld world;
  world.both_have("a.py", file_content("x", 10));
  world.both_have("b.py", file_content("x", 10));
  world.rules = IgnoreRules({"b.py"});
  world.theirs.erase(at("b.py"));
  world.spoil = [](VerifyPage& page) {
    for (Row& row : page.rows)
      row.problem = "rotten";
  };
  world.verify();
  CHECK(world.differences() == Lines{"a.py on b: rotten"});
}

TEST_CASE("what stays unsettled is told in the end") {
  VerificationWorld world;
  world.both_have("a.py", file_content("x", 10));
  world.spoil = [](VerifyPage& page) { page.rows.front().unsettled = true; };
  world.verify();
  REQUIRE(world.differences().size() == 1);
  CHECK(world.differences().front().starts_with("a.py on b: it is being changed"));
}

TEST_CASE("a node that answers nonsense, or says why not, is named and asked no more") {
  VerificationWorld world;
  for (const char* path : {"a.py", "b.py", "c.py", "d.py"})
    world.both_have(path, file_content("x", 10));
  std::string expected = ". on b: not compared: it answers nonsense";
  SUBCASE("a page that gets nowhere") {
    world.spoil = [](VerifyPage& page) { page.last = at("a"); };
  }
  SUBCASE("an empty page that is not the last") {
    world.spoil = [](VerifyPage& page) { page.rows.clear(); };
  }
  SUBCASE("a row beyond the page") {
    world.spoil = [](VerifyPage& page) { page.rows.push_back({at("x"), {}, "", false}); };
  }
  SUBCASE("an error") {
    world.spoil = [](VerifyPage& page) { page = {0, {}, {}, "the folder is halted"}; };
    expected = ". on b: not compared: the folder is halted";
  }
  world.verify();
  CHECK(world.differences() == Lines{expected});
  CHECK(world.asked.size() == 1);
}
