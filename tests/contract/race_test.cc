// What a person does while a path is published: before each step of the disk in turn, once or
// twice. Whatever he made must be found afterwards, live or kept, and what the disk says must be
// so.
#include <doctest/doctest.h>

#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "contract/folders.h"
#include "contract/steps.h"
#include "support/paths.h"

namespace dagsync {
namespace {

using Outcome = Result<Published>;
using Contents = std::set<std::string>;

bool is_a(FileType type, TestFolder& folder, const std::string& name) {
  const auto state = folder.look(name);
  return state && state->type == type;
}
bool is_file(TestFolder& folder, const std::string& name) {
  return is_a(FileType::kFile, folder, name);
}
bool is_directory(TestFolder& folder, const std::string& name) {
  return is_a(FileType::kDirectory, folder, name);
}

// Works at "a.py", and remembers what he made and what he took away himself.
class Person {
 public:
  explicit Person(TestFolder& folder) : folder_(folder) {}

  void expects(const std::string& bytes) { made_.insert(bytes); }
  void save() {
    if (is_directory(folder_, "a.py")) return write_in_directory();
    take();
    folder_.save_by_rename("a.py", fresh());
  }
  void edit_in_place() {
    if (const auto writer = open()) writer->write(fresh());
  }
  // Writes after all.
  void begin_to_write() { writer_ = open(); }
  void remove() {
    if (!is_file(folder_, "a.py")) return;
    take();
    folder_.remove("a.py");
    removed_ = true;
  }
  void move_away() {
    if (is_file(folder_, "a.py")) folder_.rename("a.py", "b.py");
  }
  // Under which he writes afterwards.
  void make_second_name() {
    if (is_file(folder_, "a.py")) folder_.link("a.py", "twin");
  }
  void make_directory() {
    if (is_directory(folder_, "a.py")) return;
    remove();
    if (!folder_.exists("a.py")) folder_.mkdir("a.py");
    if (is_directory(folder_, "a.py")) write_in_directory();
  }

  // Everything is there at once, nothing of the daemon's own is left over, and each version that
  // was kept without being asked for is told.
  void check(const Outcome& outcome) {
    if (writer_) writer_->write(fresh());
    writer_.reset();
    if (folder_.exists("twin")) {
      const bool is_published = outcome.has_value() && outcome->outcome == PublishOutcome::kDone;
      if (!is_published) take("twin");
      folder_.write("twin", fresh());
    }
    const Contents there = contents();
    for (const std::string& bytes : made_) {
      CAPTURE(bytes);
      CHECK((there.contains(bytes) || taken_.contains(bytes)));
    }
    CHECK(folder_.leftovers().empty());
    Contents told;
    if (outcome.has_value() && outcome->kept) told.insert(kept_id(1).value);
    const auto rescued = folder_.disk().take_rescued();
    for (const Disk::Rescued& each : rescued) {
      CHECK(each.path == path("a.py"));
      told.insert(each.id.value);
    }
    CHECK(told == kept_);
    CHECK(folder_.disk().take_rescued().empty());
  }
  [[nodiscard]] const std::string& last() const { return last_; }
  [[nodiscard]] bool has_removed() const { return removed_; }

 private:
  const std::string& fresh() {
    last_ = "edit " + std::to_string(++count_);
    made_.insert(last_);
    return last_;
  }
  // What stands there goes by his own hand.
  void take(const std::string& name = "a.py") {
    if (is_file(folder_, name)) taken_.insert(folder_.read(name));
  }
  std::unique_ptr<TestFolder::Writer> open() {
    auto writer = is_file(folder_, "a.py") ? folder_.open_writer("a.py") : nullptr;
    if (writer) take();
    return writer;
  }
  void write_in_directory() {
    take("a.py/mine");
    folder_.write("a.py/mine", fresh());
  }
  Contents contents() {
    Contents contents;
    for (const std::string& name : folder_.names())
      if (is_file(folder_, name)) contents.insert(folder_.read(name));
    const auto kept = folder_.disk().list_kept().value();
    for (const KeptId& id : kept) {
      kept_.insert(id.value);
      const KeptFile file = folder_.disk().describe_kept(id).value();
      CHECK(file.path == path("a.py"));
      if (file.state.type == FileType::kFile) contents.insert(folder_.kept(id));
    }
    return contents;
  }

