// A POSIX-like file system in memory, with what a power cut may leave of it.
//
// Every change is an operation: applied at once to what everybody sees, and noted until it is on
// the platters. A power cut keeps some of the noted ones. In the order of their making where the
// journal is one log (ext4, xfs); else directories and files each for themselves, in order only
// within one directory (btrfs). Contents go their own way: a name may be there before its bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dagsync/base/rel_path.h"
#include "dagsync/core/record.h"
#include "events.h"
#include "sim_clock.h"

namespace dagsync::sim {

using Inode = std::uint64_t;  // 0: none
using Bytes = std::shared_ptr<const std::string>;

struct NameIn {
  Inode directory = 0;
  std::string name;
  auto operator<=>(const NameIn&) const = default;
};

struct Stored {
  FileType type = FileType::kFile;
  std::uint32_t mode = 0;
  UnixNanos mtime;
  UnixNanos ctime;
  Bytes bytes;              // of a file; a symlink's target
  std::string mark;         // an extended attribute
  std::uint32_t owner = 0;  // a number of FileSystem::owner_numbered()
  std::uint32_t links = 0;
  std::map<std::string, Inode> names;  // of a directory
};

// What changes together, or not at all.
struct Operation {
  struct Entry {
    NameIn at;
    Inode inode = 0;  // 0: the name is gone
  };
  struct Attributes {
    Inode inode = 0;
    std::optional<std::uint32_t> mode;
    std::optional<UnixNanos> mtime;
    std::optional<UnixNanos> ctime;
    std::optional<std::string> mark;
    std::optional<std::uint32_t> owner = {};
  };
  Inode made = 0;  // a new inode, of this type
  FileType type = FileType::kFile;
  std::vector<Entry> entries;
  Inode removed = 0;  // a directory that is none any more, once it is empty
  std::vector<Attributes> attributes;
  Inode written = 0;  // an inode whose bytes are these now
  Bytes bytes;
  MonoNanos at{};
};

// One event as inotify has it: of a name in a directory, or of the directory itself (no name).
struct FileEvent {
  enum class What { kMade, kGone, kMovedIn, kMovedOut, kWritten, kAttributes, kSelfGone };
  Inode directory = 0;
  std::string name;
  What what = What::kMade;
  bool is_directory = false;
};

class FileSystem {
 public:
  enum class Journal { kOrdered, kAnyOrder };
  using Image = std::map<Inode, Stored>;

  FileSystem(Events& events, const WallClock& clock, Journal journal);

  // -- questions ----------------------------------------------------------------------------------
  static constexpr Inode kTop = 1;  // holds "folder" and "state"
  [[nodiscard]] Inode find(Inode directory, std::string_view name) const;
  [[nodiscard]] Inode walk(Inode base, std::string_view path) const;  // never through a symlink
  // The directory that holds the path's name; none where it does not exist.
  [[nodiscard]] std::optional<NameIn> place(Inode base, const RelPath& path) const;
  [[nodiscard]] const Stored& at(Inode inode) const { return live_.at(inode); }
  [[nodiscard]] bool is_directory(Inode inode) const;
  [[nodiscard]] DiskState state(Inode inode) const;
  // "user:group"; what is made belongs to the first one.
  [[nodiscard]] const std::string& owner_numbered(std::uint32_t number) const {
    return owners_.at(number);
  }
  [[nodiscard]] const std::string& owner_of(Inode inode) const {
    return owner_numbered(at(inode).owner);
  }
  [[nodiscard]] bool has_writer(Inode inode) const { return writers_.contains(inode); }

  [[nodiscard]] bool has_durable_bytes(Inode inode) const;

  // -- changes: what is asked for must be possible ------------------------------------------------
  Inode make(const NameIn& at, FileType type, std::uint32_t mode, std::string target = "");
  Inode make_nameless(std::uint32_t mode);
  void link(Inode inode, const NameIn& at);
  void unlink(const NameIn& at);                      // a directory must be empty
  void rename(const NameIn& from, const NameIn& to);  // over what stands there, if anything
  void exchange(const NameIn& a, const NameIn& b);
  void write(Inode inode, std::string bytes);  // all of it anew
  void set_mode(Inode inode, std::uint32_t mode);
  void set_owner(Inode inode, const std::string& owner);
  void set_mtime(Inode inode, UnixNanos mtime);
  void set_mark(Inode inode, std::string mark);
  void open_writer(Inode inode);
  void close_writer(Inode inode);

  // -- durability ---------------------------------------------------------------------------------
  void sync(Inode inode);  // fsync: the bytes and attributes of a file, the names of a directory
  void sync_all();
  void write_back(MonoNanos older_than);  // what the kernel does by itself
  // Ends everything that was open; what was not durable survives or not.
  void power_cut(Seeded& seeded);
  [[nodiscard]] int power_cuts() const { return power_cuts_; }
  void close_all() { writers_.clear(); }  // everybody who had files open was killed

  std::function<void(const FileEvent&)> on_event;

 private:
  static void enact(Image& image, const Operation& operation);
  void perform(Operation operation);
  void tell(Inode directory, const std::string& name, FileEvent::What what, Inode inode);
  void tell_names(Inode inode, FileEvent::What what);
  [[nodiscard]] Operation::Attributes touch(Inode directory) const;
  void persist(const std::vector<bool>& chosen);
  void close_over_needs(std::vector<bool>& chosen) const;
  [[nodiscard]] bool is_needed_by(const Operation& earlier, const Operation& later) const;

  Events& events_;
  const WallClock& clock_;
  Journal journal_;
  Image live_;
  Image durable_;
  std::vector<Operation> pending_;
  Inode next_ = kTop;
  int power_cuts_ = 0;
  std::map<Inode, int> writers_;
  std::vector<std::string> owners_{"dagsync:dagsync"};
};

}  // namespace dagsync::sim
