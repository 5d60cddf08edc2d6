#include "net/uv_process.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts)
    pointers.push_back(const_cast<char*>(text.c_str()));  // libuv only reads them
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result<std::unique_ptr<UvProcess>> UvProcess::start(UvLoop& loop, const ProcessPlan& plan,
                                                    Hooks hooks) {
  const std::string what = "start " + escape_bytes(plan.run.front());
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0) return fail_errno(errno, what);
  std::unique_ptr<UvProcess> process(new UvProcess(std::move(hooks), pipe[0]));
  const int code = process->spawn(loop, plan, pipe[1]);
  close(pipe[1]);
  if (code != 0) return fail_errno(-code, what);
  auto watch = loop.on_readable(pipe[0], [raw = process.get()] { raw->read_errors(); });
  if (watch) process->watch_ = std::move(*watch);
  return process;
}

UvProcess::~UvProcess() {
  watch_.reset();  // before what it watches
  close(errors_);
}

int UvProcess::spawn(UvLoop& loop, const ProcessPlan& plan, int error_output) {
  std::vector<char*> arguments = pointers_to(plan.run);
  std::vector<char*> environment = pointers_to(plan.environment);
  std::array<uv_stdio_container_t, 3> stdio{};
  stdio[0].flags = plan.input < 0 ? UV_IGNORE : UV_INHERIT_FD;
  stdio[0].data.fd = plan.input;
  stdio[1].flags = UV_IGNORE;
  stdio[2].flags = UV_INHERIT_FD;
  stdio[2].data.fd = error_output;
  uv_process_options_t options{};
  options.file = arguments.front();
  options.args = arguments.data();
  options.env = environment.data();
  options.cwd = "/";
  options.stdio = stdio.data();
  options.stdio_count = stdio.size();
  options.flags = UV_PROCESS_DETACHED;  // a group of its own
  if (plan.user) {
    options.flags |= UV_PROCESS_SETUID | UV_PROCESS_SETGID;
    options.uid = plan.user->user;
    options.gid = plan.user->group;
  }
  options.exit_cb = [](uv_process_t* process, std::int64_t status, int signal) {
    if (process->data == nullptr) return;
    static_cast<UvProcess*>(process->data)->ended({static_cast<int>(status), signal});
  };
  // A handle that did not start has to be closed like any other.
  int code = 0;
  (void)process_.open([&](uv_process_t* handle) {
    code = uv_spawn(loop.raw(), handle, &options);
    return 0;
  });
  process_.get()->data = this;
  pid_ = process_.get()->pid;
  return code;
}

void UvProcess::signal_group(int signal) const {
  if (pid_ > 0) kill(-pid_, signal);
}

void UvProcess::read_errors() {
  std::array<char, 4096> bytes;
  for (;;) {
    const ssize_t got = read(errors_, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got > 0) take_errors({bytes.data(), static_cast<std::size_t>(got)});
    if (got == 0 || (got < 0 && errno != EAGAIN)) watch_.reset();
    // One read at a time: whoever writes without end must not have the loop for itself.
    return;
  }
}

void UvProcess::take_errors(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    line_.append(bytes.substr(0, std::min(end, kLongestLine - line_.size())));
    if (end < bytes.size()) end_line();
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
}

void UvProcess::end_line() {
  const std::string line = std::exchange(line_, {});
  if (!line.empty() && hooks_.error_line) hooks_.error_line(line);
}

void UvProcess::ended(const ProcessEnd& end) {
  // What it wrote last is in the pipe; somebody whom it started may hold the other end open.
  constexpr int kMostReads = 64;  // as much as a pipe holds
  for (int reads = 0; watch_ && reads < kMostReads; ++reads) {
    std::array<char, 4096> bytes;
    const ssize_t got = read(errors_, bytes.data(), bytes.size());
    if (got <= 0) break;
    take_errors({bytes.data(), static_cast<std::size_t>(got)});
  }
  watch_.reset();
  end_line();
  process_.close();
  const auto call = std::move(hooks_.ended);
  call(end);
}

}  // namespace dagsync
