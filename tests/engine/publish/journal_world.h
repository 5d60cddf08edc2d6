// A journal, its clock, its workers and a diary of what it does to the disk and the store.
#pragma once

#include "dagsync/engine/publish/journal.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "posix/disk_world.h"
#include "support/fake_clock.h"
#include "support/inline_worker.h"
#include "support/memory_store.h"
#include "support/noting_disk.h"
#include "support/paths.h"

namespace dagsync {

using Diary = std::vector<std::string>;

inline const AuthorId kJournalAuthor{{"b"}, {1}};

struct JournalWorld {
  DiskWorld disk_world;
  Diary diary;
  FakeClock clock;
  InlineWorker worker;
  MemoryStore store{&diary};
  NotingDisk disk{disk_world.disk(), diary};
  Knowledge known;  // what the folder would say
  Knowledge durable;
  int failures = 0;
  Lane lane = worker.new_lane();
  bool is_spreading = false;
  bool is_publishing = false;
  Journal journal{clock,
                  worker,
                  lane,
                  disk,
                  store,
                  {[this] {
                     FolderMeta meta;
                     meta.clean = true;
                     meta.knowledge = known;
                     return meta;
                   },
                   [this](const Knowledge& knowledge) { durable.add(knowledge); },
                   [this](const Error&) { ++failures; }, [this] { return is_spreading; },
                   [this] { return is_publishing; }}};

  void put(const std::string& name) {
    journal.write(Transaction::PutEntry{path(name), IndexEntry{}});
  }
  // As the folder does where a person edited something.
  void edit(const std::string& name) {
    {
      const Journal::Together together(journal, Journal::Of::kEdits);
      put(name);
    }
    journal.sync_edits({path(name)}, {});
  }
  // As the publisher does when a path stands on the disk.
  void published(const Journal::Mark& mark, Sequence sequence) {
    known.add(ChangeId{kJournalAuthor, sequence});
    journal.sync_later(std::vector{mark});
    put(mark.path.bytes());
  }
  void publish_burst(std::size_t files) {
    std::vector<Journal::Mark> marks;
    for (std::size_t i = 0; i < files; ++i)
      marks.push_back(journal.open_intent(path(std::to_string(i))));
    journal.sync_later(std::move(marks));
  }
  void pass(Duration time) {
    clock.advance(time);
    worker.run_all();
  }
  [[nodiscard]] std::size_t syncs() const {
    return static_cast<std::size_t>(
        std::count_if(diary.begin(), diary.end(),
                      [](const std::string& line) { return line.starts_with("sync "); }));
  }
};

}  // namespace dagsync
