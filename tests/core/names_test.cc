#include "dagsync/core/names.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using dagsync::Epoch;
using dagsync::epoch_after;
using dagsync::is_dns_name;
using dagsync::UnixNanos;

TEST_CASE("a node's name is a DNS name in lower case, without a wildcard") {
  const std::string label(63, 'a');
  const std::vector<std::string> good = {
      "a",     "node1",    "node-1.example.org",      "10",
      "n_1.x", label,      "airflow_worker-2.docker", label + "." + label + "." + label,
      "a.b.c", "xn--e-ufa"};
  const std::vector<std::string> bad = {"",
                                        ".",
                                        "a.",
                                        ".a",
                                        "a..b",
                                        "Node1",
                                        "*.example.org",
                                        "-a",
                                        "a-",
                                        "a.-b",
                                        "a-.b",
                                        "a b",
                                        "a/b",
                                        "n\xC3\xB6"
                                        "de",
                                        label + "a",
                                        std::string("a\0b", 3),
                                        label + "." + label + "." + label + "." + label};
  for (const std::string& name : good) {
    CAPTURE(name);
    CHECK(is_dns_name(name));
  }
  for (const std::string& name : bad) {
    CAPTURE(name);
    CHECK_FALSE(is_dns_name(name));
  }
}

TEST_CASE("a later epoch is the greater, whatever the clock and the dice show") {
  constexpr UnixNanos kNow{1'700'000'000'000'000'000};
  const Epoch first = epoch_after({}, kNow, ~std::uint64_t{0});
  CHECK(first > Epoch{});
  SUBCASE("when a millisecond has passed, though the first was forgotten") {
    CHECK(epoch_after({}, kNow + std::chrono::milliseconds(1), 0) > first);
  }
  SUBCASE("within the same millisecond") {
    CHECK(epoch_after(first, kNow, 0) > first);
  }
  SUBCASE("by a clock that was set back, be it before 1970") {
    CHECK(epoch_after(first, kNow - std::chrono::hours(24), 0) > first);
    CHECK(epoch_after(first, {-1}, 0) > first);
  }
  SUBCASE("and two nodes with one state directory, as of a copied disk, draw two") {
    CHECK(epoch_after(first, kNow, 1) != epoch_after(first, kNow, 2));
  }
}
