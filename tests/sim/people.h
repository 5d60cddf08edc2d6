// What people did on the disks, and what follows from it: which contents exist, which version of a
// path was made in sight of which, on which machine. The checks compare what the daemons do with
// this; nothing of it is known to them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "dagsync/base/digest.h"
#include "dagsync/core/record.h"

namespace dagsync::sim {

// A version of a path as a person sees it: everything of its content; or one particular delete.
using Version = std::string;

class People {
 public:
  // The next content, unlike any other.
  [[nodiscard]] std::string next_content(const std::string& machine, const RelPath& path,
                                         std::size_t size);
  void wrote(const std::string& bytes) { contents_.insert(digest_of(bytes)); }
  [[nodiscard]] bool somebody_wrote(const Digest& digest) const {
    return contents_.contains(digest);
  }

  // What stands, or does not, as a version.
  [[nodiscard]] Version version(const std::string& machine, const RelPath& path,
                                const Content& content) const;
  // A person made `after` stand where `before` stood; both as content, a tombstone for nothing.
  void acted(const std::string& machine, const RelPath& path, const Version& before,
             const Content& after);
  // The daemon of the machine made a change of what it saw there.
  void authored(const std::string& machine, const RelPath& path, const Record& record);
  // The daemon published this: what is absent is absent because of that delete.
  void published(const std::string& machine, const RelPath& path, const Record& record);
  // The daemon may have to tell once more of what it told before.
  void rows_went_back(const std::string& machine);
  [[nodiscard]] bool made_here(const std::string& machine, const RelPath& path,
                               const Content& content) const;
  // From here on this counts as made on the machine: nobody can know better.
  void adopt(const std::string& machine, const RelPath& path, const Content& content);

  // Nobody can know that it was replaced.
  void stands_again(const Version& version) { over_.erase(version); }

  // A fault took the last of it.
  void forgive(const Version& version) { forgiven_.insert(version); }
  [[nodiscard]] bool is_forgiven(const Version& version) const {
    return forgiven_.contains(version);
  }

  // Whether somebody, in sight of this version, made another one, and a daemon told of it.
  [[nodiscard]] bool was_replaced(const Version& version) const;
  [[nodiscard]] bool was_overwritten_by_a_person(const Version& version) const {
    return over_.contains(version);
  }
  // Whether somebody, somewhere, put other bytes in the place of these.
  [[nodiscard]] bool were_overwritten(const RelPath& path, const Digest& digest) const {
    return overwritten_.contains({path, digest});
  }
  // Whoever does the same once more, here or elsewhere, makes the same version: that somebody who
  // saw one of the two replaced it says nothing of the other.
  [[nodiscard]] bool is_of_several(const Version& version, const RelPath& path) const;
  struct Told {
    RelPath path;
    Record record;  // that of the first who told of it
  };
  [[nodiscard]] const std::map<Version, Told>& told() const { return told_; }

 private:
  [[nodiscard]] bool was_replaced(const Version& version, std::set<Version>& seen) const;

  std::uint64_t count_ = 0;
  std::uint64_t deletes_ = 0;
  std::set<Digest> contents_;
  std::map<Version, std::set<Version>> over_;
  std::map<std::pair<std::string, RelPath>, Version> gone_;
  std::map<std::pair<std::string, RelPath>, std::set<Version>> made_;
  std::map<Version, int> times_made_;
  std::map<std::pair<std::string, RelPath>, int> deletes_made_;  // and not told of
  std::map<ChangeId, Version> deletes_told_;
  std::map<Version, Told> told_;
  std::set<Version> told_deletes_;
  std::set<std::pair<RelPath, Digest>> overwritten_;
  std::set<Version> forgiven_;
};

}  // namespace dagsync::sim
