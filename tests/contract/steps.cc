#include "contract/steps.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <utility>

namespace dagsync {
namespace {

struct Interruption {
  std::size_t steps_left;
  std::function<void()> call;
};
std::optional<Interruption> interruption;

}  // namespace

void interrupt(std::size_t step, std::function<void()> meanwhile) {
  interruption.emplace(Interruption{step, std::move(meanwhile)});
}

bool forget_interruption() {
  const bool was_left = interruption.has_value();
  interruption.reset();
  return was_left;
}

void take_step() {
  static bool is_interrupted = false;
  if (is_interrupted || !interruption || interruption->steps_left-- > 0) return;
  const auto call = std::move(interruption->call);
  interruption.reset();
  is_interrupted = true;
  call();
  is_interrupted = false;
}

}  // namespace dagsync

extern "C" {

int __real_renameat2(int from, const char* old_name, int to, const char* new_name, unsigned flags);
int __wrap_renameat2(int from, const char* old_name, int to, const char* new_name, unsigned flags) {
  dagsync::take_step();
  return __real_renameat2(from, old_name, to, new_name, flags);
}

int __real_statx(int directory, const char* name, int flags, unsigned mask, struct statx* seen);
int __wrap_statx(int directory, const char* name, int flags, unsigned mask, struct statx* seen) {
  dagsync::take_step();
  return __real_statx(directory, name, flags, mask, seen);
}

int __real_unlinkat(int directory, const char* name, int flags);
int __wrap_unlinkat(int directory, const char* name, int flags) {
  dagsync::take_step();
  return __real_unlinkat(directory, name, flags);
}
}
