// Another program, run without a shell, in a process group of its own. Loop thread only.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/result.h"
#include "net/uv_loop.h"

namespace dagsync {

struct ProcessPlan {
  struct User {
    uid_t user = 0;
    gid_t group = 0;
    bool operator==(const User&) const = default;
  };
  std::vector<std::string> run;          // the program's absolute path, then its arguments
  std::vector<std::string> environment;  // "NAME=VALUE"; all that it gets
  int input = -1;                        // its standard input; stays the caller's
  std::optional<User> user;              // none: ours. Needs the rights to change both
};

struct ProcessEnd {
  int status = 0;  // of its exit
  int signal = 0;  // that ended it; 0: it exited by itself
};

// It begins in the root directory; what it writes to standard output goes nowhere. One that is
// destroyed before its end goes on, unheard.
class UvProcess {
 public:
  static constexpr std::size_t kLongestLine = 2048;  // bytes; what is beyond is left out

  struct Hooks {
    std::function<void(std::string_view)> error_line;  // of its standard error, without the newline
    std::function<void(const ProcessEnd&)> ended;      // last, once; may destroy this
  };

  [[nodiscard]] static Result<std::unique_ptr<UvProcess>> start(UvLoop& loop,
                                                                const ProcessPlan& plan,
                                                                Hooks hooks);
  ~UvProcess();
  UvProcess(const UvProcess&) = delete;
  UvProcess& operator=(const UvProcess&) = delete;

  void signal_group(int signal) const;  // it, and what it has started and not moved away

 private:
  UvProcess(Hooks hooks, int errors) : hooks_(std::move(hooks)), errors_(errors) {}
  [[nodiscard]] int spawn(UvLoop& loop, const ProcessPlan& plan, int error_output);
  void read_errors();
  void take_errors(std::string_view bytes);
  void end_line();
  void ended(const ProcessEnd& end);

  Hooks hooks_;
  UvHandle<uv_process_t> process_;
  pid_t pid_ = 0;
  int errors_;  // where its standard error comes out
  std::optional<ReadableWatch> watch_;
  std::string line_;
};

}  // namespace dagsync
