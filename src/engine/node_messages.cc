// What peers say, and who hears it.
#include <type_traits>
#include <utility>

#include "dagsync/engine/node.h"
#include "dagsync/engine/peers/rights.h"

namespace dagsync {
namespace {

// To the asking side, which shows it to people.
constexpr const char* kMayNotReceive =
    "this node may not receive there: add \"receive\" to `may` of its [[peer]]";

// Contents that nobody asked for: what was under way to a folder that is gone is no more than this.
constexpr double kMostUnasked = 64 << 20;
constexpr double kUnaskedPerSecond = 1 << 20;

}  // namespace

template <typename Call>
void Node::with_folder(const NodeName& peer, const std::string& name, Call call) {
  const auto it = meetings_.find(peer);
  if (it != meetings_.end() && it->second.folders.contains(name)) {
    call(*folders_.at(name));
  } else if (it != meetings_.end() && it->second.former.contains(name)) {
    // It was said before the peer heard that one of us has it no more.
  } else {
    peers_.refuse(peer, "it speaks of a folder that is not shared with it");
  }
}

// Who waits for an answer that it may not have is told so.
bool Node::may(const NodeName& peer, const Message& message) {
  const PeerConfig* config = peers_.config_of(peer);
  if (config == nullptr) return false;
  const std::string why = why_may_not(*config, message);
  if (why.empty()) return true;
  peers_.complain(peer, why);
  if (const auto* fetch = std::get_if<Fetch>(&message)) {
    peers_.send({&peer, 1}, FetchEnd{fetch->request, kMayNotReceive});
  } else if (const auto* verify = std::get_if<Verify>(&message)) {
    VerifyPage page;
    page.request = verify->request;
    page.error = kMayNotReceive;
    peers_.send({&peer, 1}, page);
  }
  return false;
}

void Node::on_message(const NodeName& peer, Message message) {
  if (stopping_ || !may(peer, message)) return;
  const auto visit = [&]<typename T>(T& body) {
    if constexpr (std::is_same_v<T, Tell>) {
      with_folder(peer, body.folder, [&](Folder& folder) { folder.on_tell(peer, body); });
    } else if constexpr (std::is_same_v<T, Announce>) {
      with_folder(peer, body.folder,
                  [&](Folder& folder) { folder.on_announce(peer, std::move(body)); });
    } else if constexpr (std::is_same_v<T, PageDone>) {
      with_folder(peer, body.folder, [&](Folder& folder) { folder.on_page_done(peer, body); });
    } else if constexpr (std::is_same_v<T, SnapshotEnd>) {
      with_folder(peer, body.folder, [&](Folder& folder) { folder.on_snapshot_end(peer, body); });
    } else if constexpr (std::is_same_v<T, List>) {
      if (const auto met = meetings_.find(peer); met == meetings_.end() || !met->second.one_shot) {
        peers_.refuse(peer, "it asks for a list, and is no one-shot push");
        return;
      }
      with_folder(peer, body.folder, [&](Folder& folder) { folder.on_list(peer); });
    } else if constexpr (std::is_same_v<T, Fetch>) {
      with_folder(peer, body.folder,
                  [&](Folder& folder) { folder.server().on_fetch(peer, std::move(body)); });
    } else if constexpr (std::is_same_v<T, FetchBegin>) {
      for (const auto& [name, folder] : folders_)
        folder->fetcher().on_begin(peer, body);
    } else if constexpr (std::is_same_v<T, FetchEnd>) {
      for (const auto& [name, folder] : folders_)
        folder->fetcher().on_end(peer, body);
    } else if constexpr (std::is_same_v<T, Credit>) {
      for (const auto& [name, folder] : folders_)
        folder->server().on_credit(peer, body);
    } else if constexpr (std::is_same_v<T, Cancel>) {
      for (const auto& [name, folder] : folders_) {
        folder->server().on_cancel(peer, body);
        folder->verifier().on_cancel(peer, body);
      }
    } else if constexpr (std::is_same_v<T, Verify>) {
      with_folder(peer, body.folder,
                  [&](Folder& folder) { folder.verifier().on_verify(peer, body); });
    } else if constexpr (std::is_same_v<T, VerifyPage>) {
      for (const auto& [name, folder] : folders_)
        folder->verifier().on_page(peer, body);
    } else {
      static_assert(std::is_same_v<T, Hello> || std::is_same_v<T, Goodbye> ||
                    std::is_same_v<T, Ping> || std::is_same_v<T, Pong>);  // the link's
    }
  };
  std::visit(visit, message);
}

void Node::on_chunk(const NodeName& peer, Chunk&& chunk) {
  if (stopping_) return;
  for (const auto& [name, folder] : folders_)
    if (folder->fetcher().on_chunk(peer, std::move(chunk))) return;
  Allowance& unasked = unasked_.try_emplace(peer, kMostUnasked, kUnaskedPerSecond).first->second;
  unasked.take(static_cast<double>(chunk.bytes.size()), ports_.clock.mono());
  if (unasked.is_spent(ports_.clock.mono()))
    peers_.refuse(peer, "it sends contents that nobody asked for");
}

}  // namespace dagsync
