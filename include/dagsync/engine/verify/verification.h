// One run of `dagsync verify` over a folder: what each node reads again is compared with what this
// node's index says should stand there. What differs is asked for again after a moment, so that a
// change under way is no difference. It knows nothing of how a node is asked. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "dagsync/core/messages.h"
#include "dagsync/engine/verify/reread.h"

namespace dagsync {

struct VerifyReport {
  struct Difference {
    RelPath path;  // the root: the folder as a whole
    NodeName node;
    std::string problem;
  };
  std::size_t files = 0;  // that this node read
  std::vector<Difference> differences;
  std::vector<Difference> repaired;
};

class Verification {
 public:
  static constexpr std::size_t kMaxDifferences = 10'000;  // listed of one node
  static constexpr int kLooks = 4;                        // the last of which decides

  using Answer = std::function<void(const VerifyPage&)>;
  struct Source {
    NodeName node;
    // Answers once, not from within the call.
    std::function<void(const RereadRange&, Answer)> ask;
  };
  struct Progress {
    NodeName node;
    std::size_t paths = 0;  // compared so far
  };
  struct Hooks {
    // Calls back when changes under way have had their time to arrive.
    std::function<void(std::function<void()>)> settle;
    std::function<void(const Progress&)> progress;
    std::function<void(VerifyReport)> done;  // the run may be destroyed from within
  };

  // The first source is this node itself; all that is named must outlive the run.
  Verification(const Index& index, const Rereader& reader, std::vector<Source> sources,
               Hooks hooks);

  void start();

 private:
  struct Node {
    Source source;
    RelPath after;
    std::size_t compared = 0;
    std::map<RelPath, std::string> suspects;  // and what seems to be wrong with them
    std::map<RelPath, std::string> problems;
    std::vector<RelPath> to_ask;  // of the suspects, in this look
    bool full = false;            // more differences than are listed
  };

  void ask(std::size_t node);
  void answered(std::size_t node, const RereadRange& range, const VerifyPage& page);
  void answered_again(std::size_t node, const RereadRange& range, const VerifyPage& page);
  void ask_again(std::size_t node);
  void node_done();
  void look_again();
  void finish();
  void compare(Node& node, const VerifyPage::Row& row);
  void miss(Node& node, const RelPath& path);
  void suspect(Node& node, const RelPath& path, std::string why);
  void find_missing(Node& node, const RelPath& after, const VerifyPage& page);
  [[nodiscard]] bool is_ours(const Node& node) const { return &node == &nodes_.front(); }
  [[nodiscard]] static std::string nonsense(const RereadRange& range, const VerifyPage& page);

  const Index& index_;
  const Rereader& reader_;
  Hooks hooks_;
  std::vector<Node> nodes_;
  std::size_t asking_ = 0;
  std::size_t files_ = 0;
  int look_ = 1;
};

// How what stands there differs from what should, in words; "" where it does not.
[[nodiscard]] std::string describe_difference(const Content& should, const Content& stands,
                                              const NodeName& here);

}  // namespace dagsync
