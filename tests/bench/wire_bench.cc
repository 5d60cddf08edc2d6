// Messages as bytes and back, compression included.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/samples.h"
#include "dagsync/wire/codec.h"
#include "dagsync/wire/framing.h"

namespace dagsync {
namespace {

Announce announcement(std::size_t files, std::size_t bytes_each) {
  Announce announce;
  announce.folder = "dags";
  for (std::size_t i = 0; i < files; ++i) {
    const IndexEntry entry = bench::entry(i);
    Announce::Item item{{bench::path(i), entry.id, entry.record}, {}};
    if (bytes_each > 0) item.content = Announce::Whole{bench::text(bytes_each, i + 1)};
    announce.items.push_back(std::move(item));
  }
  return announce;
}

void encode_records(benchmark::State& state) {
  const Message message = announcement(1'000, 0);
  for (auto _ : state)
    benchmark::DoNotOptimize(encode(message));
  state.SetItemsProcessed(state.iterations() * 1'000);
}
BENCHMARK(encode_records)->Unit(benchmark::kMicrosecond);

void decode_records(benchmark::State& state) {
  const std::string bytes = encode(announcement(1'000, 0));
  for (auto _ : state)
    benchmark::DoNotOptimize(decode(bytes));
  state.SetItemsProcessed(state.iterations() * 1'000);
}
BENCHMARK(decode_records)->Unit(benchmark::kMicrosecond);

// `range` files of 4 KiB with their contents, as a save or a `cp -r` sends them.
void frame_contents(benchmark::State& state) {
  const Message message = announcement(static_cast<std::size_t>(state.range(0)), 4 << 10);
  for (auto _ : state)
    benchmark::DoNotOptimize(frame_message(message));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(frame_contents)->Arg(1)->Arg(100)->Unit(benchmark::kMicrosecond);

void read_contents(benchmark::State& state) {
  const std::string frame =
      frame_message(announcement(static_cast<std::size_t>(state.range(0)), 4 << 10));
  FrameReader reader;
  reader.trust();
  std::size_t items = 0;
  const FrameReader::Handlers handlers{[&](Message&& message) -> Status {
                                         items += std::get<Announce>(message).items.size();
                                         return {};
                                       },
                                       [](const Chunk&) -> Status { return {}; }};
  for (auto _ : state) {
    if (!reader.feed(frame, handlers)) state.SkipWithError("the frame is refused");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(items));
}
BENCHMARK(read_contents)->Arg(1)->Arg(100)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace dagsync
