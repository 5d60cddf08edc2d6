// One person, or his program, at work in the folder of one machine: system calls on paths, each of
// which does nothing where it cannot be done.
#pragma once

#include <memory>
#include <string>

#include "world.h"

namespace dagsync::sim {

class Hand {
 public:
  Hand(World& world, Machine& machine) : world_(world), machine_(machine) {}

  void make_directory(const RelPath& path, std::uint32_t mode);
  void remove_directory(const RelPath& path);
  void unlink(const RelPath& path);
  void rename(const RelPath& from, const RelPath& to);
  void link(const RelPath& from, const RelPath& to);
  void symlink(const std::string& target, const RelPath& path);
  void set_mode(const RelPath& path, std::uint32_t mode);
  void set_mtime(const RelPath& path, UnixNanos mtime);

  // A file that is written and closed; others see it grow meanwhile.
  struct Open {
    Inode inode = 0;
    std::string bytes;
  };
  // Truncates or makes it. False: it cannot be opened.
  bool open(const RelPath& path, Open& open);
  void write(Open& open, const std::string& bytes);
  void close(Open& open);

  [[nodiscard]] bool exists(const RelPath& path) const;
  [[nodiscard]] UnixNanos now() const { return machine_.clock.now(); }

 private:
  [[nodiscard]] std::optional<NameIn> place(const RelPath& path) const;
  [[nodiscard]] Inode inode_at(const RelPath& path) const;

  World& world_;
  Machine& machine_;
};

}  // namespace dagsync::sim
