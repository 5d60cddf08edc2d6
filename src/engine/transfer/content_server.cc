#include "dagsync/engine/transfer/content_server.h"

#include <algorithm>
#include <optional>

#include "dagsync/delta/delta.h"
#include "dagsync/wire/framing.h"

namespace dagsync {
namespace {

constexpr std::size_t kDeltaReadsAStep = 32;  // a delta of equal blocks puts out next to nothing
constexpr std::uint64_t kCompressFrom = 256;  // bytes; below, the frame is all there is

struct Piece {
  bool compressed = false;
  std::string bytes;
};

// A file that has the content, as the index last saw it.
struct Source {
  RelPath path;
  std::optional<DiskState> disk;
};

// What has been edited since is not the content that was asked for, and may not be for the asker:
// in a receive-only folder it must not leave.
bool shows(const DiskState& now, const Source& source, std::uint64_t size) {
  if (now.size != size) return false;
  return !source.disk || (source.disk->inode == now.inode && source.disk->mtime == now.mtime &&
                          source.disk->ctime == now.ctime);
}

}  // namespace

struct ContentServer::Session {
  // Set by the loop thread.
  std::vector<Source> sources;
  std::optional<KeptId> kept;
  Digest digest;
  std::uint64_t size = 0;
  std::string signature;
  std::int64_t credit = 0;  // may fall below zero by one step
  std::uint64_t sent = 0;
  bool started = false;
  bool working = false;

  // Used by the one job that is under way.
  std::unique_ptr<ReadFile> file;
  std::unique_ptr<Signature> parsed;
  std::unique_ptr<DeltaBuilder> delta;
  std::uint64_t offset = 0;
  bool try_compression = true;
  bool ended = false;
  std::string buffer;  // read into; what goes as it is comes back here when it is sent
  std::string output;  // of the delta, not cut into pieces yet

  Status open(Disk& disk);
  Result<std::vector<Piece>> next();
  Status read_some();
  std::optional<std::string> compress(std::string_view bytes);
  void cut(std::string_view bytes, std::vector<Piece>& pieces);
};

Status ContentServer::Session::open(Disk& disk) {
  Error last{ErrorCode::kNotFound, "this node does not have it any more"};
  for (const Source& source : sources) {
    auto opened = disk.open(source.path);
    if (!opened) {
      last = opened.error();
      continue;
    }
    const auto state = (*opened)->state();
    if (!state || !shows(*state, source, size)) continue;
    file = std::move(*opened);
    break;
  }
  if (!file && kept) {
    auto opened = disk.open_kept(*kept);
    if (opened) file = std::move(*opened);
  }
  if (!file) return Unexpected(last);
  if (signature.empty()) return {};
  auto parsed_signature = Signature::parse(signature);
  if (!parsed_signature) return Unexpected(parsed_signature.error());
  parsed = std::make_unique<Signature>(std::move(*parsed_signature));
  delta = std::make_unique<DeltaBuilder>(*parsed);
  return {};
}

// Nothing where it does not pay; what begins incompressible mostly stays so.
std::optional<std::string> ContentServer::Session::compress(std::string_view bytes) {
  if (!try_compression || bytes.size() < kCompressFrom) return std::nullopt;
  auto compressed = compress_chunk(bytes);
  try_compression = compressed.has_value();
  return compressed;
}

void ContentServer::Session::cut(std::string_view bytes, std::vector<Piece>& pieces) {
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kMaxChunkBytes);
    bytes.remove_prefix(part.size());
    if (auto compressed = compress(part)) {
      pieces.push_back({true, std::move(*compressed)});
    } else {
      pieces.push_back({false, std::string(part)});
    }
  }
}

// No more than was asked for, should the file grow; of one that became shorter, what is left.
Status ContentServer::Session::read_some() {
  buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(size - offset, kMaxChunkBytes)));
  const auto got = file->read(offset, buffer);
  if (!got) return Unexpected(got.error());
  buffer.resize(*got);
  offset += *got;
  ended = *got == 0 || offset == size;
  return {};
}

Result<std::vector<Piece>> ContentServer::Session::next() {
  std::vector<Piece> pieces;
  const auto collect = [this](std::string_view bytes) -> Status {
    output.append(bytes);
    return {};
  };
  for (std::size_t reads = 0; reads < kDeltaReadsAStep && !ended; ++reads) {
    if (const Status read = read_some(); !read) return Unexpected(read.error());
    if (!delta) {
      if (auto compressed = compress(buffer)) {
        pieces.push_back({true, std::move(*compressed)});
      } else if (!buffer.empty()) {
        pieces.push_back({false, std::exchange(buffer, {})});
      }
      return pieces;
    }
    Status built = delta->update(buffer, collect);
    if (built && ended) built = delta->finish(collect);
    if (!built) return Unexpected(built.error());
    if (output.size() >= kMaxChunkBytes || ended) break;
  }
  cut(std::exchange(output, {}), pieces);
  return pieces;
}

ContentServer::ContentServer(Worker& worker, Disk& disk, Outlet& outlet, const Index& index,
                             FindKept find_kept)
    : worker_(worker),
      disk_(disk),
      outlet_(outlet),
      index_(index),
      find_kept_(std::move(find_kept)) {}

