// A state directory that goes away with the test, and rows with nasty values in them.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "dagsync/base/log.h"
#include "store/sqlite_store.h"

namespace dagsync {

class StateDirectory {
 public:
  StateDirectory() {
    log::set_level(log::Level::kOff);  // every index that is set aside says so
    std::string name = (std::filesystem::temp_directory_path() / "dagsync-store-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    base_ = name;
  }
  ~StateDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(base_, ignored);
  }
  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;

  [[nodiscard]] std::filesystem::path base() const { return base_; }
  [[nodiscard]] std::filesystem::path path() const { return base_ / "state/dags"; }
  [[nodiscard]] std::filesystem::path index() const { return path() / "index.db"; }

  [[nodiscard]] std::unique_ptr<SqliteStore> open() const {
    auto opened = SqliteStore::open(path().string());
    if (!opened) FAIL(opened.error().message);
    return std::move(*opened);
  }
  [[nodiscard]] FolderImage load() const {
    auto image = open()->load();
    if (!image) FAIL(image.error().message);
    return std::move(*image);
  }

 private:
  std::filesystem::path base_;
};

inline RelPath rel(std::string_view bytes) {
  return bytes.empty() ? RelPath() : *RelPath::parse(bytes);
}

inline const AuthorId kNode1{{"node1"}, {0xfedcba9876543210}};  // beyond a signed number
inline const AuthorId kNode1Again{{"node1"}, {7}};
inline const AuthorId kNode2{{"node2.example.org"}, {~std::uint64_t{0}}};

inline Record sample_record(Content content, Sequence sequence) {
  Record record;
  record.content = std::move(content);
  record.stamp = {1'700'000'000'123'456'789};
  record.origin = {kNode1, sequence};
  record.seen.raise(kNode1, sequence);
  record.version = record.seen;
  return record;
}

inline IndexEntry sample_entry(std::string_view text, Sequence sequence) {
  const Content content{
      Kind::kFile, 0640, text.size(), digest_of(text), {1'600'000'000'000'000'001}, {}};
  const DiskState disk{.device = 2049,
                       .inode = 1234567,
                       .size = text.size(),
                       .mtime = content.mtime,
                       .ctime = {1'600'000'000'000'000'002},
                       .mode = 0640,
                       .type = FileType::kFile,
                       .links = 1};
  return {sample_record(content, sequence), {kNode1, sequence}, disk};
}

// An entry a directory and file, as in a folder of DAGs.
inline Transaction many_entries(int count) {
  Transaction transaction;
  for (int i = 0; i < count; ++i) {
    const std::string name = "team" + std::to_string(i / 40) + "/dag" + std::to_string(i) + ".py";
    transaction.writes.emplace_back(
        Transaction::PutEntry{rel(name), sample_entry(name, static_cast<Sequence>(i) + 1)});
  }
  return transaction;
}

inline void commit(SqliteStore& store, Transaction transaction,
                   Durability durability = Durability::kLazy) {
  const Status done = store.commit(transaction, durability);
  if (!done) FAIL(done.error().message);
}

inline FolderMeta sample_meta() {
  FolderMeta meta;
  meta.author = kNode1;
  meta.sequence = ~Sequence{0} - 1;
  meta.knowledge.add(kNode1, {1, ~Sequence{0} - 1});
  meta.knowledge.add(kNode2, {1, 17});
  meta.knowledge.add(kNode2, {19, 19});
  meta.knowledge.add(kNode2, {std::uint64_t{1} << 63, (std::uint64_t{1} << 63) + 5});
  meta.withheld.add(kNode1Again, {3, 4});
  meta.floor = {-1};
  meta.alive_at = {1'700'000'000'000'000'000};
  meta.clean = true;
  meta.boot = "3f0c";
  meta.paused_at = {1'700'000'000'000'000'001};
  meta.root = {~std::uint64_t{0}, std::uint64_t{1} << 63, std::string("\0mark\xff", 6)};
  return meta;
}

}  // namespace dagsync
