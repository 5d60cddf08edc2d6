#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "store/samples.h"
#include "support/files.h"

namespace dagsync {
namespace {

namespace fs = std::filesystem;

void overwrite(const fs::path& file, std::uintmax_t offset, std::uintmax_t count) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  REQUIRE(stream.seekp(static_cast<std::streamoff>(offset)).good());
  stream << std::string(static_cast<std::size_t>(count), '\xa5') << std::flush;
  REQUIRE(stream.good());
}

void run_sql(const fs::path& file, const std::string& sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &database) == SQLITE_OK);
  const int code = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
  const std::string message = sqlite3_errmsg(database);
  sqlite3_close(database);
  INFO(sql, ": ", message);
  REQUIRE(code == SQLITE_OK);
}

// An index with some of everything, as a clean stop leaves it, or an unclean one.
void fill(const StateDirectory& state, bool clean = true) {
  const auto store = state.open();
  commit(*store, many_entries(2000));
  FolderMeta meta = sample_meta();
  meta.clean = clean;
  const IndexEntry entry = sample_entry("x", 1);
  const KeptVersion kept{
      {"0000000000000001-0000000a"}, rel("a"), entry.record.content, {"n"}, {1}, {}};
  commit(*store,
         {{Transaction::PutMeta{meta}, Transaction::PutKept{kept},
           Transaction::PutIntent{{rel("a"), {rel("a"), entry.id, entry.record}, entry, kept}}}});
}

void check_set_aside(const StateDirectory& state) {
  const auto store = state.open();
  const auto image = store->load();
  REQUIRE(image.has_value());
  CHECK(image->set_aside.starts_with(state.index().string() + ".corrupt-2"));
  CHECK(fs::exists(image->set_aside));
  CHECK(image->meta == FolderMeta{});
  CHECK(image->entries.empty());
  CHECK(image->intents.empty());
  CHECK(image->kept.size() <= 1);  // what could be read of the catalogue
  commit(*store, many_entries(3), Durability::kDurable);
  CHECK(store->load()->entries.size() == 3);
}

TEST_CASE("a damaged index is set aside, and a new one begins") {
  struct Row {
    std::string what;
    std::function<void(const fs::path&, std::uintmax_t)> damage;
  };
  const Row rows[] = {
      {"garbage", [](const fs::path& file, std::uintmax_t size) { overwrite(file, 0, size); }},
      {"a damaged header", [](const fs::path& file, std::uintmax_t) { overwrite(file, 0, 40); }},
      {"a damaged schema",
       [](const fs::path& file, std::uintmax_t) { overwrite(file, 100, 3000); }},
      {"bytes overwritten in the middle",
       [](const fs::path& file, std::uintmax_t size) { overwrite(file, size / 2, 8192); }},
      {"cut in half",
       [](const fs::path& file, std::uintmax_t size) { fs::resize_file(file, size / 2); }},
      {"cut to a few bytes",
       [](const fs::path& file, std::uintmax_t) { fs::resize_file(file, 700); }},
      {"cut to nothing beside a log",
       [](const fs::path& file, std::uintmax_t) {
         fs::resize_file(file, 0);
         std::ofstream(file.string() + "-wal") << std::string(5000, 'x');
       }},
  };
  for (const Row& row : rows) {
    for (const bool clean : {true, false}) {
      CAPTURE(row.what);
      CAPTURE(clean);
      const StateDirectory state;
      fill(state, clean);
      row.damage(state.index(), fs::file_size(state.index()));
      check_set_aside(state);
    }
  }
}

