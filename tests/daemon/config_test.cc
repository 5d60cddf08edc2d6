#include "daemon/config.h"

#include <doctest/doctest.h>

#include <sstream>

#include "temp_dir.h"

namespace dagsync {
namespace {

constexpr const char* kGood = R"([node]
name = "node1"
[tls]
ca = "ca.crt"
cert = "/etc/node.crt"
key = "/etc/node.key"
[[folder]]
name = "dags"
path = "/srv/dags"
[[peer]]
name = "node2"
address = ["node2:7411"]
)";

Result<Config> load(const std::string& text, ConfigUse use = ConfigUse::kDaemon) {
  const TempDir dir;
  write_file(dir / "dagsync.toml", text);
  auto config = load_config(dir / "dagsync.toml", use);
  if (config) return config;
  // Without the directory, which has another name each time.
  Error error = config.error();
  for (std::size_t at; (at = error.message.find(dir.path() + "/")) != std::string::npos;) {
    error.message.erase(at, dir.path().size() + 1);
  }
  return Unexpected(error);
}

std::string replaced(std::string text, const std::string& old, const std::string& with) {
  const std::size_t at = text.find(old);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old.size(), with);
}

std::string complaint(const std::string& text) {
  const auto config = load(text);
  REQUIRE_MESSAGE(!config, "this was taken for good: " << text);
  CHECK(config.error().code == ErrorCode::kInvalid);
  return config.error().message;
}

TEST_CASE("what is not written has its default") {
  const auto config = load(kGood);
  REQUIRE_MESSAGE(config, config.error().message);
  Config expected;
  expected.node.name = {"node1"};
  expected.tls = {"ca.crt", "/etc/node.crt", "/etc/node.key"};
  expected.folders.push_back({});
  expected.folders[0].name = "dags";
  expected.folders[0].path = "/srv/dags";
  expected.peers.push_back({{"node2"}, {"node2:7411"}, true, true});
  CHECK(*config == expected);
  CHECK(config->node.listen == std::vector<std::string>{"0.0.0.0:7411"});
  CHECK(config->node.http.empty());
  CHECK_FALSE(config->node.http_tls);
  CHECK_FALSE(config->node.http_insecure);
  CHECK(config->folders[0].settle == std::chrono::milliseconds(5));
  CHECK(config->folders[0].versions_keep == std::chrono::hours(720));
  CHECK(config->folders[0].max_file_size == 4294967296);
}

TEST_CASE("every key is read") {
  const auto config = load(R"(
[node]
name = "Node1.Example.ORG"
listen = ["127.0.0.1:1", "[::1]:65535", "host_1:7"]
state_dir = "/var//state/./dir/"
control_socket = "/run/x.sock"
http = "10.0.0.1:7412"
http_tls = true
log_level = "debug"
[log]
file = "/var/log/x.log"
max_size = "1KiB"
keep = 0
[tls]
ca = "a"
cert = "b"
key = "c"
[[folder]]
name = "a"
path = "/a/"
mode = "send-only"
ignore = ["logs/", "!x"]
owner = "airflow:root"
settle_ms = 0
settle_max_ms = 7
rescan_interval = "1500ms"
max_delete_percent = 100
max_file_size = "12KiB"
versions_keep = "2h"
versions_max_size = "0B"
[[folder]]
name = "b"
path = "/ab"
mode = "receive-only"
owner = "keep"
[[peer]]
name = "ci"
may = ["send"]
[[peer]]
name = "NODE2"
address = ["10.0.0.2:7411", "[fd00::2]:7411"]
may = ["receive"]
)");
  REQUIRE_MESSAGE(config, config.error().message);
  CHECK(config->node.name.value == "node1.example.org");
  CHECK(config->node.listen == std::vector<std::string>{"127.0.0.1:1", "[::1]:65535", "host_1:7"});
  CHECK(config->node.state_dir == "/var/state/dir");
  CHECK(config->node.control_socket == "/run/x.sock");
  CHECK(config->node.http == "10.0.0.1:7412");
  CHECK(config->node.http_tls);
  CHECK(config->log == LogConfig{"/var/log/x.log", 1024, 0});
  CHECK(config->node.log_level == log::Level::kDebug);
  CHECK(config->tls == TlsPaths{"a", "b", "c"});
  REQUIRE(config->folders.size() == 2);
  FolderConfig folder;
  folder.name = "a";
  folder.path = "/a";
  folder.mode = FolderMode::kSendOnly;
  folder.ignore = {"logs/", "!x"};
  folder.owner.fixed = "airflow:root";
  folder.settle = Duration(0);
  folder.settle_max = std::chrono::milliseconds(7);
  folder.rescan_interval = std::chrono::milliseconds(1500);
  folder.max_delete_percent = 100;
  folder.max_file_size = 12 * 1024;
  folder.versions_keep = std::chrono::hours(2);
  folder.versions_max_size = 0;
  CHECK(config->folders[0] == folder);
  CHECK(config->folders[1].mode == FolderMode::kReceiveOnly);
  CHECK(config->folders[1].owner == FolderOwner{true, ""});
  REQUIRE(config->peers.size() == 2);
  CHECK(config->peers[0] == PeerConfig{{"ci"}, {}, true, false});
  CHECK_FALSE(config->peers[0].counted());
  CHECK(config->peers[1].name.value == "node2");
  CHECK_FALSE(config->peers[1].may_send);
  CHECK(config->peers[1].counted());
}

