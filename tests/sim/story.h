// What happened, in lines for people: each with its time, its machine and the path it is about. All
// of it makes the digest of the trace; a violation tells the part that matters.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dagsync/base/digest.h"
#include "dagsync/base/rel_path.h"
#include "dagsync/base/time.h"

namespace dagsync::sim {

class Story {
 public:
  struct Line {
    MonoNanos at;
    std::string machine;  // "": the network, or all
    RelPath path;         // the root: of no path
    std::string what;
  };

  void tell(MonoNanos at, const std::string& machine, const RelPath& path, std::string what);
  void count(MonoNanos at, std::uint64_t event);  // into the digest alone
  [[nodiscard]] std::string digest() const { return to_hex(digest_.finish()); }
  // All lines; or those about this path, what lies above and below it, and what happened to
  // machines.
  [[nodiscard]] std::string all() const;
  [[nodiscard]] std::string about(const RelPath& path) const;

 private:
  [[nodiscard]] static std::string print(const Line& line);

  std::vector<Line> lines_;
  DigestStream digest_;
};

}  // namespace dagsync::sim
