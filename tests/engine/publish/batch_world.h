// A folder, and a batch that is published in it in one step.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/record_samples.h"
#include "dagsync/engine/publish/publish_batch.h"
#include "posix/disk_world.h"
#include "support/memory_store.h"
#include "support/noting_disk.h"

namespace dagsync {

using Names = std::vector<std::string>;

inline constexpr std::int64_t kTime = 1'600'000'000'123'456'789;

struct BatchWorld {
  DiskWorld real;
  std::vector<std::string> diary;
  NotingDisk disk{real.disk(), diary};
  MemoryStore store{&diary};
  IgnoreRules rules;
  PublishBatch batch;
  PublishResults results;
  int kept = 0;

  // What stands at the path is what the index has there.
  IndexEntry entry_of(const std::string& name, Content content) {
    const auto state = real.look(name);
    REQUIRE(state.has_value());
    if (content.kind == Kind::kFile) content.mtime = state->mtime;
    const Record record = edit("a", 1, content, kTime);
    return {record, record.origin, state};
  }
  PublishItem& add(const std::string& name, const Content& content,
                   std::optional<IndexEntry> old = std::nullopt) {
    PublishItem item;
    item.path = DiskWorld::path(name);
    const Record record = edit("b", 1, content, kTime, old ? &old->record : nullptr);
    item.change = {item.path, record.origin, record};
    if (old && old->record.is_live() && old->record.content.kind != Kind::kDirectory) {
      item.kept = KeptVersion{kept_id(++kept), item.path, old->record.content,
                              {"a"},           {kTime},   KeptVersion::Reason::kReplaced};
    }
    item.there = old;
    item.old = std::move(old);
    batch.items.push_back(std::move(item));
    return batch.items.back();
  }
  void add_file(const std::string& name, const std::string& bytes,
                std::optional<IndexEntry> old = std::nullopt) {
    add(name, file_content(bytes, kTime), std::move(old)).bytes = bytes;
  }
  IndexEntry make_file(const std::string& name, const std::string& bytes) {
    real.write(name, bytes);
    return entry_of(name, file_content(bytes, 0));
  }
  IndexEntry make_directory(const std::string& name) {
    real.mkdir(name);
    return entry_of(name, directory_content(0755));
  }
  void run() {
    const Disk::Disposable disposable = [this](const RelPath& path, FileType type) {
      return rules.is_built_in_ignored(path, type == FileType::kDirectory);
    };
    diary.clear();
    results = publish(disk, store, disposable, batch);
    for (PublishItem& item : batch.items)
      item.bytes = {};
    CHECK(real.leftovers().empty());
  }
  [[nodiscard]] bool is_done(std::size_t i) const {
    return results.items[i].published &&
           results.items[i].published->outcome == PublishOutcome::kDone;
  }
  [[nodiscard]] std::string all_done() const {
    for (const PublishResult& item : results.items) {
      if (!item.published) return item.path.bytes() + ": " + item.published.error().message;
      if (item.published->outcome != PublishOutcome::kDone) return item.path.bytes();
    }
    return "";
  }
  [[nodiscard]] Names steps() const { return {diary.begin() + 1, diary.end()}; }
};

}  // namespace dagsync
