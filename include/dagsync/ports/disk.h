// The file system of one folder, its staging area and its kept versions. Every path is resolved
// beneath the folder's root without following a symlink. Calls block and may come from any worker
// thread, several at a time; those that publish come from one lane.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/rel_path.h"
#include "dagsync/base/result.h"
#include "dagsync/core/record.h"

namespace dagsync {

// What makes a folder the same one after a restart.
struct RootIdentity {
  std::uint64_t inode = 0;
  std::uint64_t file_system = 0;  // fsid; device numbers hold only within one boot
  std::string marker;             // random, in an extended attribute of the root; "" unsupported
  bool operator==(const RootIdentity&) const = default;
};

// How much is read at once of a file that is read whole.
inline constexpr std::size_t kReadBytes = 256 << 10;
// What takes the bytes of a file one after the other; an error ends it.
using TakeBytes = std::function<Status(std::string_view)>;

// What of a thing is no content.
struct Attributes {
  std::uint32_t mode = 0;          // permission bits; of a symlink nothing
  std::optional<UnixNanos> mtime;  // none: as it comes; of a directory nothing
  Shared<std::string> owner;       // as Content::owner; "" gives it to nobody in particular
};
[[nodiscard]] inline Attributes attributes_of(const Content& content) {
  Attributes attributes{content.mode, {}, content.owner};
  if (content.kind != Kind::kDirectory) attributes.mtime = content.mtime;
  return attributes;
}

enum class WriterCheck { kNone, kWriter, kUnknown };  // kUnknown: no lease to be had here

// An opened regular file. One thread at a time.
class ReadFile {
 public:
  virtual ~ReadFile() = default;
  [[nodiscard]] virtual Result<DiskState> state() = 0;  // of the opened inode, now
  // Reads up to `buffer.size()` bytes at `offset`; 0 at the end.
  [[nodiscard]] virtual Result<std::size_t> read(std::uint64_t offset, std::span<char> buffer) = 0;
  // Reads from the beginning until the end, or `most` bytes, and gives them to `take` on this
  // thread; gives how many they were, or the first error, be it of reading or of `take`.
  [[nodiscard]] virtual Result<std::uint64_t> read_all(std::uint64_t most, const TakeBytes& take);
  [[nodiscard]] Result<std::uint64_t> read_all(const TakeBytes& take) {
    return read_all(std::numeric_limits<std::uint64_t>::max(), take);
  }
  // Whether anybody has the opened inode open for writing, whatever its name is by now.
  [[nodiscard]] virtual WriterCheck check_writer() = 0;
};

// Something that was made ready outside the folder. Destroyed unpublished, it leaves nothing.
class Staged {
 public:
  virtual ~Staged() = default;
};

// A file being staged. One thread at a time. Random reads serve as a patch's own output check.
class StagedFile : public Staged {
 public:
  [[nodiscard]] virtual Status append(std::string_view bytes) = 0;
  // Appends a range of another open file, by reflink or in the kernel where the file system can.
  [[nodiscard]] virtual Status append_from(ReadFile& source, std::uint64_t offset,
                                           std::uint64_t length) = 0;
  // Sets these; nothing is appended after it.
  [[nodiscard]] virtual Status finish(const Attributes& attributes) = 0;
};

// Names a kept version: "<unix nanoseconds, 16 hex digits>-<8 random hex digits>".
struct KeptId {
  std::string value;
  auto operator<=>(const KeptId&) const = default;
};
inline constexpr std::size_t kKeptIdBytes = 25;
inline constexpr std::size_t kKeptTimeDigits = 16;  // of those, at their beginning

// Whether it has that form. Ids come from the command line, too: what has not is kInvalid wherever
// one is asked for.
[[nodiscard]] inline bool is_kept_id(std::string_view text) {
  const auto is_hex = [](std::string_view digits) {
    return digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  };
  return text.size() == kKeptIdBytes && text[kKeptTimeDigits] == '-' &&
         is_hex(text.substr(0, kKeptTimeDigits)) && is_hex(text.substr(kKeptTimeDigits + 1));
}

// What a kept version says of itself.
struct KeptFile {
  RelPath path;  // where it stood
  DiskState state;
};

// How a step of publishing ended. Anything else is an Error, and then nothing was changed.
enum class PublishOutcome {
  kDone,
  kChanged,  // the path does not show what was expected: look at it again; nothing was changed
  kBusy,     // a writer has the old file open: nothing was changed; its close will be hinted
};

struct Published {
  PublishOutcome outcome = PublishOutcome::kDone;
  std::optional<DiskState> now;  // kDone: what stands there; none after a removal
  bool kept = false;             // the old content is now the kept version that was named
};

// Beyond that many paths a sync is one of the whole file system: one commit of its journal instead
// of many, and in the way of whoever writes there.
inline constexpr std::size_t kMaxPathsSyncedSingly = 64;

class Disk {
 public:
  struct Listed {
    std::string name;
    DiskState state;
    bool mount_point = false;  // another file system begins here: never entered
  };
  using Expected = std::optional<DiskState>;  // none: nothing stands there

  virtual ~Disk() = default;

  // While it lives, the calls of this thread may use the folder's root and a directory as an
  // earlier one found them a moment ago. One at a time in a thread, for a run of calls in the order
  // of paths; no shorter than it must be.
  class Visit {
   public:
    virtual ~Visit() = default;
  };
  [[nodiscard]] virtual std::unique_ptr<Visit> visit() { return nullptr; }