TEST_CASE("a row that cannot be what was written makes the index corrupt") {
  const char* rows[] = {
      "DELETE FROM meta",
      "DELETE FROM author WHERE number = 1",
      "UPDATE author SET epoch = 'fedcba987654321g' WHERE number = 1",
      "UPDATE author SET epoch = '12' WHERE number = 1",
      "UPDATE meta SET knowledge = '1:5-4'",
      "UPDATE meta SET knowledge = '1:1-4,5-6'",
      "UPDATE meta SET knowledge = '1:1-4,2-6'",
      "UPDATE meta SET knowledge = '1:1-4 '",
      "UPDATE meta SET knowledge = '1:1'",
      "UPDATE meta SET knowledge = '999:1-2'",
      "UPDATE meta SET knowledge = '1:1-99999999999999999999'",
      "UPDATE meta SET withheld = 'x'",
      "UPDATE meta SET author = 999",
      "UPDATE meta SET clean = 2",
      "UPDATE entry SET path = x'2e2e2f78' WHERE path = CAST('team0/dag0.py' AS BLOB)",
      "UPDATE entry SET kind = 'socket' WHERE path = CAST('team0/dag0.py' AS BLOB)",
      "UPDATE entry SET mode = -1 WHERE path = CAST('team0/dag0.py' AS BLOB)",
      "UPDATE entry SET digest = x'00' WHERE path = CAST('team0/dag0.py' AS BLOB)",
      "UPDATE entry SET version = '1:' WHERE path = CAST('team0/dag0.py' AS BLOB)",
      "UPDATE entry SET version = '1:0' WHERE path = CAST('team0/dag0.py' AS BLOB)",
      "UPDATE entry SET version = '1:2,' WHERE path = CAST('team0/dag0.py' AS BLOB)",
      "UPDATE entry SET version = '0:2' WHERE path = CAST('team0/dag0.py' AS BLOB)",
      "UPDATE entry SET seen = '-1:2' WHERE path = CAST('team0/dag0.py' AS BLOB)",
      "UPDATE entry SET disk_racy = NULL WHERE path = CAST('team0/dag0.py' AS BLOB)",
      "UPDATE entry SET origin_author = 999 WHERE path = CAST('team0/dag0.py' AS BLOB)",
      "UPDATE intent SET side = 'other' WHERE side = 'old'",
      "DELETE FROM intent WHERE side = 'intended'",
      "DELETE FROM intent",
      "UPDATE kept SET reason = 'bored'",
      "UPDATE kept SET id = 'nonsense'",
      "DROP TABLE kept",
  };
  for (const char* sql : rows) {
    CAPTURE(sql);
    const StateDirectory state;
    fill(state);
    run_sql(state.index(), sql);
    check_set_aside(state);
  }
}

TEST_CASE("of a damaged index the catalogue of kept versions is read as far as it goes") {
  const StateDirectory state;
  std::vector<KeptVersion> all;
  {
    const auto store = state.open();
    commit(*store, many_entries(2000));
    Transaction rows;
    for (int i = 0; i < 500; ++i) {
      const std::string path = "team/dag" + std::to_string(i) + ".py";
      all.push_back({{fmt::format("{:016x}-0000000a", 1'000'000 + i)},
                     rel(path),
                     sample_entry(path, 1).record.content,
                     {"n"},
                     {1'000'000 + i},
                     i % 2 == 0 ? KeptVersion::Reason::kConflict : KeptVersion::Reason::kDeleted});
      rows.writes.emplace_back(Transaction::PutKept{all.back()});
    }
    commit(*store, rows);
  }
  SUBCASE("all of it, where the damage lies elsewhere") {
    run_sql(state.index(), "UPDATE entry SET kind = 'socket'");
    CHECK(state.open()->load()->kept == all);
    CHECK(state.open()->load()->kept == all);  // it stands in the new index now
  }
  SUBCASE("all but the rows that cannot be what was written") {
    run_sql(state.index(), "UPDATE kept SET reason = 'bored' WHERE kept_at_ns = 1000007");
    all.erase(all.begin() + 7);
    CHECK(state.open()->load()->kept == all);
  }
  SUBCASE("most of it, from both ends, where a page in its middle is damaged") {
    run_sql(state.index(), "VACUUM");
    const std::string bytes = read_file(state.index());
    const auto middle = bytes.find(all[250].id.value);
    REQUIRE(middle != std::string::npos);
    overwrite(state.index(), middle / 4096 * 4096, 4096);
    run_sql(state.index(), "UPDATE meta SET clean = 0");
    const auto image = state.open()->load();
    CHECK(image->set_aside != "");
    CHECK(image->kept.size() > 350);
    CHECK(image->kept.size() < 500);
    CHECK(image->kept.front() == all.front());
    CHECK(image->kept.back() == all.back());
  }
}

