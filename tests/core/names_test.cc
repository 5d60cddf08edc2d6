#include "dagsync/core/names.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using dagsync::is_dns_name;

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
