#include "dagsync/engine/publish/kept_catalogue.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/record_samples.h"
#include "posix/disk_world.h"

using namespace dagsync;

namespace {

using Reason = KeptVersion::Reason;
using Ids = std::vector<KeptId>;

constexpr std::uint64_t kBlock = 4096;

// Kept at so many seconds; its bytes tell it from the others.
KeptVersion version(std::uint64_t second, const std::string& path,
                    Reason reason = Reason::kReplaced) {
  const UnixNanos kept_at{static_cast<std::int64_t>(second) * 1'000'000'000};
  char id[kKeptIdBytes + 1];
  std::snprintf(id, sizeof id, "%016llx-%08x", static_cast<unsigned long long>(kept_at.value),
                static_cast<unsigned>(0xfffffff0u + second));
  KeptVersion made{
      {id},  DiskWorld::path(path), file_content(std::to_string(second), 1), {"node"}, kept_at,
      reason};
  made.content.owner = "airflow:airflow";
  return made;
}

}  // namespace

TEST_CASE("what was added comes back as it was, newest first, by path, conflict and digest") {
  KeptCatalogue catalogue;
  const KeptVersion old = version(1, "a.py");
  const KeptVersion lost = version(2, "a.py", Reason::kConflict);
  const KeptVersion young = version(3, "a.py", Reason::kDeleted);
  for (const KeptVersion& each : {young, old, lost, version(4, "b.py")})
    catalogue.add(each);
  CHECK(catalogue.of(DiskWorld::path("a.py")) == std::vector{young, lost, old});
  CHECK(catalogue.conflicts() == std::vector{lost});
  CHECK(catalogue.conflict_count() == 1);
  CHECK(catalogue.bytes() == 4 * kBlock);
  CHECK(catalogue.with_digest(lost.content.digest) == lost.id);
  CHECK(catalogue.of(DiskWorld::path("c.py")).empty());

  CHECK(catalogue.remove(lost.id));
  CHECK_FALSE(catalogue.remove(lost.id));
  CHECK_FALSE(catalogue.remove({"nonsense"}));
  CHECK(catalogue.of(DiskWorld::path("a.py")) == std::vector{young, old});
  CHECK(catalogue.conflicts().empty());
  CHECK_FALSE(catalogue.with_digest(lost.content.digest));
  CHECK(catalogue.bytes() == 3 * kBlock);
  CHECK(catalogue.remove(young.id));
  CHECK(catalogue.remove(old.id));
  CHECK(catalogue.of(DiskWorld::path("a.py")).empty());
}

TEST_CASE("of two versions with the same bytes one is left when the other one goes") {
  KeptCatalogue catalogue;
  KeptVersion twin = version(2, "b.py");
  twin.content = version(1, "a.py").content;
  catalogue.add(version(1, "a.py"));
  catalogue.add(twin);
  CHECK(catalogue.remove(version(1, "a.py").id));
  CHECK(catalogue.with_digest(twin.content.digest) == twin.id);
}

TEST_CASE("a symlink or a directory is nobody's bytes") {
  KeptCatalogue catalogue;
  KeptVersion link = version(1, "link");
  link.content = Content();
  link.content.kind = Kind::kSymlink;
  link.content.target = std::string("target");
  catalogue.add(link);
  CHECK(catalogue.of(link.path) == std::vector{link});
  CHECK_FALSE(catalogue.with_digest(link.content.digest));
}

TEST_CASE("the oldest go first, losers of conflicts last, and no more than must") {
  KeptCatalogue catalogue;
  const KeptVersion lost = version(1, "a.py", Reason::kConflict);
  const KeptVersion old = version(2, "b.py");
  const KeptVersion young = version(3, "a.py");
  for (const KeptVersion& each : {young, lost, old})
    catalogue.add(each);
  CHECK(catalogue.surplus(3 * kBlock).empty());
  CHECK(catalogue.surplus(3 * kBlock - 1) == Ids{old.id});
  CHECK(catalogue.surplus(2 * kBlock) == Ids{old.id});
  CHECK(catalogue.surplus(0) == Ids{old.id, young.id, lost.id});
}

TEST_CASE("outdated is what was kept until then, or takes more than the room alone") {
  KeptCatalogue catalogue;
  KeptVersion large = version(3, "large");
  large.content.size = 3 * kBlock;
  const KeptVersion old = version(1, "a.py");
  for (const KeptVersion& each : {old, version(2, "a.py"), large})
    catalogue.add(each);
  CHECK(catalogue.outdated(old.kept_at, 3 * kBlock) == Ids{old.id});
  CHECK(catalogue.outdated(UnixNanos{}, 2 * kBlock) == Ids{large.id});
}