TEST_CASE("hooks are read, and what is wrong with them is named") {
  const auto config = load(std::string(kGood) + R"([[hook]]
on = "applied"
run = ["/bin/true"]
[[hook]]
on = "conflict"
folder = "dags"
match = ["*.py", "!x.py"]
run = ["/bin/echo", "", "b c"]
user = "airflow"
timeout = "5s"
)");
  REQUIRE_MESSAGE(config, config.error().message);
  REQUIRE(config->hooks.size() == 2);
  CHECK(config->hooks[0] == HookConfig{HookConfig::On::kApplied, "", {}, {"/bin/true"}, ""});
  const HookConfig second{HookConfig::On::kConflict, "dags",    {"*.py", "!x.py"},
                          {"/bin/echo", "", "b c"},  "airflow", std::chrono::seconds(5)};
  CHECK(config->hooks[1] == second);
  const std::string wrong = complaint(std::string(kGood) + R"([[hook]]
on = "sent"
folder = "other"
run = ["true"]
user = "a:b"
[[hook]]
on = "halted"
match = ["x"]
run = []
)");
  CHECK(wrong.find("key `hook.on`: is \"sent\": give") != std::string::npos);
  CHECK(wrong.find("key `hook.folder`: is \"other\", which is no [[folder]]") != std::string::npos);
  CHECK(wrong.find("key `hook.run`: does not begin with an absolute path") != std::string::npos);
  CHECK(wrong.find("key `hook.user`: is \"a:b\"") != std::string::npos);
  CHECK(wrong.find("key `hook.match`: has no meaning") != std::string::npos);
  CHECK(wrong.find("key `hook.run`: names no program") != std::string::npos);
}

