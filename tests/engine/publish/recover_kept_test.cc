// The catalogue of kept versions after the index was lost.
#include <algorithm>

#include "core/record_samples.h"
#include "dagsync/base/log.h"
#include "dagsync/engine/publish/recovery.h"
#include "posix/disk_world.h"

using namespace dagsync;

namespace {

struct KeptWorld {
  DiskWorld disk;
  FolderImage image;

  // What stands at the name becomes the kept version of this number.
  KeptId keep(const std::string& name, int number) {
    const KeptId id = kept_id(number);
    REQUIRE(disk.disk().remove(DiskWorld::path(name), *disk.look(name), id)->kept);
    return id;
  }
  Transaction recover() { return recover_kept(disk.disk(), image, {"a"}); }
};

}  // namespace

TEST_CASE("kept files that no catalogue has say themselves what they are") {
  KeptWorld world;
  world.disk.mkdir("etl");
  world.disk.write("etl/load.py", "content");
  const DiskState before = *world.disk.look("etl/load.py");
  world.disk.symlink("etl", "link");
  const KeptId file = world.keep("etl/load.py", 2);
  const KeptId link = world.keep("link", 1);

  const Transaction writes = world.recover();
  CHECK(writes.writes.size() == 2);
  REQUIRE(world.image.kept.size() == 2);
  const KeptVersion& first = world.image.kept[0];
  CHECK(first.id == link);
  CHECK(first.path == DiskWorld::path("link"));
  CHECK(first.content.kind == Kind::kSymlink);
  CHECK(first.content.target == "etl");
  const KeptVersion& second = world.image.kept[1];
  CHECK(second.id == file);
  CHECK(second.path == DiskWorld::path("etl/load.py"));
  CHECK(second.content.digest == digest_of("content"));
  CHECK(second.content.size == 7);
  CHECK(second.content.mode == before.mode);
  CHECK(second.content.mtime == before.mtime);
  CHECK(second.origin == NodeName{"a"});
  CHECK(fmt::format("{:016x}", second.kept_at.value) == file.value.substr(0, 16));
  CHECK(world.recover().writes.empty());
}

TEST_CASE("what the catalogue knows stays as it is, and a row without its file goes") {
  KeptWorld world;
  world.disk.write("a.py", "x");
  KeptVersion known{world.keep("a.py", 1),
                    DiskWorld::path("a.py"),
                    file_content("x", 10),
                    {"somebody"},
                    {5},
                    KeptVersion::Reason::kConflict};
  KeptVersion vanished = known;
  vanished.id = kept_id(9);
  world.image.kept = {known, vanished};
  const Transaction writes = world.recover();
  CHECK(world.image.kept == std::vector<KeptVersion>{known});
  REQUIRE(writes.writes.size() == 1);
  CHECK(std::get<Transaction::DropKept>(writes.writes[0]).id == vanished.id);
}

TEST_CASE("a kept file that does not say where it stood is left alone") {
  KeptWorld world;
  world.disk.write("a.py", "x");
  const KeptId id = world.keep("a.py", 1);
  REQUIRE(std::filesystem::remove(world.disk.state("versions/" + id.value + ".of")));
  CHECK(world.recover().writes.empty());
  CHECK(world.disk.kept(id) == "x");
}