TEST_CASE("indexes that are set aside within a second all stay") {
  const StateDirectory state;
  for (int i = 0; i < 3; ++i) {
    fill(state);
    overwrite(state.index(), 0, 100);
    check_set_aside(state);
  }
  int aside = 0;
  for (const auto& file : fs::directory_iterator(state.path()))
    aside += file.path().filename().string().starts_with("index.db.corrupt-") ? 1 : 0;
  CHECK(aside == 3);
}

TEST_CASE("damage met by a commit is an error, and so is every commit after it") {
  const StateDirectory state;
  fill(state);
  {
    const auto store = state.open();
    REQUIRE(store->load()->entries.size() == 2000);
    overwrite(state.index(), 4096, fs::file_size(state.index()) - 4096);
    const Status done = store->commit(many_entries(2000), Durability::kLazy);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().code == ErrorCode::kCorrupt);
    const Status next = store->commit({}, Durability::kLazy);
    REQUIRE_FALSE(next.has_value());
    CHECK(next.error().code == ErrorCode::kCorrupt);
  }
  check_set_aside(state);
}

TEST_CASE("an index of a newer dagsync is refused and left as it is") {
  const StateDirectory state;
  fill(state);
  run_sql(state.index(), "PRAGMA user_version = 77");
  const auto opened = SqliteStore::open(state.path().string());
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == ErrorCode::kRefused);
  const std::string& said = opened.error().message;
  CHECK(said.find(state.index().string() + ": written by a newer dagsync (schema 77, this one "
                                           "knows 4): install that version again") !=
        std::string::npos);
  run_sql(state.index(), "PRAGMA user_version = 4");
  CHECK(state.load().entries.size() == 2000);
}

constexpr const char* kWithoutOwners =
    "ALTER TABLE entry DROP COLUMN owner; ALTER TABLE entry DROP COLUMN disk_user;"
    "ALTER TABLE entry DROP COLUMN disk_group; ALTER TABLE intent DROP COLUMN owner;"
    "ALTER TABLE intent DROP COLUMN disk_user; ALTER TABLE intent DROP COLUMN disk_group;"
    "ALTER TABLE kept DROP COLUMN owner; ALTER TABLE intent_kept DROP COLUMN owner;";

TEST_CASE("an index of the first schema is brought forward, with all that it holds") {
  const StateDirectory state;
  fill(state);
  const FolderMeta before = state.load().meta;
  run_sql(state.index(),
          std::string(kWithoutOwners) +
              "ALTER TABLE meta DROP COLUMN paused_ns; ALTER TABLE meta DROP COLUMN boot;"
              "PRAGMA user_version = 1");
  const FolderImage image = state.load();
  CHECK(image.entries.size() == 2000);
  CHECK(image.set_aside.empty());
  CHECK(image.meta.sequence == before.sequence);
  CHECK(image.meta.boot.empty());
}

TEST_CASE("an index of the second schema is brought forward, and was not paused") {
  const StateDirectory state;
  fill(state);
  FolderMeta before = state.load().meta;
  run_sql(state.index(), std::string(kWithoutOwners) +
                             "ALTER TABLE meta DROP COLUMN paused_ns; PRAGMA user_version = 2");
  before.paused_at = {};
  const FolderImage image = state.load();
  CHECK(image.entries.size() == 2000);
  CHECK(image.meta == before);
}