TEST_CASE("a wrong value names file, line, key and what is allowed") {
  struct Case {
    const char* old;
    const char* with;
    const char* expected;
  };
  const Case cases[] = {
      {"path =", "settle_ms = \"5\"\npath =",
       "dagsync.toml:9: key `folder.settle_ms`: is a string: give a whole number of milliseconds"},
      {"path =", "settle_ms = 5.0\npath =", ":9: key `folder.settle_ms`: is a number with a point"},
      {"path =", "settle_ms = -1\npath =", ":9: key `folder.settle_ms`: is -1: give"},
      {"path =", "settle_ms = 60001\npath =", ":9: key `folder.settle_ms`: is 60001: give"},
      {"path =", "settle_ms = 50\nsettle_max_ms = 40\npath =",
       ":10: key `folder.settle_max_ms`: is less than settle_ms"},
      {"path =", "max_delete_percent = 0\npath =", ":9: key `folder.max_delete_percent`: is 0"},
      {"path =", "max_delete_percent = 101\npath =", "a whole number from 1 to 100"},
      {"path =", "mode = \"both\"\npath =",
       ":9: key `folder.mode`: is \"both\": give \"sync\", \"send-only\" or \"receive-only\""},
      {"path =", "mode = true\npath =", ":9: key `folder.mode`: is true or false: give"},
      {"path =", "rescan_interval = \"10 m\"\npath =",
       ":9: key `folder.rescan_interval`: is \"10 m\": give a whole number and a unit (ms,"},
      {"path =", "rescan_interval = 600\npath =", "is a whole number: give a time in quotes"},
      {"path =", "rescan_interval = \"10ms\"\npath =", "is \"10ms\": give one second or more"},
      {"path =", "rescan_interval = \"99999999999999999999d\"\npath =", "rescan_interval`: is"},
      {"path =", "versions_keep = \"forever\"\npath =",
       "key `folder.versions_keep`: is \"forever\""},
      {"path =", "max_file_size = \"4 things\"\npath =",
       "is \"4 things\": give a whole number and a"},
      {"path =", "max_file_size = \"4GB\"\npath =", "(B, KiB, MiB, GiB, TiB)"},
      {"path =", "max_file_size = \"0B\"\npath =", "is nothing: give one byte or more"},
      {"path =", "max_file_size = \"16777216TiB\"\npath =", "key `folder.max_file_size`: is"},
      {"path =", "ignore = \"logs/\"\npath =", "key `folder.ignore`: is a string: give a list"},
      {"path =", "ignore = [\"a\", 1]\npath =", "has a value that is a whole number: give a list"},
      {"path =", "ignore = [\"a\\nb\"]\npath =", "has a line break"},
      {"path =", "owner = \"a:b:c\"\npath =",
       "key `folder.owner`: is \"a:b:c\": give \"keep\", or a"},
      {"/srv/dags", "srv/dags", ":9: key `folder.path`: is \"srv/dags\": give an absolute path"},
      {"/srv/dags", "/srv/../dags", "give an absolute path without .."},
      {"/srv/dags", "//", "not all there is"},
      {"\"dags\"", "\"../x\"", ":8: key `folder.name`: is \"../x\": give a name of letters"},
      {"\"dags\"", "\"\"", "key `folder.name`: is \"\""},
      {"name = \"node1\"", "name = \"\"", ":2: key `node.name`: is \"\": give a DNS name"},
      {"node1", "no de", ":2: key `node.name`: is \"no de\""},
      {"node1", "*.example.org", "key `node.name`"},
      {"node1", "-node", "key `node.name`"},
      {"node1", "node.", "key `node.name`"},
      {"node1", "10.0.0.1", "no IP address"},
      {"[tls]", "listen = \"x:1\"\n[tls]", ":3: key `node.listen`: is a string: give a list"},
      {"[tls]", "listen = [\n\"0.0.0.0:1\",\n\"0.0.0.0:0\"]\n[tls]",
       ":5: key `node.listen`: is \"0.0.0.0:0\": give HOST:PORT with a port from 1"},
      {"[tls]", "listen = [\"nonsense\"]\n[tls]",
       "key `node.listen`: is \"nonsense\": give HOST:P"},
      {"[tls]", "listen = [\"::1:7411\"]\n[tls]", "[fd00::2]:7411"},
      {"[tls]", "listen = [\"h:65536\"]\n[tls]", "key `node.listen`"},
      {"[tls]", "listen = [\":7411\"]\n[tls]", "key `node.listen`"},
      {"[tls]", "http = \"7412\"\n[tls]", "key `node.http`: is \"7412\": give HOST:PORT"},
      {"[tls]", "http = \"0.0.0.0:7412\"\n[tls]",
       ":3: key `node.http`: is \"0.0.0.0:7412\", which other machines can reach, in plain text: "
       "set "
       "http_tls = true"},
      {"[tls]", "http = \"[::]:7412\"\n[tls]", "which other machines can reach"},
      {"[tls]", "http = \"127.0.0.1.example.org:7412\"\n[tls]", "which other machines can reach"},
      {"[tls]", "http_tls = \"yes\"\n[tls]", ":3: key `node.http_tls`: is a string: give true or"},
      {"[tls]", "http = \"[::]:1\"\nhttp_tls = true\nhttp_insecure = true\n[tls]",
       ":5: key `node.http_insecure`: is true, and so is http_tls"},
      {"[tls]", "[log]\nfile = \"x.log\"\n[tls]", ":4: key `log.file`: is \"x.log\": give an abs"},
      {"[tls]", "[log]\nfile = \"/srv/dags/x.log\"\n[tls]",
       ":4: key `log.file`: lies inside folder \"dags\""},
      {"[tls]", "[log]\nkeep = 101\n[tls]", ":4: key `log.keep`: is 101: give a whole number"},
      {"[tls]", "log_level = \"loud\"\n[tls]", "key `node.log_level`: is \"loud\": give \"debug\""},
      {"[tls]", "state_dir = \"state\"\n[tls]", ":3: key `node.state_dir`: is \"state\": give an"},
      {"[tls]", "state_dir = \"/srv/dags/s\"\n[tls]",
       ":3: key `node.state_dir`: lies inside folder \"dags\": move it out"},
      {"[tls]", "state_dir = \"/srv\"\n[tls]", ":3: key `node.state_dir`: holds folder \"dags\""},
      {"[tls]", "control_socket = \"/srv/dags/c\"\n[tls]", "`node.control_socket`: lies inside"},
      {"\"ca.crt\"", "\"\"", ":4: key `tls.ca`: is no file's name"},
      {"node2:7411", "node2", ":12: key `peer.address`: is \"node2\": give HOST:PORT"},
      {"address =", "may = []\naddress =", ":12: key `peer.may`: allows nothing: give [\"send\"]"},
      {"address =", "may = [\"all\"]\naddress =", "key `peer.may`: is \"all\": give \"send\""},
      {"\"node2\"", "\"NODE1\"", ":11: key `peer.name`: is \"node1\", this node itself"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.with);
    const std::string message = complaint(replaced(kGood, c.old, c.with));
    CHECK_MESSAGE(message.find(c.expected) != std::string::npos, message);
    CHECK(message.starts_with("dagsync.toml:"));
  }
}

