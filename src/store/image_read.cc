#include <map>
#include <utility>

#include "store/image.h"
#include "store/row_reader.h"

namespace dagsync {
namespace {

constexpr const char* kSelectMeta =
    "SELECT author, sequence, knowledge, withheld, floor_ns, alive_at_ns, clean, root_inode, "
    "root_file_system, root_marker, boot, paused_ns FROM meta";
constexpr const char* kCountEntries = "SELECT count(*) FROM entry";
constexpr const char* kSelectEntries = "SELECT * FROM entry ORDER BY path";
// 'intended' comes before 'old'.
constexpr const char* kSelectIntents = "SELECT * FROM intent ORDER BY path, side";
constexpr const char* kSelectIntentKept = "SELECT * FROM intent_kept ORDER BY intent";
constexpr const char* kSelectKept = "SELECT * FROM kept ORDER BY kept_at_ns, id";

Unexpected corrupt(const char* table) {
  return fail(ErrorCode::kCorrupt, std::string("index: a malformed row of ") + table);
}

// Calls `take` with each row; it returns whether the row fits to those before.
template <typename Take>
Status each_row(Database& database, const Authors& authors, const char* table, const char* select,
                Take take) {
  const auto statement = database.prepared(select);
  if (!statement) return tl::unexpected(statement.error());
  OwnerPool owners;
  while (true) {
    const auto row = database.next(**statement);
    if (!row) return tl::unexpected(row.error());
    if (!*row) break;
    RowReader reader(**statement, authors, &owners);
    if (!take(reader) || !reader.is_sound()) return corrupt(table);
  }
  (*statement)->restart();
  return {};
}

FolderMeta meta_of(RowReader& row) {
  FolderMeta meta;
  meta.author = row.author();
  meta.sequence = row.natural();
  meta.knowledge = row.knowledge();
  meta.withheld = row.knowledge();
  meta.floor.value = row.integer();
  meta.alive_at.value = row.integer();
  meta.clean = row.flag();
  meta.root.inode = row.natural();
  meta.root.file_system = row.natural();
  meta.root.marker = row.blob();
  meta.boot = row.blob();
  meta.paused_at.value = row.integer();
  return meta;
}

Status read_meta(Database& database, const Authors& authors, FolderMeta& meta) {
  int rows = 0;
  Status done = each_row(database, authors, "meta", kSelectMeta, [&](RowReader& row) {
    meta = meta_of(row);
    return ++rows == 1;
  });
  if (done && rows != 1) return corrupt("meta");
  return done;
}

Status read_entries(Database& database, const Authors& authors, FolderImage& image) {
  const auto count = database.integer(kCountEntries);
  if (!count) return tl::unexpected(count.error());
  image.entries.reserve(static_cast<std::size_t>(*count));
  return each_row(database, authors, "entry", kSelectEntries, [&](RowReader& row) {
    RelPath path = row.path();
    const bool in_order = image.entries.empty() || image.entries.back().first < path;
    IndexEntry entry = row.entry();
    image.entries.emplace_back(std::move(path), std::move(entry));
    return in_order;
  });
}

Status read_intents(Database& database, const Authors& authors, FolderImage& image) {
  Status done = each_row(database, authors, "intent", kSelectIntents, [&](RowReader& row) {
    RelPath path = row.path();
    const std::string side = row.text();
    IndexEntry entry = row.entry();
    if (side == "intended") {
      Change intended{path, std::move(entry.id), std::move(entry.record)};
      image.intents.push_back({std::move(path), std::move(intended), std::nullopt, std::nullopt});
      return true;
    }
    if (side != "old" || image.intents.empty() || image.intents.back().path != path) return false;
    image.intents.back().old = std::move(entry);
    return true;
  });
  if (!done) return done;
  auto intent = image.intents.begin();  // both in the order of paths
  return each_row(database, authors, "intent_kept", kSelectIntentKept, [&](RowReader& row) {
    const RelPath path = row.path();
    while (intent != image.intents.end() && intent->path < path)
      ++intent;
    if (intent == image.intents.end() || intent->path != path) return false;
    intent->kept = row.kept();
    return true;
  });
}

}  // namespace

Result<FolderImage> read_image(Database& database, const Authors& authors) {
  FolderImage image;
  Status done = read_meta(database, authors, image.meta);
  if (done && !image.meta.clean) {
    // Linear in the size of the file, so only where something may have gone wrong.
    const auto verdict = database.text("PRAGMA quick_check(1)");
    if (!verdict) return tl::unexpected(verdict.error());
    if (*verdict != "ok") return fail(ErrorCode::kCorrupt, "index: " + escape_bytes(*verdict));
  }
  if (done) done = read_entries(database, authors, image);
  if (done) done = read_intents(database, authors, image);
  if (done)
    done = each_row(database, authors, "kept", kSelectKept, [&](RowReader& row) {
      image.kept.push_back(row.kept());
      return true;
    });
  if (!done) return tl::unexpected(done.error());
  return image;
}

}  // namespace dagsync
