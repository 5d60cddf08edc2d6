#include "net/address.h"

#include <netdb.h>
#include <uv.h>

#include <array>
#include <charconv>
#include <cstring>
#include <memory>

#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

constexpr std::size_t kMaxHostBytes = 255;

Unexpected bad_address(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kInvalid, "address \"" + escape_bytes(text.substr(0, kMaxHostBytes)) +
                                       "\": " + std::string(why) +
                                       ": write \"host:port\" or \"[IPv6]:port\"");
}

std::string with_port(const std::string& host, std::uint16_t port) {
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::uint16_t port_of(const SocketAddress& address) {
  if (is_ipv6(address))
    return ntohs(reinterpret_cast<const sockaddr_in6*>(address.raw())->sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in*>(address.raw())->sin_port);
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_address(text, "it has no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  if (host.empty()) return bad_address(text, "it has no host");
  if (host.size() > kMaxHostBytes) return bad_address(text, "its host is too long");
  if (host.find_first_of(std::string_view("[]/ \t\n\0", 7)) != std::string_view::npos) {
    return bad_address(text, "its host holds a character that no host has");
  }
  if (brackets != (host.find(':') != std::string_view::npos)) {
    return bad_address(text, "brackets go around an IPv6 address, and only there");
  }
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || port == 0) {
    return bad_address(text, "its port is not a number from 1 to 65535");
  }
  return HostPort{std::string(host), port};
}

std::string to_string(const HostPort& address) {
  return with_port(address.host, address.port);
}

bool is_ipv6(const SocketAddress& address) {
  return address.storage.ss_family == AF_INET6;
}

std::string host_of(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_ipv6(address)) {
    uv_ip6_name(reinterpret_cast<const sockaddr_in6*>(address.raw()), text.data(), text.size());
  } else {
    uv_ip4_name(reinterpret_cast<const sockaddr_in*>(address.raw()), text.data(), text.size());
  }
  return text.data();
}

std::string to_string(const SocketAddress& address) {
  return with_port(host_of(address), port_of(address));
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && numeric_address({host, 1}).has_value());
}

Result<SocketAddress> numeric_address(const HostPort& address) {
  SocketAddress made;
  auto* ipv4 = reinterpret_cast<sockaddr_in*>(&made.storage);
  auto* ipv6 = reinterpret_cast<sockaddr_in6*>(&made.storage);
  if (uv_ip4_addr(address.host.c_str(), address.port, ipv4) == 0) return made;
  made = {};
  if (uv_ip6_addr(address.host.c_str(), address.port, ipv6) == 0) return made;
  return fail(ErrorCode::kNotFound, "\"" + address.host + "\" is a name");
}

Result<std::vector<SocketAddress>> resolve_host(const HostPort& address) {
  if (const auto numeric = numeric_address(address)) return std::vector{*numeric};
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int code =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &list);
  if (code != 0) {
    return fail(ErrorCode::kUnavailable,
                "look up \"" + address.host + "\": " + gai_strerror(code) +
                    ": give its number, or make the name known (DNS or /etc/hosts)");
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(list, freeaddrinfo);
  std::vector<SocketAddress> found;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (found.size() == kMaxAddresses) break;
    if (entry->ai_addrlen > sizeof(sockaddr_storage)) continue;
    SocketAddress one;
    std::memcpy(&one.storage, entry->ai_addr, entry->ai_addrlen);
    found.push_back(one);
  }
  if (found.empty()) {
    return fail(ErrorCode::kUnavailable, "look up \"" + address.host + "\": it has no address");
  }
  return found;
}

}  // namespace dagsync
