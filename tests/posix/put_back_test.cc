#include "posix/put_back.h"

#include <doctest/doctest.h>

#include "posix/disk_world.h"

namespace dagsync {
namespace {

// Just after an exchange: "theirs", which nobody expected, came out of "a.py", where ours stands.
class Swapped {
 public:
  explicit Swapped(Ground ground, FileType ours = FileType::kFile) : world_(ground) {
    const int folder = ::open(world_.real("").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    folder_ = share(UniqueFd(folder));
    const int state = ::open(world_.state("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const UniqueFd state_directory(state);
    kept_ = std::move(*KeptVersions::open(state));
    staging_ = std::move(*Staging::open(state, owners_, *kept_));
    const bool beside = ground != Ground::kTwoFileSystems;
    job_ = std::make_unique<Publishing>(Publishing{
        path_, {folder_, "a.py"}, beside, keep_, *staging_, *kept_, departed_, degradations_});
    out_ = swap_name_for(*job_, {kept_id(1), 1});
    const int fd = ::openat(out_.at().directory, out_.at().name, O_CREAT | O_WRONLY, 0644);
    REQUIRE(::write(fd, "theirs", 6) == 6);
    ::close(fd);
    if (ours == FileType::kDirectory)
      world_.mkdir("a.py");
    else
      world_.write("a.py", "ours");
    ours_.type = ours;
    ours_.made = *world_.look("a.py");
  }

  [[nodiscard]] DiskWorld& world() { return world_; }
  void put_back() { put_back_exchanged(*job_, out_, ours_); }
  void put_back_after_move() { put_back_moved(*job_, out_); }
  // Those of the kept versions that the engine learns of, to list them.
  [[nodiscard]] std::vector<KeptId> rescued() {
    std::vector<KeptId> ids;
    for (const Disk::Rescued& one : kept_->take_rescued()) {
      CHECK(one.path == path_);
      ids.push_back(one.id);
    }
    return ids;
  }
  [[nodiscard]] std::vector<KeptId> kept_ids() { return kept_->list().value(); }
  [[nodiscard]] std::vector<std::string> kept() {
    std::vector<std::string> contents;
    const auto ids = kept_->list().value();
    for (const KeptId& id : ids)
      contents.push_back(world_.kept(id));
    return contents;
  }

 private:
  DiskWorld world_;
  RelPath path_ = DiskWorld::path("a.py");
  SharedFd folder_;
  std::unique_ptr<KeptVersions> kept_;
  Owners owners_{OwnerRule()};
  std::unique_ptr<Staging> staging_;
  Departed departed_;
  Degradations degradations_;
  std::optional<KeptId> keep_;
  std::unique_ptr<Publishing> job_;
  TempName out_;
  StagedThing ours_;
};

using Contents = std::vector<std::string>;

}  // namespace

TEST_CASE("what came out goes back in, and ours goes") {
  for (const Ground ground : safe_grounds()) {
    Swapped swapped(ground);
    swapped.put_back();
    CHECK(swapped.world().read("a.py") == "theirs");
    CHECK(swapped.kept().empty());
    CHECK(swapped.world().leftovers().empty());
  }
}

TEST_CASE("a still younger edit stays, and the one that came out is kept") {
  for (const Ground ground : safe_grounds()) {
    for (const bool in_place : {false, true}) {
      CAPTURE(in_place);
      Swapped swapped(ground);
      if (in_place)
        swapped.world().write("a.py", "younger");
      else
        swapped.world().save_by_rename("a.py", "younger");
      swapped.put_back();
      CHECK(swapped.world().read("a.py") == "younger");
      CHECK(swapped.kept() == Contents{"theirs"});
      CHECK(swapped.world().leftovers().empty());
    }
  }
}

TEST_CASE("a file of ours that somebody is writing to stays") {
  for (const Ground ground : safe_grounds()) {
    Swapped swapped(ground);
    const int writer = ::open(swapped.world().real("a.py").c_str(), O_WRONLY | O_CLOEXEC);
    swapped.put_back();
    REQUIRE(::pwrite(writer, "soon", 4, 0) == 4);
    ::close(writer);
    CHECK(swapped.world().read("a.py") == "soon");
    CHECK(swapped.kept() == Contents{"theirs"});
  }
}

TEST_CASE("a directory of ours in which somebody made a file stays") {
  for (const Ground ground : safe_grounds()) {
    Swapped swapped(ground, FileType::kDirectory);
    swapped.world().write("a.py/new.py", "new");
    swapped.put_back();
    CHECK(swapped.world().read("a.py/new.py") == "new");
    CHECK(swapped.kept() == Contents{"theirs"});
    CHECK(swapped.world().leftovers().empty());
  }
}

TEST_CASE("where the name was deleted meanwhile, what came out is kept") {
  for (const Ground ground : safe_grounds()) {
    Swapped swapped(ground);
    REQUIRE(::unlink(swapped.world().real("a.py").c_str()) == 0);
    swapped.put_back();
    CHECK_FALSE(swapped.world().exists("a.py"));
    CHECK(swapped.kept() == Contents{"theirs"});
    CHECK(swapped.rescued() == swapped.kept_ids());
    CHECK(swapped.rescued().empty());  // told once
    CHECK(swapped.world().leftovers().empty());
  }
}

TEST_CASE("what was moved out goes back unless something younger stands there") {
  for (const Ground ground : safe_grounds()) {
    for (const bool younger : {false, true}) {
      CAPTURE(younger);
      Swapped swapped(ground);
      if (!younger) REQUIRE(::unlink(swapped.world().real("a.py").c_str()) == 0);
      swapped.put_back_after_move();
      CHECK(swapped.world().read("a.py") == (younger ? "ours" : "theirs"));
      CHECK(swapped.kept() == (younger ? Contents{"theirs"} : Contents{}));
      CHECK(swapped.world().leftovers().empty());
    }
  }
}

}  // namespace dagsync
