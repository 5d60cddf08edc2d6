#include "dagsync/engine/peers/rights.h"

#include <type_traits>
#include <variant>

namespace dagsync {
namespace {

// Every kind of message is named, so that none that is new passes unseen.
template <typename T>
constexpr bool kNeedsSend =
    std::is_same_v<T, Announce> || std::is_same_v<T, SnapshotEnd> || std::is_same_v<T, List>;
template <typename T>
constexpr bool kNeedsReceive = std::is_same_v<T, Fetch> || std::is_same_v<T, Verify>;
template <typename T>
constexpr bool kNeedsNothing =
    std::is_same_v<T, Hello> || std::is_same_v<T, Goodbye> || std::is_same_v<T, Tell> ||
    std::is_same_v<T, PageDone> || std::is_same_v<T, FetchBegin> || std::is_same_v<T, FetchEnd> ||
    std::is_same_v<T, Credit> || std::is_same_v<T, Cancel> || std::is_same_v<T, Ping> ||
    std::is_same_v<T, Pong> || std::is_same_v<T, VerifyPage>;

template <typename T>
const char* name_of_message() {
  if constexpr (std::is_same_v<T, List>) return "a question for a list";
  if constexpr (std::is_same_v<T, Fetch>) return "a question for a content";
  if constexpr (std::is_same_v<T, Verify>) return "a question what stands here";
  return "changes";
}

}  // namespace

std::string why_may_not(const PeerConfig& peer, const Message& message) {
  return std::visit(
      [&peer]<typename T>(const T&) -> std::string {
        static_assert(kNeedsSend<T> + kNeedsReceive<T> + kNeedsNothing<T> == 1);
        const std::string what = name_of_message<T>();
        if (kNeedsSend<T> && !peer.may_send)
          return what + ", which it may not send here ([[peer]] may)";
        if (kNeedsReceive<T> && !peer.may_receive)
          return what + ": it may not receive here ([[peer]] may)";
        return "";
      },
      message);
}

}  // namespace dagsync
