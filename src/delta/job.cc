// librsync 2.3.2 (Debian builds it with its assertions on) takes all the input it is given into a
// buffer of its own while it searches, so it is given slices. What can come from a peer never
// reaches one of its assertions: see signature.cc for signatures; its reader of deltas checks
// lengths itself, but would ask for ever for bytes that a basis does not have (patch.cc).
#include "delta/job.h"

#include <algorithm>
#include <string>

#include "dagsync/base/assert.h"

namespace dagsync {
namespace {

constexpr std::size_t kSliceBytes = 256 << 10;   // of input, at most
constexpr std::size_t kBufferBytes = 128 << 10;  // of output

void silence() {
  // It would write to standard error what comes back as a result anyway.
  static const bool is_silent = (rs_trace_to(nullptr), true);
  static_cast<void>(is_silent);
}

Status to_status(rs_result result) {
  const ErrorCode code = result == RS_MEM_ERROR ? ErrorCode::kUnavailable : ErrorCode::kInvalid;
  return fail(code, std::string("delta: ") + rs_strerror(result));
}

}  // namespace

DeltaJob::DeltaJob(rs_job_t* job)
    : job_(job), buffer_(std::make_unique_for_overwrite<char[]>(kBufferBytes)) {
  silence();
}

Status DeltaJob::run(std::string_view in, bool is_last, const WriteBytes& out) {
  while (in.size() > kSliceBytes) {
    if (Status status = run_slice(in.substr(0, kSliceBytes), false, out); !status) return status;
    in.remove_prefix(kSliceBytes);
  }
  return run_slice(in, is_last, out);
}

Status DeltaJob::run_slice(std::string_view in, bool is_last, const WriteBytes& out) {
  if (is_done_) {
    if (in.empty()) return {};
    return fail(ErrorCode::kInvalid, "delta: it goes on after its end");
  }
  rs_buffers_t buffers{};
  buffers.next_in = const_cast<char*>(in.data());  // only read, says its documentation
  buffers.avail_in = in.size();
  buffers.eof_in = is_last ? 1 : 0;
  while (true) {
    buffers.next_out = buffer_.get();
    buffers.avail_out = kBufferBytes;
    const rs_result result = rs_job_iter(job_.get(), &buffers);
    const std::size_t made = kBufferBytes - buffers.avail_out;
    if (made > 0)
      if (Status status = out({buffer_.get(), made}); !status) return status;
    if (result == RS_DONE) {
      is_done_ = true;
      if (buffers.avail_in == 0) return {};
      return fail(ErrorCode::kInvalid, "delta: it goes on after its end");
    }
    if (result != RS_BLOCKED) return to_status(result);
    const bool wants_input = buffers.avail_in == 0 && buffers.avail_out > 0;
    if (wants_input && is_last) return to_status(RS_INPUT_ENDED);
    if (wants_input) return {};
  }
}

}  // namespace dagsync
