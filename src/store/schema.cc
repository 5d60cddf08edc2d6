// Times are UTC nanoseconds. Numbers without a sign stand as SQLite's signed ones with the same 64
// bits. An author is a number of the table `author`; "3:17,4:2" is a version vector and
// "3:1-17,19-20 4:1-2" knowledge, in those numbers. A name is a BLOB, since any byte may be in it.
#include "store/schema.h"

#include <cstdint>
#include <iterator>

#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

constexpr std::int64_t kApplicationId = 0x64616773;  // "dags", shown by file(1)

// What a row of `entry` and of `intent` both hold, in the order of RowWriter::entry(); what a
// migration has added comes after it.
#define DAGSYNC_ENTRY_COLUMNS                                                           \
  "kind TEXT NOT NULL, mode INTEGER NOT NULL, size INTEGER NOT NULL, digest BLOB, "     \
  "mtime_ns INTEGER NOT NULL, target BLOB, stamp_ns INTEGER NOT NULL, "                 \
  "origin_author INTEGER, origin_sequence INTEGER NOT NULL, "                           \
  "seen TEXT, " /* NULL: the same as version */                                         \
  "version TEXT NOT NULL, change_author INTEGER, change_sequence INTEGER NOT NULL, "    \
  "disk_type TEXT, " /* NULL: nothing stands there */                                   \
  "disk_device INTEGER, disk_inode INTEGER, disk_size INTEGER, disk_mtime_ns INTEGER, " \
  "disk_ctime_ns INTEGER, disk_mode INTEGER, disk_links INTEGER, disk_racy INTEGER, "

// The same for `kept` and `intent_kept`, in the order of RowWriter::kept().
#define DAGSYNC_KEPT_COLUMNS                                                          \
  "id TEXT NOT NULL, path BLOB NOT NULL, kind TEXT NOT NULL, mode INTEGER NOT NULL, " \
  "size INTEGER NOT NULL, digest BLOB, mtime_ns INTEGER NOT NULL, target BLOB, "      \
  "origin TEXT NOT NULL, kept_at_ns INTEGER NOT NULL, reason TEXT NOT NULL, "

// Of `table`, the numbers of this machine; NULL: nobody looked.
#define DAGSYNC_ADD_DISK_OWNER(table) \
  "ALTER TABLE " table                \
  " ADD COLUMN disk_user INTEGER;"    \
  "ALTER TABLE " table " ADD COLUMN disk_group INTEGER;"

// Each brings the tables from its place in the list to the next version. Never change one that was
// released: add another.
constexpr const char* kMigrations[] = {
    "CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), author INTEGER,"
    "  sequence INTEGER NOT NULL, knowledge TEXT NOT NULL, withheld TEXT NOT NULL,"
    "  floor_ns INTEGER NOT NULL, alive_at_ns INTEGER NOT NULL, clean INTEGER NOT NULL,"
    "  root_inode INTEGER NOT NULL, root_file_system INTEGER NOT NULL, root_marker BLOB NOT NULL,"
    "  durable_commits INTEGER NOT NULL) STRICT;"
    "INSERT INTO meta VALUES (1, NULL, 0, '', '', 0, 0, 0, 0, 0, x'', 0);"
    "CREATE TABLE author (number INTEGER PRIMARY KEY, node TEXT NOT NULL, epoch TEXT NOT NULL,"
    "  UNIQUE (node, epoch)) STRICT;"
    "CREATE TABLE entry (path BLOB NOT NULL, " DAGSYNC_ENTRY_COLUMNS
    "  PRIMARY KEY (path)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE intent (path BLOB NOT NULL, side TEXT NOT NULL, " DAGSYNC_ENTRY_COLUMNS
    "  PRIMARY KEY (path, side)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE intent_kept (intent BLOB NOT NULL, " DAGSYNC_KEPT_COLUMNS
    "  PRIMARY KEY (intent)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE kept (" DAGSYNC_KEPT_COLUMNS
    "  PRIMARY KEY (id)) STRICT, WITHOUT ROWID;"
    // For people.
    "CREATE VIEW files AS SELECT CAST(path AS TEXT) AS path, kind, printf('%04o', mode) AS mode,"
    "  size, datetime(mtime_ns / 1000000000, 'unixepoch') AS mtime, lower(hex(digest)) AS digest,"
    "  version FROM entry WHERE kind <> 'deleted';",
    "ALTER TABLE meta ADD COLUMN boot BLOB NOT NULL DEFAULT x'';",
    "ALTER TABLE meta ADD COLUMN paused_ns INTEGER NOT NULL DEFAULT 0;",
    // "user:group"; NULL: nobody has told.
    "ALTER TABLE entry ADD COLUMN owner BLOB;" DAGSYNC_ADD_DISK_OWNER("entry")
    "ALTER TABLE intent ADD COLUMN owner BLOB;" DAGSYNC_ADD_DISK_OWNER("intent")
    "ALTER TABLE kept ADD COLUMN owner BLOB;"
    "ALTER TABLE intent_kept ADD COLUMN owner BLOB;",
};
constexpr std::int64_t kSchemaVersion = std::size(kMigrations);

