#include "cli/status_table.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "cli/console.h"
#include "support/texts.h"

namespace dagsync {
namespace {

using nlohmann::json;

json in_sync() {
  return json::parse(R"({
    "node": "node1", "version": "0.1.0", "uptime_seconds": 93784, "in_sync": true,
    "folders": [{"name": "dags", "path": "/d", "mode": "sync", "state": "idle", "state_reason": "",
      "files": 1200, "directories": 40, "bytes": 7340032, "sequence": 1311, "pending_changes": 0,
      "conflicts": 0, "errors": [],
      "peers": [{"name": "node2", "counted": true, "in_sync": true,
                 "behind_files": 0, "behind_bytes": 0,
                 "acked_sequence": 1311, "lag_seconds": 0.0},
                {"name": "node3", "counted": true, "in_sync": true,
                 "behind_files": 0, "behind_bytes": 0,
                 "acked_sequence": 1311, "lag_seconds": 0.0}]}],
    "peers": [{"name": "node2", "address": "10.0.0.2:7411", "connected": true, "version": "0.1.0",
               "rtt_ms": 0.31, "clock_offset_ms": 1.2, "last_seen": "2026-11-21T06:17:00.123Z",
               "bytes_sent": 1536, "bytes_received": 12, "certificate_expires": null},
              {"name": "node3", "address": "10.0.0.3:7411", "connected": true, "version": "0.1.0",
               "rtt_ms": 10, "clock_offset_ms": -3.5, "last_seen": null,
               "bytes_sent": 0, "bytes_received": 0, "certificate_expires": null}]
  })");
}

TEST_CASE("a mesh in sync is a page without a complaint") {
  CHECK(format_status(in_sync(), false) ==
        "node1: in sync  (dagsync 0.1.0, up 1 d 2 h)\n"
        "\n"
        "FOLDER  STATE  FILES     SIZE  PENDING  CONFLICTS  ERRORS\n"
        "dags    idle    1200  7.0 MiB        0          0       0\n"
        "\n"
        "PEER   STATE      FILES BEHIND  BYTES BEHIND      LAG  ROUND TRIP    CLOCK     SENT  "
        "RECEIVED\n"
        "node2  connected             0           0 B  0.000 s      0.3 ms  +1.2 ms  1.5 KiB      "
        "12 B\n"
        "node3  connected             0           0 B  0.000 s     10.0 ms  -3.5 ms      0 B       "
        "0 B\n");
}

TEST_CASE("until when the node's own certificate lasts stands in the first line") {
  json status = in_sync();
  status["certificate_expires"] = "2029-03-01T00:00:00.000Z";
  CHECK(has(format_status(status, false), "up 1 d 2 h, certificate until 2029-03-01)\n"));
}

TEST_CASE("what is not in sync is said first, with its reasons") {
  json status = in_sync();
  status["in_sync"] = false;
  status["folders"][0]["state"] = "syncing";
  status["folders"][0]["pending_changes"] = 1;
  status["peers"][0]["connected"] = false;
  status["folders"][0]["peers"][1]["in_sync"] = false;
  status["folders"][0]["peers"][1]["behind_files"] = 3;
  status["folders"][0]["peers"][1]["behind_bytes"] = 2048;
  const std::string page = format_status(status, false);
  CHECK(page.starts_with(
      "node1: not in sync: dags is syncing, dags has 1 pending change, node2 is away, node3 is "
      "behind  ("));
  CHECK(has(page, "node2  away since 2026-11-21 06:17:00Z  "));
  CHECK(has(page, "2.0 KiB"));
}

TEST_CASE("a peer that takes nothing is not merely behind: its own status says why") {
  json status = in_sync();
  status["in_sync"] = false;
  status["folders"][0]["peers"][1]["in_sync"] = false;
  status["folders"][0]["peers"][1]["accepts"] = false;
  CHECK(format_status(status, false)
            .starts_with("node1: not in sync: node3 takes nothing, its own status says why  ("));
}

TEST_CASE("a CI runner that is away is no reason and no warning, since nobody waits for it") {
  json status = in_sync();
  status["folders"][0]["peers"].push_back(
      {{"name", "ci"}, {"counted", false}, {"in_sync", false}, {"behind_files", 7}});
  status["peers"].push_back(
      {{"name", "ci"}, {"connected", false}, {"trouble", "the other end closed the connection"}});
  status["in_sync"] = false;
  status["folders"][0]["state"] = "scanning";
  const std::string page = format_status(status, false);
  CHECK(page.starts_with("node1: not in sync: dags is scanning  ("));
  CHECK(has(page, "ci     never seen             -             -        -"));
  CHECK_FALSE(has(page, "warning"));
}

TEST_CASE("a folder that somebody paused is said to be paused, not halted") {
  json status = in_sync();
  status["in_sync"] = false;
  status["folders"][0]["state"] = "halted";
  status["folders"][0]["paused"] = true;
  status["folders"][0]["state_reason"] = "paused by the operator since yesterday";
  const std::string page = format_status(status, false);
  CHECK(page.starts_with("node1: not in sync: dags is paused  ("));
  CHECK(has(page, "dags    paused  "));
  CHECK_FALSE(has(page, "halted"));
  CHECK(has(page, "warning  dags: paused by the operator since yesterday"));
}

TEST_CASE("why a node that is waited for is not connected is said, and how to mend it") {
  json status = in_sync();
  status["peers"][0]["trouble"] = "of the past";
  status["peers"][1]["connected"] = false;
  status["peers"][1]["trouble"] = "it speaks protocol 2, we speak 1: install the same";
  status["peers"].push_back({{"name", "runner"}, {"connected", false}, {"trouble", "it is done"}});
  const std::string page = format_status(status, false);
  CHECK(
      has(page, "warning  node3 is not connected: it speaks protocol 2, we speak 1: install the"));
  CHECK_FALSE(has(page, "node2 is not connected"));
  CHECK_FALSE(has(page, "runner is not connected"));
}

TEST_CASE("halts, errors, conflicts, clocks and warnings are spelled out") {
  json status = in_sync();
  json& folder = status["folders"][0];
  folder["state"] = "halted";
  folder["state_reason"] = "most files are gone: `dagsync resume dags` goes on";
  folder["conflicts"] = 2;
  folder["drift"] = 1;
  folder["errors"] = json::array({{{"path", "a\\xff.py"},
                                   {"error", "no space left: make room on /srv"},
                                   {"since", "2026-11-21T06:17:00.123Z"}}});
  status["peers"][1]["clock_offset_ms"] = -4200.0;
  status["warnings"] = json::array({"the certificate expires in 3 days: renew it"});
  const std::string page = format_status(status, false);
  CHECK(has(page, "warning  dags: most files are gone: `dagsync resume dags` goes on\n"));
  CHECK(has(page, "warning  dags: 2 conflicts: `dagsync conflicts` lists them\n"));
  CHECK(has(page, "warning  dags: 1 path"));
  CHECK(has(
      page,
      "error  dags: a\\xff.py: no space left: make room on /srv (since 2026-11-21 06:17:00Z)\n"));
  CHECK(has(page, "-4.2 s !"));
  CHECK_FALSE(has(page, "warning  node3"));  // the node says it itself, among its warnings
  CHECK(has(page, "warning  the certificate expires in 3 days: renew it\n"));
}

TEST_CASE("colours come only when asked for") {
  CHECK_FALSE(has(format_status(in_sync(), false), "\x1b"));
  CHECK(has(format_status(in_sync(), true), "\x1b[32min sync\x1b[0m"));
}

TEST_CASE("an answer that lacks things, or steers a terminal, harms nobody") {
  json status = {{"node", "a\x1b[2J"},
                 {"in_sync", "yes"},
                 {"folders", 5},
                 {"peers", json::array({{{"name", 5}, {"rtt_ms", nullptr}}})}};
  const std::string page = format_status(status, false);
  CHECK(page.starts_with("a\\x1b[2J: not in sync"));
  CHECK(has(page, "never seen"));
  CHECK(has(format_status(json::object(), false), "FOLDER"));
}

TEST_CASE("sizes and times are written for people") {
  CHECK(format_size(0) == "0 B");
  CHECK(format_size(1023) == "1023 B");
  CHECK(format_size(1024) == "1.0 KiB");
  CHECK(format_size(1e18) == "888.2 PiB");
  CHECK(format_seconds(0.0123) == "0.012 s");
  CHECK(format_seconds(12.34) == "12.3 s");
  CHECK(format_seconds(185) == "3 min 5 s");
  CHECK(format_seconds(7260) == "2 h 1 min");
}

}  // namespace
}  // namespace dagsync
