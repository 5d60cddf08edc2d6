#include <sys/stat.h>

#include <chrono>
#include <map>

#include "store/samples.h"

namespace dagsync {
namespace {

namespace fs = std::filesystem;

std::map<RelPath, IndexEntry> nasty_entries() {
  std::map<RelPath, IndexEntry> entries;
  entries[rel("plain.py")] = sample_entry("print()", 1);
  entries[rel("")] = sample_entry("", 2);  // the root
  entries[rel("\xff\xfe\n'\"; DROP TABLE entry;--\x01")] = sample_entry("x", 3);
  entries[rel("caf\xc3\xa9")] = sample_entry("x", 4);
  entries[rel(std::string(255, '\x80'))] = sample_entry("x", 5);
  entries[rel("a/b")] = sample_entry("x", 6);
  entries[rel("a.b")] = sample_entry("x", 7);

  IndexEntry gone{sample_record({}, 8), {kNode2, ~Sequence{0}}, {}};  // told of by a merger
  gone.record.version.raise(kNode1Again, ~Sequence{0});
  gone.record.version.raise(kNode2, std::uint64_t{1} << 63);
  entries[rel("gone")] = gone;

  IndexEntry link = sample_entry("", 9);
  link.record.content = {Kind::kSymlink, 0, 0, {}, {-5}, std::string("../\xff\n\\ target")};
  link.disk->type = FileType::kSymlink;
  entries[rel("link")] = link;

  IndexEntry directory = sample_entry("", 10);
  directory.record.content = {Kind::kDirectory, 02775, 0, {}, {}, {}, "alice:1234"};
  directory.record.seen = {};  // nothing seen, and no vector at all
  directory.record.version = {};
  directory.record.origin = {};
  directory.id = {};
  directory.disk = DiskState{.device = ~std::uint64_t{0},
                             .inode = ~std::uint64_t{0},
                             .size = ~std::uint64_t{0},
                             .mtime = {INT64_MIN},
                             .ctime = {INT64_MAX},
                             .mode = UINT16_MAX,
                             .type = FileType::kSpecial,
                             .racy = true,
                             .links = UINT32_MAX,
                             .user = UINT32_MAX - 1,
                             .group = 0};
  entries[rel("directory")] = directory;

  IndexEntry large = sample_entry("x", 11);
  large.record.content.size = ~std::uint64_t{0};
  for (std::uint64_t i = 0; i < 300; ++i)  // longer than a page
    large.record.version.raise({{"n" + std::to_string(i) + ".example.org"}, {i * i}}, ~i);
  entries[rel("large vector")] = large;
  return entries;
}

KeptVersion kept_version(const std::string& id, std::int64_t at, KeptVersion::Reason reason) {
  return {{id}, rel("d/\xff"), sample_entry("old", 1).record.content, {"node2"}, {at}, reason};
}

std::map<RelPath, IndexEntry> by_path(const FolderImage& image) {
  return {image.entries.begin(), image.entries.end()};
}

TEST_CASE("a new index holds nothing and is nobody's") {
  const StateDirectory state;
  const FolderImage image = state.load();
  CHECK(image.meta == FolderMeta{});
  CHECK(image.entries.empty());
  CHECK(image.intents.empty());
  CHECK(image.kept.empty());
  CHECK(image.set_aside.empty());
}

TEST_CASE("the state directory and the index are for their owner alone") {
  const StateDirectory state;
  const auto store = state.open();
  commit(*store, many_entries(1));
  for (const fs::path& path : {state.base() / "state", state.path()})
    CHECK((fs::status(path).permissions() & fs::perms::all) == fs::perms::owner_all);
  for (const char* name : {"index.db", "index.db-wal"})
    CHECK((fs::status(state.path() / name).permissions() & fs::perms::all) ==
          (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("entries come back as they were, in the order of their paths") {
  const StateDirectory state;
  const auto entries = nasty_entries();
  Transaction transaction;
  for (const auto& [path, entry] : entries)
    transaction.writes.emplace_back(Transaction::PutEntry{path, entry});
  commit(*state.open(), transaction);

  const FolderImage image = state.load();
  REQUIRE(image.entries.size() == entries.size());
  auto expected = entries.begin();
  for (const auto& [at, entry] : image.entries) {
    const RelPath& path = at;  // lambdas of clang 14 do not capture what was bound
    CAPTURE(display(path));
    CHECK(path == expected->first);
    CHECK(entry == expected->second);
    ++expected;
  }
}

TEST_CASE("the meta data come back as they were, knowledge with holes too") {
  const StateDirectory state;
  commit(*state.open(), {{Transaction::PutMeta{sample_meta()}}});
  CHECK(state.load().meta == sample_meta());
  FolderMeta other = sample_meta();
  other.knowledge = {};
  other.withheld = {};
  other.clean = false;
  other.root.marker = "";
  other.author = kNode1Again;
  commit(*state.open(), {{Transaction::PutMeta{other}}});
  CHECK(state.load().meta == other);
}

TEST_CASE("a store says before it is loaded whether the stop was a clean one") {
  const StateDirectory state;
  CHECK_FALSE(state.open()->stopped_cleanly());  // there was none
  for (const bool clean : {true, false}) {
    FolderMeta meta = sample_meta();
    meta.clean = clean;
    commit(*state.open(), {{Transaction::PutMeta{meta}}});
    CHECK(state.open()->stopped_cleanly() == clean);
  }
}

TEST_CASE("intents come back whole, with what the old content becomes") {
  const StateDirectory state;
  const auto entries = nasty_entries();
  const auto intended = [&](std::string_view path, Sequence sequence) {
    return Change{rel(path), {kNode2, sequence}, entries.at(rel("gone")).record};
  };
  const KeptVersion kept =
      kept_version("0000000000000011-000000aa", 5, KeptVersion::Reason::kConflict);
  const Intent all{rel("a/b"), intended("a/b", 3), entries.at(rel("link")), kept};
  const Intent fresh{rel("a"), intended("a", ~Sequence{0}), {}, {}};
  const Intent replacing{rel("\xff"), intended("\xff", 1), entries.at(rel("directory")), {}};
  const auto store = state.open();
  commit(*store, {{Transaction::PutIntent{{rel("a/b"), intended("a/b", 1), {}, {}}},
                   Transaction::PutIntent{replacing}, Transaction::PutIntent{fresh},
                   Transaction::PutIntent{all}}});
  CHECK(store->load()->intents == std::vector{fresh, all, replacing});

  commit(*store,
         {{Transaction::ClearIntent{rel("a/b")}, Transaction::ClearIntent{rel("unknown")}}});
  CHECK(store->load()->intents == std::vector{fresh, replacing});
  commit(*store, {{Transaction::PutIntent{{rel("a/b"), intended("a/b", 1), {}, {}}}}});
  CHECK_FALSE(store->load()->intents[1].kept.has_value());  // not that of the intent before
  commit(*store, {{Transaction::PutIntent{all}}});
  CHECK(store->load()->intents[1] == all);
  commit(*store, {{Transaction::PutIntent{{rel("a/b"), intended("a/b", 1), {}, {}}}}});
  CHECK_FALSE(store->load()->intents[1].old.has_value());  // though that one was not cleared
  CHECK_FALSE(store->load()->intents[1].kept.has_value());
}

TEST_CASE("kept versions come back oldest first") {
  const StateDirectory state;
  const KeptVersion oldest =
      kept_version("00000000000000ff-000000aa", -7, KeptVersion::Reason::kDeleted);
  const KeptVersion older =
      kept_version("0000000000000011-000000bb", 1000, KeptVersion::Reason::kReplaced);
  const KeptVersion newer =
      kept_version("0000000000000011-000000cc", 1000, KeptVersion::Reason::kConflict);
  const auto store = state.open();
  commit(*store, {{Transaction::PutKept{newer}, Transaction::PutKept{oldest},
                   Transaction::PutKept{older}, Transaction::PutKept{older}}});
  CHECK(store->load()->kept == std::vector{oldest, older, newer});
  commit(*store, {{Transaction::DropKept{older.id}, Transaction::DropKept{{"unknown"}}}});
  CHECK(store->load()->kept == std::vector{oldest, newer});
}

TEST_CASE("a later write of a transaction and a later transaction replace an earlier one") {
  const StateDirectory state;
  const IndexEntry first = sample_entry("first", 1);
  IndexEntry second = sample_entry("second", 2);
  second.disk.reset();
  {
    const auto store = state.open();
    commit(*store, {{Transaction::PutEntry{rel("a"), first}, Transaction::PutEntry{rel("b"), first},
                     Transaction::PutEntry{rel("b"), second},
                     Transaction::PutEntry{rel("c"), first}, Transaction::DropEntry{rel("c")}}});
    commit(*store, {{Transaction::DropEntry{rel("a")}, Transaction::DropEntry{rel("unknown")}}});
  }
  CHECK(by_path(state.load()) == std::map<RelPath, IndexEntry>{{rel("b"), second}});
}

TEST_CASE("ten thousand entries load fast") {
  const StateDirectory state;
  commit(*state.open(), many_entries(10'000));
  const auto begin = std::chrono::steady_clock::now();
  const FolderImage image = state.load();
  const auto took = std::chrono::steady_clock::now() - begin;
  CHECK(image.entries.size() == 10'000);
  CHECK(took < std::chrono::seconds(2));  // much of it, for a sanitizer on a busy machine
  CHECK(fs::file_size(state.index()) < 10'000 * 250);
}

}  // namespace
}  // namespace dagsync
