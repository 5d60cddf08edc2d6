#include "store/salvage.h"

#include <map>
#include <utility>

#include "store/authors.h"
#include "store/database.h"
#include "store/row_reader.h"

namespace dagsync {
namespace {

// From both ends: a page that is damaged ends a walk through the table.
constexpr const char* kForwards = "SELECT * FROM kept ORDER BY id";
constexpr const char* kBackwards = "SELECT * FROM kept ORDER BY id DESC";

}  // namespace

std::vector<KeptVersion> salvage_kept(const std::string& file) {
  auto opened = Database::open(file);
  if (!opened) return {};
  std::map<KeptId, KeptVersion> found;
  const Authors nobody(*opened);  // the catalogue names nodes, no authors
  for (const char* select : {kForwards, kBackwards}) {
    const auto statement = opened->prepared(select);
    if (!statement) break;
    while (opened->next(**statement).value_or(false)) {
      RowReader row(**statement, nobody);
      KeptVersion version = row.kept();
      const bool is_whole = row.is_sound() && !version.path.is_root();
      if (is_whole) found.insert_or_assign(version.id, std::move(version));
    }
  }
  opened->abandon();
  std::vector<KeptVersion> rows;
  for (auto& [id, version] : found)
    rows.push_back(std::move(version));
  return rows;
}

}  // namespace dagsync