  // -- the folder -----------------------------------------------------------------------------
  // kNotFound: no such directory (any more); kInvalid: a symlink stands there. With `mark`, a root
  // without a marker gets one, durably.
  [[nodiscard]] virtual Result<RootIdentity> identify_root(std::optional<std::string> mark) = 0;
  // What stands at the path; none where nothing does, or where a parent is no directory.
  [[nodiscard]] virtual Result<std::optional<DiskState>> stat(const RelPath& path) = 0;
  [[nodiscard]] virtual Result<std::vector<Listed>> list(const RelPath& directory) = 0;
  [[nodiscard]] virtual Result<std::string> read_link(const RelPath& path) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<ReadFile>> open(const RelPath& path) = 0;
  // Asks for a read lease, which is refused while anybody holds the file open for writing.
  [[nodiscard]] virtual WriterCheck check_writer(const RelPath& path) = 0;

  // -- owners ---------------------------------------------------------------------------------
  // Whether things of this folder belong here to whom they belong elsewhere. If not, what a record
  // says of that is neither looked at nor changed.
  [[nodiscard]] virtual bool keeps_owners() const { return false; }
  struct Owned {
    Shared<std::string> owner;  // as a record says it
    bool stands_in = false;     // it could not be given to that one, and belongs to the daemon
  };
  // Whose a thing is that stands at `path` and shows `state`, where a record calls it `recorded`:
  // that is the answer, too, where both mean the same here, and where it could not be given.
  [[nodiscard]] virtual Owned owner_of(const RelPath& path, const DiskState& state,
                                       const Shared<std::string>& recorded) {
    (void)path, (void)state;
    return {recorded, false};
  }

  // -- staging --------------------------------------------------------------------------------
  [[nodiscard]] virtual Result<std::unique_ptr<StagedFile>> stage_file(std::uint64_t size) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<Staged>> stage_symlink(
      const std::string& target, const Attributes& attributes) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<Staged>> stage_directory(
      const Attributes& attributes) = 0;
  // A second name of a file in the folder, for a rename: no bytes are read. kUnavailable: it no
  // longer shows `expected`. kUnsupported: not possible here, copy instead. It is published only as
  // long as nobody has changed the file since, or has it open for writing.
  [[nodiscard]] virtual Result<std::unique_ptr<Staged>> stage_link(const RelPath& path,
                                                                   const DiskState& expected) = 0;

  // -- publishing: one lane only --------------------------------------------------------------
  // Makes `staged` visible at `path` in one step. With `keep`, a file or symlink that stood there
  // becomes that kept version; else it is unlinked, after the step. A directory that stood there
  // must be empty but for names that `disposable` accepts (kExists otherwise).
  using Disposable = std::function<bool(const RelPath&, FileType)>;
  [[nodiscard]] virtual Result<Published> publish(const RelPath& path, const Expected& expected,
                                                  std::unique_ptr<Staged> staged,
                                                  const std::optional<KeptId>& keep,
                                                  const Disposable& disposable) = 0;
  [[nodiscard]] virtual Result<Published> remove(const RelPath& path, const DiskState& expected,
                                                 const std::optional<KeptId>& keep) = 0;
  // With everything below it that `disposable` accepts; kExists, naming the first other one, where
  // something else is left, and then nothing was removed.
  [[nodiscard]] virtual Result<Published> remove_directory(const RelPath& path,
                                                           const Disposable& disposable) = 0;
  // In place.
  [[nodiscard]] virtual Result<Published> set_attributes(const RelPath& path,
                                                         const DiskState& expected,
                                                         const Attributes& attributes) = 0;
  // Makes the contents and names of these paths, and the kept versions, durable.
  [[nodiscard]] virtual Status sync(const std::vector<RelPath>& paths) = 0;
  // Everything of the folder and of the kept versions, what an earlier run did too.
  [[nodiscard]] virtual Status sync_all() = 0;

  // -- kept versions --------------------------------------------------------------------------
  [[nodiscard]] virtual Result<std::unique_ptr<ReadFile>> open_kept(const KeptId& id) = 0;
  [[nodiscard]] virtual Result<std::string> read_kept_link(const KeptId& id) = 0;
  [[nodiscard]] virtual Result<std::vector<KeptId>> list_kept() = 0;
  // For a catalogue that was lost. kNotFound: it does not say where it stood.
  [[nodiscard]] virtual Result<KeptFile> describe_kept(const KeptId& id) {
    return fail(ErrorCode::kUnsupported,
                "the kept version " + id.value + " says nothing of itself");
  }
  [[nodiscard]] virtual Status remove_kept(const KeptId& id) = 0;
  // What became a kept version because somebody wrote in the very moment of publishing, since the
  // last call: nobody has listed it yet.
  struct Rescued {
    RelPath path;
    KeptId id;
  };
  [[nodiscard]] virtual std::vector<Rescued> take_rescued() { return {}; }
  // False: take_rescued() has nothing. Does not block.
  [[nodiscard]] virtual bool has_rescued() { return true; }

  // Names this run of the machine's kernel: what was not synced in an earlier one may be lost. ""
  // where nobody can tell.
  [[nodiscard]] virtual std::string boot() const = 0;
  // What makes this disk do with less than it should, for people; "" when nothing does.
  [[nodiscard]] virtual std::string degraded() const = 0;
};

}  // namespace dagsync