TEST_CASE("an unknown key is an error that names the one that was meant") {
  struct Case {
    const char* old;
    const char* with;
    const char* expected;
  };
  const Case cases[] = {
      {"[tls]", "nmae = 1\n[tls]", ":3: key `node.nmae`: is unknown: did you mean `node.name`?"},
      {"path =", "setle_ms = 1\npath =", "did you mean `folder.settle_ms`?"},
      {"path =", "Ignore = []\npath =", "did you mean `folder.ignore`?"},
      {"address", "adress", ":12: key `peer.adress`: is unknown: did you mean `peer.address`?"},
      {"[tls]", "[nodes]\nname = 1\n[tls]", ":3: key `nodes`: is unknown: did you mean `node`?"},
      {"ca =", "cipher = 1\nca =",
       ":4: key `tls.cipher`: is unknown: known here are ca, cert, key"},
      {"[node]", "top = 1\n[node]",
       ":1: key `top`: is unknown: known here are node, tls, log, folder,"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.with);
    const std::string message = complaint(replaced(kGood, c.old, c.with));
    CHECK_MESSAGE(message.find(c.expected) != std::string::npos, message);
  }
}

TEST_CASE("what is required is missed by name") {
  CHECK(complaint("") ==
        "dagsync.toml:1: key `node`: is missing: write a table [node]\n"
        "dagsync.toml:1: key `tls`: is missing: write a table [tls]\n"
        "dagsync.toml:1: key `folder`: is missing: write a table [[folder]] for each folder\n"
        "dagsync.toml:1: key `peer`: is missing: write a table [[peer]] for each peer");
  CHECK(complaint(replaced(kGood, "name = \"node1\"\n", ""))
            .find("dagsync.toml:1: key `node.name`: is missing: give this node's DNS name") == 0);
  CHECK(complaint(replaced(kGood, "key = \"/etc/node.key\"\n", ""))
            .find("dagsync.toml:3: key `tls.key`: is missing: give the path of a PEM file") == 0);
  CHECK(complaint(replaced(kGood, "path = \"/srv/dags\"\n", ""))
            .find("dagsync.toml:7: key `folder.path`: is missing: give an absolute path") == 0);
  CHECK(complaint("folder = []\n" +
                  replaced(kGood, "[[folder]]\nname = \"dags\"\npath = \"/srv/dags\"\n", ""))
            .find("dagsync.toml:1: key `folder`: is empty: write a table [[folder]]") == 0);
}

