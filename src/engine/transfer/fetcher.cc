#include "dagsync/engine/transfer/fetcher.h"

#include <algorithm>
#include <utility>

#include "dagsync/delta/delta.h"
#include "dagsync/engine/transfer/local_content.h"
#include "fetch_assembly.h"

namespace dagsync {
struct Fetcher::Session {
  std::uint64_t ticket = 0;
  Order order;
  Done done;
  std::size_t source = 0;     // which of order.sources is asked now
  std::uint64_t request = 0;  // 0: none under way
  bool may_delta = true;
  std::uint64_t window = 0;   // bytes that the peer may send ahead
  std::uint64_t owed = 0;     // of those, what has not come
  std::vector<Chunk> pieces;  // came, not worked on
  std::uint64_t piece_bytes = 0;
  std::uint64_t chunks = 0;  // of this attempt
  bool begun = false;
  bool ended = false;
  bool working = false;  // a job has the assembly
  bool closed = false;
  std::uint64_t attempt = 0;  // results of jobs of an earlier one are dropped
  MonoNanos last_byte;
  Error last_error{ErrorCode::kUnavailable, "no connected peer has it"};
  std::shared_ptr<Assembly> assembly;

  [[nodiscard]] const NodeName& peer() const { return order.sources[source]; }
  // Worked on when all of it is here: no file stands open meanwhile.
  [[nodiscard]] bool is_small() const { return order.content.size < kWholeBelow; }
  // Bytes beyond the window that its last piece may have.
  [[nodiscard]] std::uint64_t beyond() const { return is_small() ? 0 : kLeastWindow; }
};

Fetcher::Fetcher(std::string folder, Clock& clock, Worker& worker, Disk& disk, Outlet& outlet)
    : folder_(std::move(folder)), clock_(clock), worker_(worker), disk_(disk), outlet_(outlet) {}

Fetcher::~Fetcher() {
  clock_.cancel(stall_timer_);
  clock_.cancel(start_timer_);
}

std::uint64_t Fetcher::fetch(Order order, Done done) {
  auto session = std::make_shared<Session>();
  session->ticket = next_ticket_++;
  session->order = std::move(order);
  session->done = std::move(done);
  const NodeName first = session->order.sources.empty() ? NodeName() : session->peer();
  queues_[{first, session->is_small()}].push_back(session);
  const std::uint64_t ticket = session->ticket;
  start_soon();
  return ticket;
}

// Not at once: a queue whose every order fails must not become a recursion.
void Fetcher::start_soon() {
  if (start_timer_ != TimerId{}) return;
  start_timer_ = clock_.after(Duration(0), [this] {
    start_timer_ = {};
    start_more();
  });
}

std::size_t Fetcher::most_of(const Queue& queue) const {
  const auto& [source, is_small] = queue;
  if (!is_small) return kSessionsPerSource;
  return outlet_.minor(source) >= kManyFetchesMinor ? kSmallPerSource : kSmallPerOldSource;
}

// One source that hangs must not hold up what others have.
void Fetcher::start_more() {
  std::map<Queue, std::size_t> busy;
  for (const auto& [ticket, session] : active_)
    ++busy[{session->peer(), session->is_small()}];
  std::vector<std::shared_ptr<Session>> starting;
  for (auto& [key, queue] : queues_) {
    const std::size_t most = most_of(key);
    for (std::size_t& count = busy[key]; !queue.empty() && count < most; ++count) {
      starting.push_back(std::move(queue.front()));
      queue.pop_front();
    }
  }
  std::erase_if(queues_, [](const auto& entry) { return entry.second.empty(); });
  for (const auto& session : starting) {
    active_.emplace(session->ticket, session);
    ask(session);
  }
  if (stall_timer_ == TimerId{} && !active_.empty()) {
    stall_timer_ = clock_.after(kStall / 3, [this] { watch_for_stalls(); });
  }
}

void Fetcher::watch_for_stalls() {
  stall_timer_ = {};
  const MonoNanos now = clock_.mono();
  std::vector<std::shared_ptr<Session>> stalled;
  for (const auto& [ticket, session] : active_) {
    if (session->request != 0 && !session->working && now - session->last_byte > kStall) {
      stalled.push_back(session);
    }
  }
  for (const auto& session : stalled) {
    attempt_failed(session, {ErrorCode::kUnavailable, session->peer().value + " sends nothing"});
  }
  start_more();
}

void Fetcher::name_request(const std::shared_ptr<Session>& session, std::uint64_t request) {
  asked_.erase(session->request);
  session->request = request;
  if (request != 0) asked_.emplace(request, session);
}

void Fetcher::ask(const std::shared_ptr<Session>& session) {
  ++session->attempt;
  name_request(session, 0);
  session->begun = session->ended = false;
  session->pieces.clear();
  session->piece_bytes = 0;
  session->chunks = 0;
  session->last_byte = clock_.mono();
  const auto connected = outlet_.connected();
  while (session->source < session->order.sources.size() &&
         std::find(connected.begin(), connected.end(), session->peer()) == connected.end()) {
    ++session->source;
  }
  if (session->source >= session->order.sources.size()) {
    close(session, Unexpected(session->last_error));
    return;
  }
  const bool delta =
      session->may_delta && session->order.basis && session->order.content.size >= kWholeBelow;
  if (!delta) {
    send_fetch(session, "");
    return;
  }
  worker_.compute(
      kPool, [this, basis = *session->order.basis] { return signature_of(disk_, basis); },
      [this, session, attempt = session->attempt](Result<std::string> signature) {
        if (session->closed || session->attempt != attempt) return;
        send_fetch(session, signature ? std::move(*signature) : std::string());
      });
}

void Fetcher::send_fetch(const std::shared_ptr<Session>& session, std::string signature) {
  name_request(session, outlet_.next_request());
  session->last_byte = clock_.mono();
  session->window = session->owed = window_for(*session);
  const Content& content = session->order.content;
  outlet_.send(session->peer(),
               Fetch{folder_, session->request, session->order.path, content.digest, content.size,
                     std::move(signature), session->window});
}

// Compressed or not, no more than the content's size is ever under way.
std::uint64_t Fetcher::window_for(const Session& session) const {
  if (session.is_small()) return kWholeBelow;
  std::uint64_t granted = 0;
  for (const auto& [ticket, other] : active_) {
    if (other.get() != &session) granted += other->window;
  }
  const double seconds = to_seconds(outlet_.round_trip(session.peer()).value_or(Duration(0)));
  const auto filling = static_cast<std::uint64_t>(
      std::min(seconds * static_cast<double>(kWindowRate), static_cast<double>(kMostWindow)));
  const std::uint64_t left = kMostWindows - std::min(granted, kMostWindows);
  return std::max(kLeastWindow, std::min({filling, left, session.order.content.size}));
}

std::shared_ptr<Fetcher::Session> Fetcher::find(const NodeName& from, std::uint64_t request) const {
  const auto it = asked_.find(request);
  return it != asked_.end() && it->second->peer() == from ? it->second : nullptr;
}

void Fetcher::on_begin(const NodeName& from, const FetchBegin& begin) {
  const auto session = find(from, begin.request);
  if (!session || session->begun) return;
  session->begun = true;
  session->last_byte = clock_.mono();
  session->assembly = std::make_shared<Assembly>();
  session->assembly->most = session->order.content.size;
  if (!session->is_small()) {
    begin_staging(session, begin.encoding);
  } else if (begin.encoding == Encoding::kDelta) {
    attempt_failed(session, {ErrorCode::kInvalid, kUnaskedDelta});
  }
}

void Fetcher::begin_staging(const std::shared_ptr<Session>& session, Encoding encoding) {
  const bool delta = encoding == Encoding::kDelta;
  session->working = true;
  worker_.compute(
      kPool,
      [this, assembly = session->assembly, delta, basis = session->order.basis]() -> Status {
        auto staged = disk_.stage_file(assembly->most);
        if (!staged) return Unexpected(staged.error());
        assembly->staged = std::move(*staged);
        if (!delta) return {};
        if (!basis) return fail(ErrorCode::kInvalid, kUnaskedDelta);
        auto file = disk_.open(*basis);
        if (!file) return Unexpected(file.error());
        assembly->basis = std::move(*file);
        assembly->patcher = std::make_unique<Patcher>(
            [file = assembly->basis.get()](std::uint64_t offset, std::span<char> buffer) {
              return file->read(offset, buffer);
            },
            assembly->most);
        return {};
      },
      [this, session, attempt = session->attempt](const Status& status) {
        if (session->closed || session->attempt != attempt) return;
        session->working = false;
        if (status) {
          pump(session);
        } else {
          attempt_failed(session, status.error());
        }
      });
}

bool Fetcher::on_chunk(const NodeName& from, Chunk&& chunk) {
  const auto session = find(from, chunk.request);
  if (!session) return taken_back_.covers(from, chunk.request, chunk.bytes.size());
  if (!session->begun || session->ended) return false;
  // The credit counts bytes: what many small chunks take here beside them it would not bound.
  const std::uint64_t most = session->order.content.size / kLeastChunk + kSmallerChunks;
  if (chunk.bytes.empty() || ++session->chunks > most) {
    attempt_failed(session, {ErrorCode::kInvalid, from.value + " sends chunks of next to nothing"});
    return true;
  }
  session->last_byte = clock_.mono();
  session->owed -= std::min<std::uint64_t>(session->owed, chunk.bytes.size());
  session->piece_bytes += chunk.bytes.size();
  if (session->piece_bytes > session->window + session->beyond()) {
    attempt_failed(session, {ErrorCode::kInvalid, from.value + " sends more than it may"});
    return true;
  }
  session->pieces.push_back(std::move(chunk));
  pump(session);
  return true;
}

// The peer may send what it was allowed to, and a last piece beyond, until it hears of this.
void Fetcher::take_back(const Session& session) {
  if (session.request == 0) return;
  outlet_.send(session.peer(), Cancel{session.request});
  taken_back_.note(session.peer(), session.request, session.owed + session.beyond());
}

void Fetcher::on_end(const NodeName& from, const FetchEnd& end) {
  const auto session = find(from, end.request);
  if (!session) return;
  if (!end.error.empty() || !session->begun) {
    attempt_failed(session, {ErrorCode::kUnavailable, from.value + ": " + end.error});
    return;
  }
  session->ended = true;
  pump(session);
}

void Fetcher::pump(const std::shared_ptr<Session>& session) {
  if (session->working) return;
  if (session->pieces.empty() || session->is_small()) {
    if (session->ended) finish(session);
    return;
  }
  session->working = true;
  worker_.compute(
      kPool,
      [assembly = session->assembly, pieces = std::exchange(session->pieces, {})] {
        return digest_pieces(*assembly, pieces);
      },
      [this, session, attempt = session->attempt,
       bytes = std::exchange(session->piece_bytes, 0)](const Status& status) {
        if (session->closed || session->attempt != attempt) return;
        session->working = false;
        if (!status) {
          attempt_failed(session, status.error());
          return;
        }
        if (!session->ended) {
          session->owed += bytes;
          outlet_.send(session->peer(), Credit{session->request, bytes});
        }
        pump(session);
      });
}

void Fetcher::finish(const std::shared_ptr<Session>& session) {
  session->working = true;
  name_request(session, 0);
  worker_.compute(
      kPool,
      [this, assembly = session->assembly, content = session->order.content,
       pieces = std::exchange(session->pieces, {})]() -> Result<std::unique_ptr<Staged>> {
        if (!assembly->staged) {
          auto staged = disk_.stage_file(assembly->most);
          if (!staged) return Unexpected(staged.error());
          assembly->staged = std::move(*staged);
        }
        const Status digested = digest_pieces(*assembly, pieces);
        if (!digested) return Unexpected(digested.error());
        return complete(*assembly, content);
      },
      [this, session, attempt = session->attempt](Result<std::unique_ptr<Staged>> staged) {
        if (session->closed || session->attempt != attempt) return;
        session->working = false;
        if (staged) {
          close(session, std::move(staged));
        } else {
          attempt_failed(session, staged.error());
        }
      });
}

// A delta that did not work is tried whole from the same peer; after that, the next source.
void Fetcher::attempt_failed(const std::shared_ptr<Session>& session, const Error& error) {
  take_back(*session);
  session->last_error = error;
  session->working = false;
  session->assembly.reset();
  if (error.code == ErrorCode::kNoSpace || error.code == ErrorCode::kPermission) {
    close(session, Unexpected(error));
    return;
  }
  const bool was_delta =
      session->may_delta && session->order.basis && session->begun && !session->is_small();
  session->may_delta = false;
  if (!was_delta) ++session->source;
  ask(session);
}

void Fetcher::close(const std::shared_ptr<Session>& session,
                    Result<std::unique_ptr<Staged>> result) {
  session->closed = true;
  name_request(session, 0);
  active_.erase(session->ticket);
  const Done done = std::move(session->done);
  done(std::move(result));
  start_soon();
}

void Fetcher::forget(std::uint64_t ticket) {
  for (auto& [key, queue] : queues_)
    std::erase_if(queue, [&](const auto& session) { return session->ticket == ticket; });
  const auto it = active_.find(ticket);
  if (it == active_.end()) return;
  const auto session = it->second;
  take_back(*session);
  session->closed = true;
  name_request(session, 0);
  active_.erase(it);
  start_soon();
}

void Fetcher::peer_lost(const NodeName& peer) {
  std::vector<std::shared_ptr<Session>> lost;
  for (const auto& [ticket, session] : active_) {
    if (session->request != 0 && session->peer() == peer) lost.push_back(session);
  }
  for (const auto& session : lost) {
    attempt_failed(session, {ErrorCode::kUnavailable, peer.value + " went away"});
  }
  taken_back_.forget(peer);
}

std::uint64_t Fetcher::bytes_left() const {
  std::uint64_t bytes = 0;
  for (const auto& [key, queue] : queues_) {
    for (const auto& session : queue)
      bytes += session->order.content.size;
  }
  for (const auto& [ticket, session] : active_)
    bytes += session->order.content.size;
  return bytes;
}

}  // namespace dagsync
