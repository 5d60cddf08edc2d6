// What the loop does for each path, without any system call: decide, look up, match.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench/samples.h"
#include "dagsync/core/ignore.h"
#include "dagsync/core/index.h"
#include "dagsync/core/reconcile.h"

namespace dagsync {
namespace {

// Two versions of a path that neither author had seen the other's of, by `range` authors in all.
void reconcile_conflict(benchmark::State& state) {
  const auto authors = static_cast<std::size_t>(state.range(0));
  Record ours = bench::entry(1).record;
  Record theirs = ours;
  for (std::size_t i = 0; i < authors; ++i) {
    Record& one = i % 2 == 0 ? ours : theirs;
    one.version.raise(bench::author(i), i + 1);
  }
  theirs.content.digest = digest_of("theirs");
  theirs.stamp = ours.stamp + Duration(1);
  for (auto _ : state)
    benchmark::DoNotOptimize(reconcile(ours, theirs));
}
BENCHMARK(reconcile_conflict)->Arg(1)->Arg(3)->Arg(30);

void index_put(benchmark::State& state) {
  const auto files = static_cast<std::size_t>(state.range(0));
  std::vector<std::pair<RelPath, IndexEntry>> rows;
  for (std::size_t i = 0; i < files; ++i)
    rows.emplace_back(bench::path(i), bench::entry(i));
  for (auto _ : state) {
    Index index;
    for (const auto& [path, entry] : rows)
      index.put(path, entry);
    benchmark::DoNotOptimize(index.totals());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(index_put)->Arg(1'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

void index_find(benchmark::State& state) {
  const auto files = static_cast<std::size_t>(state.range(0));
  Index index;
  for (std::size_t i = 0; i < files; ++i)
    index.put(bench::path(i), bench::entry(i));
  const std::vector<RelPath> paths = bench::paths(files);
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(index.find(paths[next]));
    next = (next + 7919) % files;
  }
}
BENCHMARK(index_find)->Arg(1'000)->Arg(100'000);

// A path four deep against the built-in lines and `range` of a user's, of which none matches.
void ignore_matching(benchmark::State& state) {
  std::vector<std::string> lines;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    const std::string number = std::to_string(i);
    lines.push_back(i % 3 == 0   ? "/drafts" + number + "/"
                    : i % 3 == 1 ? "*.tmp" + number
                                 : "**/cache" + number + "/*.bin");
  }
  const IgnoreRules rules(lines);
  const RelPath path = bench::path(1);
  for (auto _ : state)
    benchmark::DoNotOptimize(rules.ignores(path, false));
}
BENCHMARK(ignore_matching)->Arg(0)->Arg(30)->Arg(1'000);

void hashing(benchmark::State& state) {
  const std::string content = bench::text(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state)
    benchmark::DoNotOptimize(digest_of(content));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(hashing)->Arg(4 << 10)->Arg(1 << 20);

}  // namespace
}  // namespace dagsync
