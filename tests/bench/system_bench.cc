// What touches the system: comparing a folder with its index, publishing, TLS, the store. In
// TMPDIR.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/samples.h"
#include "dagsync/engine/observe/scanner.h"
#include "net/net_fixture.h"
#include "posix/disk_world.h"
#include "store/samples.h"
#include "support/inline_worker.h"

namespace dagsync {
namespace {

class NoWatcher final : public Watcher {
 public:
  void start(Handlers) override {}
  Status watch(const RelPath&) override { return {}; }
  void unwatch(const RelPath&) override {}
  void drain() override {}
  [[nodiscard]] std::size_t watches() const override { return 0; }
};

// A folder of `files` small files that the index has just as they stand.
void fill(DiskWorld& world, Index& index, std::size_t files) {
  for (std::size_t i = 0; i < files; ++i) {
    const RelPath path = bench::path(i);
    const std::string name(path.bytes());
    std::filesystem::create_directories(std::filesystem::path(world.real(name)).parent_path());
    world.write(name, "x = " + std::to_string(i) + "\n");
    IndexEntry entry = bench::entry(i);
    entry.disk = world.disk().stat(path).value();
    index.put(path, std::move(entry));
  }
}

void scan_unchanged(benchmark::State& state) {
  const auto files = static_cast<std::size_t>(state.range(0));
  DiskWorld world;
  Index index;
  fill(world, index, files);
  InlineWorker worker;
  NoWatcher watcher;
  const IgnoreRules rules;
  Scanner scanner(worker, world.disk(), watcher, index, rules);
  for (auto _ : state) {
    bool done = false;
    scanner.scan({RelPath()}, [&](const Scanner::Found&) { done = true; });
    worker.run_all();
    if (!done) state.SkipWithError("the scan has not come to its end");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(scan_unchanged)->Arg(2'000)->Unit(benchmark::kMillisecond);

// One file of 4 KiB staged and put in the place of the last one; nothing synced.
void publish_file(benchmark::State& state) {
  DiskWorld world;
  const RelPath path = rel("dag.py");
  const std::string content = bench::text(4 << 10);
  world.write("dag.py", content);
  Disk::Expected standing = world.disk().stat(path).value();
  for (auto _ : state) {
    auto staged = world.disk().stage_file(content.size()).value();
    REQUIRE((*staged).append(content).has_value());
    REQUIRE(staged->finish({0644, UnixNanos{1'700'000'000'000'000'000}, {}}).has_value());
    const auto published = world.disk().publish(path, standing, std::move(staged), std::nullopt,
                                                [](const RelPath&, FileType) { return false; });
    REQUIRE(published.has_value());
    standing = published->now;
  }
}
BENCHMARK(publish_file)->Unit(benchmark::kMicrosecond);

// `range` bytes there and as many back.
void tls_round_trip(benchmark::State& state) {
  const std::string bytes = bench::text(static_cast<std::size_t>(state.range(0)));
  test::Net net;
  test::Pair pair(net);
  std::size_t there = 0;
  std::size_t back = 0;
  pair.near->start({[&](std::string_view piece) { back += piece.size(); }, [] {}, [](Error) {}});
  pair.far->start({[&](std::string_view piece) {
                     there += piece.size();
                     if (there < bytes.size()) return;
                     there = 0;
                     pair.far->send(bytes);
                   },
                   [] {}, [](Error) {}});
  for (auto _ : state) {
    back = 0;
    pair.near->send(bytes);
    REQUIRE(net.wait([&] { return back == bytes.size(); }));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * 2);
}
BENCHMARK(tls_round_trip)->Arg(4 << 10)->Arg(1 << 20)->Unit(benchmark::kMicrosecond)->UseRealTime();

// `rows` entries in one transaction, which survives the end of the process or a power cut.
void commit_rows(benchmark::State& state, int rows, Durability durability) {
  const StateDirectory directory;
  const auto store = directory.open();
  REQUIRE(store->load().has_value());
  const Transaction transaction = many_entries(rows);
  for (auto _ : state)
    REQUIRE(store->commit(transaction, durability).has_value());
  state.SetItemsProcessed(state.iterations() * rows);
}
void store_commit_lazy(benchmark::State& state) {
  commit_rows(state, static_cast<int>(state.range(0)), Durability::kLazy);
}
void store_commit_durable(benchmark::State& state) {
  commit_rows(state, static_cast<int>(state.range(0)), Durability::kDurable);
}
BENCHMARK(store_commit_lazy)->Arg(1)->Arg(1'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(store_commit_durable)->Arg(1)->Arg(1'000)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace dagsync
