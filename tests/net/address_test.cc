#include "net/address.h"

#include <doctest/doctest.h>

namespace dagsync {

TEST_CASE("an address is a host and a port") {
  const struct {
    const char* text;
    HostPort parsed;
  } rows[] = {
      {"node2:7411", {"node2", 7411}},
      {"10.0.0.2:1", {"10.0.0.2", 1}},
      {"[::1]:65535", {"::1", 65535}},
      {"[fe80::1%eth0]:7411", {"fe80::1%eth0", 7411}},
      {"a.b-c.example:80", {"a.b-c.example", 80}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto parsed = parse_host_port(row.text);
    REQUIRE(parsed.has_value());
    CHECK(*parsed == row.parsed);
    CHECK(to_string(*parsed) == row.text);
  }
}

TEST_CASE("what is no address is refused, and said how to write one") {
  for (const char* text :
       {"", ":", "node2", "node2:", ":7411", "node2:0", "node2:65536", "node2:x", "node2:7411x",
        "node2:-1", "node2: 7411", "::1:7411", "[::1]", "[::1]7411", "[]:7411", "[node2]:7411",
        "[[::1]]:7411", "no de:7411", "a/b:7411"}) {
    CAPTURE(text);
    const auto parsed = parse_host_port(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == ErrorCode::kInvalid);
    CHECK(parsed.error().message.find("host:port") != std::string::npos);
  }
  CHECK_FALSE(parse_host_port(std::string(300, 'a') + ":7411"));
  CHECK_FALSE(parse_host_port(std::string_view("a\0b:7411", 8)));
}

TEST_CASE("numbers need nobody to look them up") {
  const auto ipv4 = numeric_address({"127.0.0.1", 7411});
  REQUIRE(ipv4.has_value());
  CHECK(to_string(*ipv4) == "127.0.0.1:7411");
  CHECK_FALSE(is_ipv6(*ipv4));
  const auto ipv6 = numeric_address({"::1", 7411});
  REQUIRE(ipv6.has_value());
  CHECK(to_string(*ipv6) == "[::1]:7411");
  CHECK(host_of(*ipv6) == "::1");
  CHECK(is_ipv6(*ipv6));
  CHECK_FALSE(numeric_address({"localhost", 7411}));
}

TEST_CASE("localhost is found with its port") {
  const auto found = resolve_host({"localhost", 7411});
  REQUIRE(found.has_value());
  REQUIRE_FALSE(found->empty());
  const std::string first = to_string(found->front());
  CHECK((first == "127.0.0.1:7411" || first == "[::1]:7411"));
}

TEST_CASE("what only this machine reaches") {
  CHECK(is_loopback("127.0.0.1"));
  CHECK(is_loopback("127.3.2.1"));
  CHECK(is_loopback("::1"));
  CHECK(is_loopback("localhost"));
  CHECK_FALSE(is_loopback("0.0.0.0"));
  CHECK_FALSE(is_loopback("::"));
  CHECK_FALSE(is_loopback("10.0.0.1"));
  CHECK_FALSE(is_loopback("127.0.0.1.example.org"));
}

}  // namespace dagsync
