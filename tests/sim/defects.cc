#include "defects.h"

#include <algorithm>
#include <memory>

#include "dagsync/wire/framing.h"

namespace dagsync::sim {
namespace {

std::function<void(Options&)> on_machines(std::function<void(Machine&)> change) {
  return [change = std::move(change)](Options& options) { options.break_machine = change; };
}

// Gives each message to `edit`, which may change it, or say that it is lost. The rest of the stream
// stays as it is, cut at other places.
std::function<void(Options&)> on_messages(std::function<bool(Message&)> edit) {
  const auto make = [edit = std::move(edit)]() -> Network::Rewrite {
    struct Stream {
      FrameReader reader;
      std::string out;
    };
    auto stream = std::make_shared<Stream>();
    stream->reader.trust();
    return [stream, edit](const std::string&, std::string_view bytes) {
      stream->out.clear();
      const Status fed =
          stream->reader.feed(bytes, {[&](Message&& message) -> Status {
                                        if (edit(message)) stream->out += frame_message(message);
                                        return {};
                                      },
                                      [&](const Chunk& chunk) -> Status {
                                        stream->out += frame_chunk_header(
                                            chunk.request, chunk.bytes.size(), chunk.compressed);
                                        stream->out += chunk.bytes;
                                        return {};
                                      }});
      DAGSYNC_ASSERT(fed.has_value());
      return stream->out;
    };
  };
  return [make](Options& options) { options.break_network = make; };
}

// A version's own time instead of one after all that it has seen.
bool forget_causality(Message& message) {
  if (auto* announce = std::get_if<Announce>(&message)) {
    for (Announce::Item& item : announce->items) {
      Record& record = item.change.record;
      if (record.content.kind == Kind::kFile) record.stamp = record.content.mtime;
    }
  }
  return true;
}

// A snapshot of which nothing arrives but its end.
bool lose_pages(Message& message) {
  const auto* announce = std::get_if<Announce>(&message);
  return announce == nullptr || announce->page == 0;
}

// Says that it has durably what it has only heard of.
bool acknowledge_early(Message& message) {
  if (auto* tell = std::get_if<Tell>(&message)) tell->durable.add(tell->received);
  return true;
}

constexpr const char* kNobodyWrote = "published a content that nobody wrote";
constexpr const char* kNobodyMade = "told of a change that nobody made there";
constexpr const char* kThrownAway = "threw away the last copy of a content";
constexpr const char* kUntrue = "says in sync, but";
constexpr const char* kNeverEqual = "after everything was mended";

}  // namespace

const std::vector<Defect>& defects() {
  static const std::vector<Defect> all = {
      {"no-digest-check", "what is published is what was announced", kNobodyWrote,
       on_machines([](Machine& machine) { machine.disk_faults.corrupts_staged = true; })},
      {"forgotten-tombstone", "a tombstone lives until everybody has it", kNobodyMade,
       on_machines([](Machine& machine) { machine.store_faults.forgets_tombstones = true; })},
      {"lazy-acknowledgement", "only what is durable is acknowledged", kNobodyMade,
       on_machines([](Machine& machine) { machine.store_faults.is_always_lazy = true; })},
      {"early-acknowledgement", "what is only on its way is not acknowledged", kUntrue,
       on_messages(acknowledge_early)},
      {"wall-clock-first", "a version is younger than what it has seen", kNeverEqual,
       on_messages(forget_causality)},
      {"silent-overflow", "lost hints are found by a comparison", kNeverEqual,
       on_machines([](Machine& machine) {
         machine.watcher_faults.queue = 2;
         machine.watcher_faults.hides_overflow = true;
       })},
      {"echo", "what dagsync published is no edit", kNobodyMade,
       on_machines([](Machine& machine) { machine.disk_faults.rounds_mtimes = true; })},
      {"loser-not-kept", "every loser is kept", kThrownAway,
       on_machines([](Machine& machine) { machine.disk_faults.keeps_nothing = true; })},
      {"no-intent", "our own torn write is no edit", kNobodyMade,
       on_machines([](Machine& machine) { machine.store_faults.forgets_intents = true; })},
      {"blind-replace", "a writer who was faster than the index is noticed", kThrownAway,
       on_machines([](Machine& machine) { machine.disk_faults.expects_nothing = true; })},
      {"no-lease", "half a file does not travel", kNobodyMade,
       on_machines([](Machine& machine) { machine.disk_faults.sees_no_writers = true; })},
      {"no-sync", "a file is durable before its intent is cleared", kNobodyMade,
       on_machines([](Machine& machine) { machine.disk_faults.syncs_nothing = true; })},
      {"lost-pages", "a snapshot's end fills gaps only where all of it was sent", kUntrue,
       on_messages(lose_pages)},
  };
  return all;
}

std::function<void(Options&)> losing_announcements(std::size_t& lost) {
  return on_messages([&lost](Message& message) {
    const auto* announce = std::get_if<Announce>(&message);
    const bool is_lost = announce != nullptr && announce->page == 0 && !announce->items.empty() &&
                         announce->items.front().change.id.sequence % 3 == 0;
    if (is_lost) ++lost;
    return !is_lost;
  });
}

}  // namespace dagsync::sim
