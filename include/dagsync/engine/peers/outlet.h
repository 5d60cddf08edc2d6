// What a folder needs of the mesh: a way to say things to peers. Loop thread only.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/time.h"
#include "dagsync/core/messages.h"
#include "dagsync/core/names.h"

namespace dagsync {

class Outlet {
 public:
  virtual ~Outlet() = default;
  // To each of these that is connected, in order; encoded once.
  virtual void send(std::span<const NodeName> peers, const Message& message) = 0;
  // The same with what frame_message() has made of one.
  virtual void send_frame(std::span<const NodeName> peers, std::string_view frame) = 0;
  virtual void send_chunk(const NodeName& peer, const ChunkView& chunk) = 0;
  [[nodiscard]] virtual std::size_t queued_bytes(const NodeName& peer) const = 0;
  [[nodiscard]] virtual std::vector<NodeName> connected() const = 0;
  // As the last ping found it; none: no pong has come yet.
  [[nodiscard]] virtual std::optional<Duration> round_trip(const NodeName& peer) const = 0;
  // Of the protocol that it speaks; 0 where it is not connected.
  [[nodiscard]] virtual std::uint32_t minor(const NodeName& peer) const = 0;
  [[nodiscard]] virtual std::uint64_t next_request() = 0;  // never 0, never twice
  // The peer broke the protocol: its link is closed, though not from within this call, and it is
  // not heard again for a while.
  virtual void refuse(const NodeName& peer, const std::string& why) = 0;
  // Something of what the peer sends is left out: logged, once in a while.
  virtual void complain(const NodeName& peer, const std::string& why) = 0;

  void send(const NodeName& peer, const Message& message) { send(std::span(&peer, 1), message); }
};

}  // namespace dagsync
