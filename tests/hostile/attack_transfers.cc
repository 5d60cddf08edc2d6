// Contents: asked for without end, served wrongly.
#include <zstd.h>

#include "hostile/attack.h"

namespace dagsync::hostile {
namespace {

using std::chrono::milliseconds;

// Announces a file of which nobody has the content yet, and waits to be asked for it.
std::optional<Fetch> be_asked(Session& session, const Plan& plan, const std::string& content) {
  session.send(announce_of(plan, {{file_change(plan, plan.path, content, 1), {}}}));
  return session.next_fetch();
}

void wrong_bytes(Session& session, const Plan& plan) {
  const std::string promised(100'000, 'p');
  const auto fetch = be_asked(session, plan, promised);
  if (!fetch) return;
  session.send(FetchBegin{fetch->request, Encoding::kWhole});
  session.send_chunk(fetch->request, std::string(promised.size(), 'e'));
  session.send(FetchEnd{fetch->request, ""});
}

void more_than_announced(Session& session, const Plan& plan) {
  const auto fetch = be_asked(session, plan, std::string(1000, 'p'));
  if (!fetch) return;
  session.send(FetchBegin{fetch->request, Encoding::kWhole});
  const std::string block(kMaxChunkBytes, 'e');
  for (std::uint64_t i = 0; i < plan.count && session.open(); ++i)
    session.send_chunk(fetch->request, block);
}

void chunk_bomb(Session& session, const Plan& plan) {
  const auto fetch = be_asked(session, plan, std::string(100'000, 'p'));
  if (!fetch) return;
  session.send(FetchBegin{fetch->request, Encoding::kWhole});
  const std::string plain(64 << 20, '\0');
  std::string bomb(ZSTD_compressBound(plain.size()), '\0');
  bomb.resize(ZSTD_compress(bomb.data(), bomb.size(), plain.data(), plain.size(), 19));
  for (std::uint64_t i = 0; i < plan.count && session.open(); ++i)
    session.send_chunk(fetch->request, bomb, true);
}

void served_delta_without_end(Session& session, const Plan& plan) {
  const auto fetch = be_asked(session, plan, std::string(100'000, 'p'));
  if (!fetch) return;
  session.send(FetchBegin{fetch->request, Encoding::kDelta});
  std::string delta("\x72\x73\x02\x36", 4);
  const std::string copy("\x4B\x00\x00\x00\x00\x01\x00", 7);
  while (delta.size() + copy.size() < kMaxChunkBytes)
    delta += copy;
  session.send_chunk(fetch->request, delta);
  for (std::uint64_t i = 1; i < plan.count && session.open(); ++i)
    session.send_chunk(fetch->request, std::string_view(delta).substr(4));
}

// Chunks that nobody asked for.
void chunks_of_nothing(Session& session, const Plan& plan) {
  const std::string block(kMaxChunkBytes, 'e');
  for (std::uint64_t i = 0; i < plan.count && session.open(); ++i)
    session.send_chunk(i, block);
}

Fetch fetch_of(const Plan& plan, std::uint64_t request, std::uint64_t credit) {
  Fetch fetch;
  fetch.folder = plan.folder;
  fetch.request = request;
  fetch.path = *RelPath::parse(plan.path);
  fetch.digest = digest_of(plan.text);
  fetch.size = plan.text.size();
  fetch.credit = credit;
  return fetch;
}

// Of a content that the daemon has, `text`, again and again, without ever taking it.
void fetch_without_credit(Session& session, const Plan& plan) {
  for (std::uint64_t request = 1; request <= plan.count && session.open(); ++request)
    session.send(fetch_of(plan, request, 0));
}

void fetch_without_reading(Session& session, const Plan& plan) {
  session.stop_reading();
  for (std::uint64_t request = 1; request <= plan.count && session.open(); ++request)
    session.send(fetch_of(plan, request, std::uint64_t{1} << 62));
}

// Of what the daemon does not have.
void fetch_nothing_without_reading(Session& session, const Plan& plan) {
  session.stop_reading();
  Plan other = plan;
  other.text = "no such content";
  for (std::uint64_t request = 1; request <= plan.count && session.open(); ++request)
    session.send(fetch_of(other, request, 1000));
}

void fetch(Session& session, const Plan& plan) {
  session.send(fetch_of(plan, 1, 1 << 20));
  session.listen_until([&] { return session.heard().messages.contains("fetch_end"); },
                       std::chrono::seconds(5));
}

// What stands in the folder, `count` times, each time when the last answer has come.
void ask_verify(Session& session, const Plan& plan) {
  for (std::uint64_t request = 1; request <= plan.count && session.open(); ++request) {
    session.send(Verify{plan.folder, request, {}, {}});
    session.listen_until([&] {
      const auto answers = session.heard().messages.find("verify_page");
      return answers != session.heard().messages.end() && answers->second >= request;
    });
  }
}

void pings_without_reading(Session& session, const Plan& plan) {
  session.stop_reading();
  std::string frames;
  for (int i = 0; i < 1000; ++i)
    frames += frame_message(Ping{7});
  for (std::uint64_t i = 0; i < plan.count && session.open(); ++i)
    session.send_raw(frames);
}

void lists_without_reading(Session& session, const Plan& plan) {
  session.stop_reading();
  for (std::uint64_t i = 0; i < plan.count && session.open(); ++i)
    session.send(List{plan.folder});
}

// Refuses whatever it is asked for.
void refuse_contents(Session& session, const Plan& plan) {
  session.send(announce_of(plan, {{file_change(plan, plan.path, plan.text, 1), {}}}));
  while (const auto asked = session.next_fetch())
    session.send(FetchEnd{asked->request, "no"});
}

}  // namespace

const Attacks& transfer_attacks() {
  static const Attacks attacks = {
      {"wrong-bytes", wrong_bytes},
      {"more-than-announced", more_than_announced},
      {"chunk-bomb", chunk_bomb},
      {"served-delta-without-end", served_delta_without_end},
      {"chunks-of-nothing", chunks_of_nothing},
      {"fetch-without-credit", fetch_without_credit},
      {"fetch-without-reading", fetch_without_reading},
      {"fetch-nothing-without-reading", fetch_nothing_without_reading},
      {"fetch", fetch},
      {"ask-verify", ask_verify},
      {"pings-without-reading", pings_without_reading},
      {"lists-without-reading", lists_without_reading},
      {"refuse-contents", refuse_contents},
  };
  return attacks;
}

}  // namespace dagsync::hostile
