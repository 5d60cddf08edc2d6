#include <optional>

#include "dagsync/base/assert.h"
#include "delta/job.h"

namespace dagsync {

// On the heap, since librsync holds a pointer to it while the Patcher may move.
struct Patcher::State {
  State(ReadBasis read, std::uint64_t max_output)
      : read_basis(std::move(read)),
        output_left(max_output),
        job(rs_patch_begin(&State::copy, this)) {}

  static rs_result copy(void* opaque, rs_long_t position, std::size_t* length, void** buffer);

  ReadBasis read_basis;
  std::optional<Error> read_error;
  std::uint64_t output_left;
  DeltaJob job;
};

// librsync asks again for what is still missing, so an answer of 0 bytes would be asked for ever.
rs_result Patcher::State::copy(void* opaque, rs_long_t position, std::size_t* length,
                               void** buffer) {
  State& state = *static_cast<State*>(opaque);
  const Result<std::size_t> got = state.read_basis(static_cast<std::uint64_t>(position),
                                                   {static_cast<char*>(*buffer), *length});
  if (!got) {
    state.read_error = got.error();
    return RS_IO_ERROR;
  }
  DAGSYNC_ASSERT(*got <= *length);
  *length = *got;
  return *got > 0 ? RS_DONE : RS_CORRUPT;
}

Patcher::Patcher(ReadBasis read_basis, std::uint64_t max_output)
    : state_(std::make_unique<State>(std::move(read_basis), max_output)) {}
Patcher::~Patcher() = default;
Patcher::Patcher(Patcher&&) noexcept = default;
Patcher& Patcher::operator=(Patcher&&) noexcept = default;

Status Patcher::run(std::string_view delta, bool is_last, const WriteBytes& out) {
  State& state = *state_;
  Status status = state.job.run(delta, is_last, [&](std::string_view bytes) -> Status {
    if (bytes.size() > state.output_left)
      return fail(ErrorCode::kInvalid, "delta: it makes more than was announced");
    state.output_left -= bytes.size();
    return out(bytes);
  });
  if (!status && state.read_error) return Unexpected(*state.read_error);
  return status;
}

Status Patcher::update(std::string_view delta, const WriteBytes& out) {
  return run(delta, false, out);
}

Status Patcher::finish(const WriteBytes& out) {
  return run({}, true, out);
}

}  // namespace dagsync