TEST_CASE("a table of the wrong kind is told from the right one") {
  CHECK(complaint(replaced(kGood, "[[folder]]", "[folder]"))
            .find(":7: key `folder`: is a table: write a table [[folder]] for each folder") !=
        std::string::npos);
  CHECK(complaint(replaced(kGood, "[node]", "[[node]]"))
            .find("key `node`: is a list: write a table [node]") != std::string::npos);
}

TEST_CASE("folders and peers that get in each other's way are refused") {
  const auto with_folder = [](const std::string& name, const std::string& path) {
    return kGood + ("[[folder]]\nname = \"" + name + "\"\npath = \"" + path + "\"\n");
  };
  CHECK(complaint(with_folder("more", "/srv/dags/in/it")) ==
        "dagsync.toml:15: key `folder.path`: lies inside folder \"dags\" (/srv/dags): give folders "
        "that lie beside each other");
  CHECK(complaint(with_folder("more", "/srv")).find("holds folder \"dags\"") != std::string::npos);
  CHECK(complaint(with_folder("more", "/srv//dags/")).find("is also the path of folder \"dags\"") !=
        std::string::npos);
  CHECK(complaint(with_folder("dags", "/other"))
            .find(":14: key `folder.name`: is \"dags\" a second time") != std::string::npos);
  CHECK(load(with_folder("more", "/srv/dags2")));
  CHECK(complaint(std::string(kGood) + "[[peer]]\nname = \"Node2\"\n")
            .find(":14: key `peer.name`: is \"node2\" a second time") != std::string::npos);
}

TEST_CASE("all errors of a file come at once, in the order of its lines") {
  const std::string message = complaint(R"([node]
name = 5
listen = ["x"]
typo = 1
[tls]
ca = 1
cert = "c"
[[folder]]
name = "a"
path = "rel"
[[peer]]
name = "b"
may = "send"
)");
  std::istringstream lines(message);
  std::vector<std::string> starts;
  for (std::string line; std::getline(lines, line);) {
    starts.push_back(line.substr(0, line.find("`:") + 2));
  }
  CHECK(starts == std::vector<std::string>{
                      "dagsync.toml:2: key `node.name`:", "dagsync.toml:3: key `node.listen`:",
                      "dagsync.toml:4: key `node.typo`:", "dagsync.toml:5: key `tls.key`:",
                      "dagsync.toml:6: key `tls.ca`:", "dagsync.toml:10: key `folder.path`:",
                      "dagsync.toml:13: key `peer.may`:"});
}

TEST_CASE("a file that is no TOML, too large or not there is named") {
  CHECK(complaint("[node\nname =").find("dagsync.toml:1: is not TOML: ") == 0);
  CHECK(complaint(replaced(kGood, "[tls]", "name = \"twice\"\n[tls]"))
            .find("dagsync.toml:3: is not") == 0);
  CHECK(complaint(std::string((1 << 20) + 1, '#')).find("dagsync.toml: is larger") !=
        std::string::npos);
  const TempDir dir;
  const auto missing = load_config(dir / "none.toml");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ErrorCode::kNotFound);
  CHECK(missing.error().message.find(dir / "none.toml") != std::string::npos);
  CHECK_FALSE(load_config(dir.path()));
}

TEST_CASE("a one-shot push needs neither a folder nor a peer") {
  const std::string short_file =
      std::string(kGood).substr(0, std::string(kGood).find("[[folder]]"));
  CHECK_FALSE(load(short_file));
  CHECK(load(short_file, ConfigUse::kOneShot));
  CHECK(load(kGood, ConfigUse::kOneShot));
}

}  // namespace
}  // namespace dagsync