  TestFolder& folder_;
  int count_ = 0;
  std::string last_;
  bool removed_ = false;
  Contents made_;
  Contents taken_;
  Contents kept_;
  std::unique_ptr<TestFolder::Writer> writer_;
};

// What the daemon does with "a.py", where the file "old" stands.
struct Job {
  std::string name;
  bool keeps;
  std::function<Outcome(TestFolder&, const Disk::Expected&, const std::optional<KeptId>&)> run;
};

std::vector<Job> jobs() {
  using Keep = std::optional<KeptId>;
  const Job plain[] = {
      {"a file", true,
       [](TestFolder& folder, const Disk::Expected& old, const Keep& keep) {
         return folder.publish("a.py", old, folder.staged_file("new"), keep);
       }},
      {"a symlink", true,
       [](TestFolder& folder, const Disk::Expected& old, const Keep& keep) {
         return folder.publish("a.py", old, folder.staged_symlink("new"), keep);
       }},
      {"a directory", true,
       [](TestFolder& folder, const Disk::Expected& old, const Keep& keep) {
         return folder.publish("a.py", old, folder.staged_directory(), keep);
       }},
      {"a removal", true,
       [](TestFolder& folder, const Disk::Expected& old, const Keep& keep) {
         return folder.disk().remove(path("a.py"), *old, keep);
       }},
  };
  std::vector<Job> all(std::begin(plain), std::end(plain));
  for (Job job : plain) {
    job.keeps = false;
    all.push_back(std::move(job));
  }
  all.push_back(
      {"a mode and a time", false, [](TestFolder& folder, const Disk::Expected& old, const Keep&) {
         return folder.disk().set_attributes(path("a.py"), *old, {0600, UnixNanos{5}, {}});
       }});
  return all;
}

using Act = void (Person::*)();
using Check = std::function<void(TestFolder&, const Person&, const Published&)>;

// One run. False: there was no such step, or none of the second act after it.
struct Happened {
  bool first = false;
  bool second = false;
};
Happened run(const FolderKind& kind, const Job& job, std::size_t step, Act act,
             std::optional<std::size_t> later, Act second_act, const Check& check) {
  const auto folder = kind.make();
  Person person(*folder);
  folder->write("a.py", "old");
  if (job.keeps) person.expects("old");
  const auto old = folder->look("a.py");
  Happened happened;
  interrupt(step, [&] {
    (person.*act)();
    happened.first = true;
    if (later) {
      interrupt(*later, [&] {
        (person.*second_act)();
        happened.second = true;
      });
    }
  });
  const auto keep = job.keeps ? std::optional(kept_id(1)) : std::nullopt;
  const Outcome outcome = job.run(*folder, old, keep);
  forget_interruption();
  REQUIRE_MESSAGE(outcome.has_value(), (outcome ? "" : outcome.error().message));
  if (happened.first && check) check(*folder, person, *outcome);
  person.check(outcome);
  return happened;
}

void at_each_step(const std::vector<Act>& acts, const Check& check) {
  for (const FolderKind& kind : safe_folders()) {
    for (const Job& job : jobs()) {
      for (std::size_t act = 0; act < acts.size(); ++act) {
        INFO("folder: ", kind.name, ", ", job.name, job.keeps ? std::string(", kept") : "",
             ", act ", act);
        std::size_t step = 0;
        while (run(kind, job, step, acts[act], {}, nullptr, check).first)
          ++step;
        CHECK(step > 0);
      }
    }
  }
}

}  // namespace

TEST_CASE("an edit that is faster, or comes in between, is live or kept") {
  at_each_step({&Person::save, &Person::edit_in_place, &Person::begin_to_write},
               [](TestFolder& folder, const Person& person, const Published& outcome) {
                 if (outcome.outcome == PublishOutcome::kDone || person.last().empty()) return;
                 CHECK(folder.read("a.py") == person.last());
                 CHECK(folder.disk().list_kept().value().empty());
               });
}

TEST_CASE("a deletion that is faster, or comes in between, stays one") {
  at_each_step({&Person::remove, &Person::move_away},
               [](TestFolder& folder, const Person& person, const Published& outcome) {
                 if (outcome.outcome == PublishOutcome::kDone) return;
                 CHECK(outcome.outcome == PublishOutcome::kChanged);
                 CHECK_FALSE(folder.exists("a.py"));
                 if (!person.has_removed()) CHECK(folder.read("b.py") == "old");
               });
}

TEST_CASE("what is kept does not change under another name that the file got in between") {
  at_each_step({&Person::make_second_name}, nullptr);
}

TEST_CASE("a directory that takes its place in between stays, with what is in it") {
  at_each_step({&Person::make_directory}, nullptr);
}

TEST_CASE("of two edits while one path is published each is live or kept") {
  const std::vector<Act> seconds = {&Person::save, &Person::edit_in_place, &Person::begin_to_write,
                                    &Person::remove};
  for (const FolderKind& kind : safe_folders()) {
    for (const Job& job : jobs()) {
      for (std::size_t act = 0; act < seconds.size(); ++act) {
        INFO("folder: ", kind.name, ", ", job.name, job.keeps ? std::string(", kept") : "",
             ", act ", act);
        bool any = true;
        for (std::size_t step = 0; any; ++step) {
          any = false;
          std::size_t later = 0;
          for (Happened happened{true, true}; happened.second; ++later) {
            CAPTURE(step);
            CAPTURE(later);
            happened = run(kind, job, step, &Person::save, later, seconds[act], nullptr);
            any = any || happened.first;
          }
        }
      }
    }
  }
}

TEST_CASE("what somebody makes where nothing stood is not replaced") {
  for (const FolderKind& kind : all_folders()) {
    INFO("folder: ", kind.name);
    for (std::size_t step = 0;; ++step) {
      CAPTURE(step);
      const auto folder = kind.make();
      interrupt(step, [&] { folder->save_by_rename("new.py", "edited"); });
      const auto done = folder->publish("new.py", std::nullopt, folder->staged_file("new"));
      if (forget_interruption()) break;
      REQUIRE(done.has_value());
      CHECK(folder->read("new.py") == "edited");
      CHECK(folder->leftovers().empty());
    }
  }
}

TEST_CASE("what is put into a directory while it goes, or makes room, stays") {
  for (const FolderKind& kind : safe_folders()) {
    for (const bool makes_room : {false, true}) {
      INFO("folder: ", kind.name, ", makes room: ", makes_room);
      for (std::size_t step = 0;; ++step) {
        CAPTURE(step);
        const auto folder = kind.make();
        folder->mkdir("job");
        folder->mkdir("job/__pycache__");
        folder->write("job/__pycache__/a.pyc", "compiled");
        auto staged = folder->staged_file("new");
        const auto state = folder->look("job");
        bool wrote = false;
        interrupt(step, [&] {
          wrote = is_directory(*folder, "job");
          if (wrote) folder->write("job/mine", "edited");
        });
        const auto done = makes_room ? folder->publish("job", state, std::move(staged))
                                     : folder->disk().remove_directory(path("job"), is_compiled);
        if (forget_interruption()) break;
        CHECK(folder->exists("job/mine") == wrote);
        CHECK(fails_with(done, ErrorCode::kExists) == wrote);
        staged.reset();
        CHECK(folder->leftovers().empty());
      }
    }
  }
}

TEST_CASE("a directory that is exchanged for another one while it makes room comes back") {
  DAGSYNC_IN_EACH(safe_folders(), folder) {
    folder.mkdir("job");
    folder.mkdir("job/__pycache__");
    folder.mkdir("other");
    folder.write("other/mine", "x");
    int asked = 0;
    const auto disposable = [&](const RelPath&, FileType) {
      if (++asked == 2) {  // checked, and about to be emptied
        folder.rename("job", "away");
        folder.rename("other", "job");
      }
      return true;
    };
    const auto done = folder.disk().publish(path("job"), folder.look("job"),
                                            folder.staged_file("new"), std::nullopt, disposable);
    REQUIRE(done.has_value());
    CHECK(done->outcome == PublishOutcome::kChanged);
    CHECK(folder.read("job/mine") == "x");
    CHECK(folder.exists("away"));
    CHECK(folder.leftovers().empty());
  }
}

}  // namespace dagsync
