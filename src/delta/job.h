// A job of librsync, driven in steps of bounded memory.
#pragma once

#include <librsync.h>

#include <memory>
#include <string_view>

#include "dagsync/delta/delta.h"

namespace dagsync {

class DeltaJob {
 public:
  explicit DeltaJob(rs_job_t* job);  // takes it over

  // Gives all of `in` to the job and all that it makes to `out`. With `is_last` the job must come
  // to its end. kInvalid where the job finds its input malformed, or goes on after its own end.
  Status run(std::string_view in, bool is_last, const WriteBytes& out);

 private:
  struct Free {
    void operator()(rs_job_t* job) const { rs_job_free(job); }
  };
  Status run_slice(std::string_view in, bool is_last, const WriteBytes& out);

  std::unique_ptr<rs_job_t, Free> job_;
  std::unique_ptr<char[]> buffer_;
  bool is_done_ = false;
};

}  // namespace dagsync