// The connection belongs to this process from the first access on, so that the WAL's index is in
// plain memory and a second daemon is refused. All in all it takes less than 1 MiB.
constexpr const char* kAlone = "PRAGMA locking_mode = EXCLUSIVE";
constexpr const char* kSettings =
    "PRAGMA synchronous = FULL;"
    "PRAGMA cache_size = -512;"             // KiB
    "PRAGMA mmap_size = 0;"                 // an I/O error is then an error, not a signal
    "PRAGMA wal_autocheckpoint = 1000;"     // pages: 4 MiB
    "PRAGMA journal_size_limit = 8388608;"  // bytes that a WAL keeps after a checkpoint
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cell_size_check = ON;"
    "PRAGMA trusted_schema = OFF";

// The pages after which there is a checkpoint, with a header of 24 bytes each, and some more: the
// commit that reaches them is not cut in two (https://www.sqlite.org/fileformat2.html#walformat).
constexpr std::int64_t kLogBytes = 1100 * (4096 + 24);

// Whether this is ours to touch; decided before anything is written to it.
Result<std::int64_t> recognise(Database& database, const std::string& file) {
  auto application = database.integer("PRAGMA application_id");
  if (!application) return application;
  auto version = database.integer("PRAGMA user_version");
  if (!version) return version;
  auto tables = database.integer("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables;
  const bool empty = *application == 0 && *version == 0 && *tables == 0;
  if (!empty && *application != kApplicationId)
    return fail(ErrorCode::kRefused, "index " + escape_bytes(file) +
                                         ": a database, but not of dagsync: move it away or name "
                                         "another state_dir");
  if (*version < 0 || (*version == 0 && !empty))
    return fail(ErrorCode::kCorrupt, "index " + escape_bytes(file) + ": no schema version");
  if (*version > kSchemaVersion)
    return fail(ErrorCode::kRefused,
                "index " + escape_bytes(file) + ": written by a newer dagsync (schema " +
                    std::to_string(*version) + ", this one knows " +
                    std::to_string(kSchemaVersion) +
                    "): install that version again, or move the file away to begin anew");
  return version;
}

Status migrate(Database& database, std::int64_t version) {
  for (; version < kSchemaVersion; ++version) {
    const std::string step = std::string("BEGIN IMMEDIATE;") + kMigrations[version] +
                             "PRAGMA application_id = " + std::to_string(kApplicationId) +
                             ";PRAGMA user_version = " + std::to_string(version + 1) + ";COMMIT";
    if (Status done = database.run(step.c_str()); !done) return done;
  }
  return {};
}

}  // namespace

Status set_up(Database& database, const std::string& file) {
  if (Status alone = database.run(kAlone); !alone) return alone;
  const auto version = recognise(database, file);
  if (!version) return tl::unexpected(version.error());
  const auto mode = database.text("PRAGMA journal_mode = WAL");
  if (!mode) return tl::unexpected(mode.error());
  if (*mode != "wal")
    return fail(ErrorCode::kUnsupported,
                "index " + escape_bytes(file) +
                    ": no write-ahead log possible there: name a state_dir "
                    "on a local file system");
  if (Status set = database.run(kSettings); !set) return set;
  if (Status migrated = migrate(database, *version); !migrated) return migrated;
  database.reserve_log(kLogBytes);
  return {};
}

}  // namespace dagsync
