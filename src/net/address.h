// Network addresses as people write them and as the kernel takes them. Thread-safe.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/result.h"

namespace dagsync {

inline constexpr std::size_t kMaxAddresses = 8;  // of one name that are tried

struct HostPort {
  std::string host;  // a name or a number, without brackets
  std::uint16_t port = 0;
  bool operator==(const HostPort&) const = default;
};

// "node2:7411", "10.0.0.2:7411", "[::1]:7411". kInvalid for anything else, for port 0, and for an
// IPv6 address without brackets.
[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text);
[[nodiscard]] std::string to_string(const HostPort& address);

// An IPv4 or IPv6 address with its port.
struct SocketAddress {
  sockaddr_storage storage{};
  [[nodiscard]] const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

[[nodiscard]] bool is_ipv6(const SocketAddress& address);
[[nodiscard]] std::string host_of(const SocketAddress& address);    // "10.0.0.2", "::1"
[[nodiscard]] std::string to_string(const SocketAddress& address);  // "10.0.0.2:7411"

// Whether only this machine reaches the host: 127.0.0.0/8, ::1, localhost.
[[nodiscard]] bool is_loopback(const std::string& host);

// The address that `address` spells in numbers; kNotFound where its host is a name.
[[nodiscard]] Result<SocketAddress> numeric_address(const HostPort& address);
// All addresses of the host, at most kMaxAddresses, in the resolver's order. Blocks while it asks
// for a name; kUnavailable where there is no answer.
[[nodiscard]] Result<std::vector<SocketAddress>> resolve_host(const HostPort& address);

}  // namespace dagsync