TEST_CASE("an index of the third schema is brought forward, and knows no owner") {
  const StateDirectory state;
  IndexEntry owned = sample_entry("a", 1);
  owned.record.content.owner = "alice:users";
  owned.disk->user = 1000;
  owned.disk->group = 0;
  KeptVersion kept{
      {"0000000000000011-000000aa"}, rel("b"), owned.record.content, {"node2"}, {7}, {}};
  const Intent intent{rel("c"), {rel("c"), {kNode2, 1}, owned.record}, owned, kept};
  commit(*state.open(), {{Transaction::PutEntry{rel("a"), owned}, Transaction::PutKept{kept},
                          Transaction::PutIntent{intent}}});
  FolderImage image = state.load();
  CHECK(image.entries.front().second == owned);
  CHECK(image.kept.front() == kept);
  CHECK(image.intents.front() == intent);

  run_sql(state.index(), std::string(kWithoutOwners) + "PRAGMA user_version = 3");
  image = state.load();
  CHECK(image.set_aside.empty());
  for (IndexEntry* entry : {&image.entries.front().second, &*image.intents.front().old}) {
    CHECK(*entry != owned);
    CHECK(entry->record.content.owner->empty());
    CHECK(entry->disk->user == kNobody);
    CHECK(entry->disk->group == kNobody);
    entry->record.content.owner = owned.record.content.owner;
    entry->disk = owned.disk;
    CHECK(*entry == owned);  // all else is as it was
  }
  CHECK(image.kept.front().content.owner->empty());
  CHECK(image.intents.front().kept->content.owner->empty());
}

TEST_CASE("a database that is not dagsync's is refused and left as it is") {
  const StateDirectory state;
  fs::create_directories(state.path());
  run_sql(state.index(), "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
  const auto opened = SqliteStore::open(state.path().string());
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == ErrorCode::kRefused);
  run_sql(state.index(), "DELETE FROM theirs");
}

TEST_CASE("an index that another process has open is refused") {
  const StateDirectory state;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();  // before the parent opens it: locks know processes
  REQUIRE(child >= 0);
  if (child == 0) {
    char go = 0;
    if (::read(ready[0], &go, 1) != 1) ::_exit(10);
    const auto opened = SqliteStore::open(state.path().string());
    if (opened) ::_exit(11);
    const bool named = opened.error().message.find("another process") != std::string::npos;
    ::_exit(opened.error().code == ErrorCode::kUnavailable && named ? 0 : 12);
  }
  {
    const auto store = state.open();
    REQUIRE(::write(ready[1], "x", 1) == 1);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    commit(*store, many_entries(1));
    const auto again = SqliteStore::open(state.path().string());  // nor by this one
    REQUIRE_FALSE(again.has_value());
    CHECK(again.error().code == ErrorCode::kUnavailable);
  }
  ::close(ready[0]);
  ::close(ready[1]);
  CHECK(state.load().entries.size() == 1);
}

TEST_CASE("a state directory that cannot be used is refused with the reason") {
  const StateDirectory state;
  fs::create_directories(state.path());
  ErrorCode expected{};
  SUBCASE("a file stands there") {
    fs::remove(state.path());
    std::ofstream(state.path()) << "x";
    expected = ErrorCode::kInvalid;
  }
  SUBCASE("a file stands above it") {
    fs::remove_all(state.base() / "state");
    std::ofstream(state.base() / "state") << "x";
    expected = ErrorCode::kNotFound;
  }
  SUBCASE("it is another user's, or not writable") {
    if (::geteuid() == 0)
      REQUIRE(::chown(state.path().c_str(), 12345, 12345) == 0);
    else
      fs::permissions(state.path(), fs::perms::owner_read | fs::perms::owner_exec);
    expected = ErrorCode::kPermission;
  }
  const auto opened = SqliteStore::open(state.path().string());
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == expected);
  CHECK(opened.error().message.find(state.path().string().substr(0, 20)) != std::string::npos);
}

}  // namespace
}  // namespace dagsync
