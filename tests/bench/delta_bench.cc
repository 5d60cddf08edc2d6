// A content of 1 MiB with a line inserted: signature, delta, patch, and the sums of blocks that
// larger files have instead.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "bench/samples.h"
#include "dagsync/delta/block_sums.h"
#include "dagsync/delta/delta.h"

namespace dagsync {
namespace {

constexpr std::size_t kBytes = 1 << 20;

std::string old_content() {
  return bench::text(kBytes);
}

std::string new_content() {
  std::string content = old_content();
  content.insert(kBytes / 3, "    a_new_line = 1\n");
  return content;
}

std::string signature_of(const std::string& content) {
  SignatureBuilder builder(choose_shape(content.size()));
  if (!builder.update(content)) return {};
  return builder.finish().value_or("");
}

std::string delta_of(const Signature& basis, const std::string& content) {
  std::string delta;
  const WriteBytes out = [&](std::string_view bytes) -> Status {
    delta.append(bytes);
    return {};
  };
  DeltaBuilder builder(basis);
  if (!builder.update(content, out) || !builder.finish(out)) return {};
  return delta;
}

void delta_signature(benchmark::State& state) {
  const std::string content = old_content();
  for (auto _ : state)
    benchmark::DoNotOptimize(signature_of(content));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kBytes));
}
BENCHMARK(delta_signature)->Unit(benchmark::kMicrosecond);

void delta_search(benchmark::State& state) {
  const auto basis = Signature::parse(signature_of(old_content()));
  const std::string content = new_content();
  for (auto _ : state)
    benchmark::DoNotOptimize(delta_of(*basis, content));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kBytes));
}
BENCHMARK(delta_search)->Unit(benchmark::kMicrosecond);

void delta_patch(benchmark::State& state) {
  const std::string basis = old_content();
  const std::string content = new_content();
  const std::string delta = delta_of(*Signature::parse(signature_of(basis)), content);
  const ReadBasis read = [&](std::uint64_t offset, std::span<char> into) -> Result<std::size_t> {
    if (offset >= basis.size()) return 0;
    return basis.copy(into.data(), into.size(), static_cast<std::size_t>(offset));
  };
  for (auto _ : state) {
    std::string made;
    const WriteBytes out = [&](std::string_view bytes) -> Status {
      made.append(bytes);
      return {};
    };
    Patcher patcher(read, content.size());
    if (!patcher.update(delta, out) || !patcher.finish(out) || made != content)
      state.SkipWithError("the patch is wrong");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(content.size()));
}
BENCHMARK(delta_patch)->Unit(benchmark::kMicrosecond);

void delta_block_sums(benchmark::State& state) {
  const std::string content = old_content();
  for (auto _ : state) {
    BlockCompare compare(nullptr, content.size());
    compare.update(content);
    benchmark::DoNotOptimize(compare.finish());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kBytes));
}
BENCHMARK(delta_block_sums)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace dagsync