void ContentServer::refuse(const NodeName& peer, std::uint64_t request, std::string why) {
  outlet_.send(peer, FetchEnd{request, std::move(why)});
}

void ContentServer::on_fetch(const NodeName& from, Fetch fetch) {
  const Key key{from, fetch.request};
  const auto known = askers_.find(from);
  const bool has_too_many = known != askers_.end() && known->second.requests >= kRequestsPerPeer;
  if (sessions_.contains(key) || has_too_many) {
    refuse(from, fetch.request, "too many requests at once");
    return;
  }
  auto session = std::make_shared<Session>();
  for (const RelPath& path : index_.paths_of(fetch.digest, 4))
    session->sources.push_back({path, index_.find(path)->disk});
  session->kept = find_kept_(fetch.digest);
  if (session->sources.empty() && !session->kept) {
    refuse(from, fetch.request, "this node does not have it any more");
    return;
  }
  session->digest = fetch.digest;
  session->size = fetch.size;
  if (has_room_for(from, fetch.signature.size())) session->signature = std::move(fetch.signature);
  session->credit = static_cast<std::int64_t>(std::min(fetch.credit, kMostCredit));
  sessions_.emplace(key, session);
  Asker& asker = askers_[from];
  ++asker.requests;
  asker.waiting.push_back(key);
  start_more(from);
}

void ContentServer::start_more(const NodeName& peer) {
  Asker& asker = askers_.at(peer);
  while (!asker.waiting.empty() && asker.sessions < kSessionsPerPeer) {
    const Key key = std::move(asker.waiting.front());
    asker.waiting.pop_front();
    ++asker.sessions;
    start(key, sessions_.at(key));
  }
}

void ContentServer::end(const Key& key, std::string why) {
  refuse(key.first, key.second, std::move(why));
  drop(key);
}

void ContentServer::drop(const Key& key) {
  const auto session = sessions_.extract(key);
  if (!session) return;
  Asker& asker = askers_.at(key.first);
  --asker.requests;
  if (session.mapped()->started) {
    --asker.sessions;
  } else {
    std::erase(asker.waiting, key);
  }
  start_more(key.first);
  if (asker.requests == 0) askers_.erase(key.first);
}

void ContentServer::start(const Key& key, const std::shared_ptr<Session>& session) {
  session->started = session->working = true;
  worker_.compute(
      kPool, [this, session] { return session->open(disk_); },
      [this, key, session](const Status& opened) {
        session->working = false;
        if (!sessions_.contains(key)) return;
        if (!opened) return end(key, opened.error().message);
        outlet_.send(key.first,
                     FetchBegin{key.second, session->delta ? Encoding::kDelta : Encoding::kWhole});
        step(key, session);
      });
}

void ContentServer::step(const Key& key, const std::shared_ptr<Session>& session) {
  if (session->working) return;
  // on_credit() or drained() goes on.
  if (session->credit <= 0 || outlet_.queued_bytes(key.first) > kMostQueuedBytes) {
    session->buffer = std::string();
    return;
  }
  session->working = true;
  worker_.compute(
      kPool, [session] { return session->next(); },
      [this, key, session](Result<std::vector<Piece>> pieces) {
        session->working = false;
        if (!sessions_.contains(key)) return;
        if (!pieces) return end(key, pieces.error().message);
        for (Piece& piece : *pieces) {
          session->credit -= static_cast<std::int64_t>(piece.bytes.size());
          session->sent += piece.bytes.size();
          outlet_.send_chunk(key.first, {key.second, piece.compressed, piece.bytes});
          if (!piece.compressed && !session->delta) session->buffer = std::move(piece.bytes);
        }
        if (session->ended) {
          if (session->delta && session->size > session->sent)
            saved_bytes_ += session->size - session->sent;
          return end(key, "");
        }
        step(key, session);
      });
}

void ContentServer::on_credit(const NodeName& from, const Credit& credit) {
  const Key key{from, credit.request};
  const auto it = sessions_.find(key);
  if (it == sessions_.end()) return;
  const auto session = it->second;
  if (!session->started) return;
  const auto most = static_cast<std::int64_t>(kMostCredit);
  const auto more = static_cast<std::int64_t>(std::min(credit.bytes, kMostCredit));
  session->credit = std::min(most, session->credit + more);
  step(key, session);
}

void ContentServer::on_cancel(const NodeName& from, const Cancel& cancel) {
  drop({from, cancel.request});
}

void ContentServer::drained(const NodeName& peer) {
  std::vector<std::pair<Key, std::shared_ptr<Session>>> of_peer;  // a step may end one
  for (const auto& [key, session] : sessions_) {
    if (key.first == peer && session->started) of_peer.emplace_back(key, session);
  }
  for (const auto& [key, session] : of_peer)
    step(key, session);
}

bool ContentServer::has_room_for(const NodeName& peer, std::size_t signature_bytes) const {
  for (const auto& [key, session] : sessions_) {
    if (key.first == peer) signature_bytes += session->signature.size();
  }
  return signature_bytes <= kSignatureBytesPerPeer;
}

void ContentServer::peer_lost(const NodeName& peer) {
  std::erase_if(sessions_, [&](const auto& entry) { return entry.first.first == peer; });
  askers_.erase(peer);
}

}  // namespace dagsync
