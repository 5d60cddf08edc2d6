#include <doctest/doctest.h>

#include <map>

#include "csync2/csync2_config.h"

namespace dagsync {
namespace {

Result<Csync2Config> parse(std::string_view text,
                           const std::map<std::string, std::string>& files = {}) {
  return parse_csync2("csync2.cfg", text, [&](const std::string& file) -> Result<std::string> {
    const auto it = files.find(file);
    if (it == files.end()) return fail(ErrorCode::kNotFound, "cannot read " + file);
    return it->second;
  });
}

std::string error_of(std::string_view text) {
  const auto config = parse(text);
  return config ? "none" : config.error().message;
}

}  // namespace

TEST_CASE("a group of hosts, patterns, a key and a method is read as it stands") {
  const auto config = parse(
      "# the DAGs\n"
      "group DAGS\n{\n"
      "  host Node1 node2@node2-eth1 (node3 node4);\n"
      "  key /etc/csync2.key;\n"
      "  include /home/airflow/airflow/dags/;\n"
      "  exclude *~ .*;\n"
      "  exclude %home%/logs;\n"
      "  backup-directory /var/backups/csync2; backup-generations 3;\n"
      "  auto younger;\n}\n");
  REQUIRE(config.has_value());
  REQUIRE(config->groups.size() == 1);
  const Csync2Group& group = config->groups[0];
  CHECK(group.name == "DAGS");
  CHECK(group.key == "/etc/csync2.key");
  CHECK(group.auto_method == "younger");
  CHECK(group.backup_directory == "/var/backups/csync2");
  REQUIRE(group.hosts.size() == 4);
  CHECK(group.hosts[0].name == "node1");
  CHECK(group.hosts[1].address == "node2-eth1");
  CHECK_FALSE(group.hosts[1].slave);
  CHECK(group.hosts[2].slave);
  CHECK(group.hosts[3].slave);
  REQUIRE(group.patterns.size() == 4);
  CHECK(group.patterns[0].text == "/home/airflow/airflow/dags");
  CHECK(group.patterns[1].text == "*~");
  CHECK(group.patterns[3].text == "%home%/logs");
}

TEST_CASE("groups may lie on one line, be without a name, and have no final newline") {
  const auto config =
      parse("group { host a b; key k; include /x; } group { host a; key k; include /y; }");
  REQUIRE(config.has_value());
  REQUIRE(config->groups.size() == 2);
  CHECK(config->groups[0].name == "group_1");
  CHECK(config->groups[1].name == "group_2");
}

TEST_CASE("actions, prefixes and settings are read") {
  const auto config = parse(
      "nossl * *; database /var/lib/csync2; ignore uid gid; lock-timeout 30; tempdir /tmp;\n"
      "prefix home { on host[12]: /export/users/; on *: /home; }\n"
      "group g { host a; key k; include %home%/x;\n"
      "  action { pattern /etc/x/*; exec \"/usr/sbin/x graceful\"; logfile \"/var/log/x\"; "
      "do-local; } auto left; }\n");
  REQUIRE(config.has_value());
  REQUIRE(config->settings.size() == 5);
  CHECK(config->settings[0].value == "* *");
  CHECK(config->settings[2].value == "uid gid");
  REQUIRE(config->prefixes.size() == 1);
  REQUIRE(config->prefixes[0].entries.size() == 2);
  CHECK(config->prefixes[0].entries[0].hosts == "host[12]");
  CHECK(config->prefixes[0].entries[0].path == "/export/users");
  REQUIRE(config->groups[0].actions.size() == 1);
  CHECK(config->groups[0].actions[0].commands ==
        std::vector<std::string>{"/usr/sbin/x graceful"});
  CHECK(config->groups[0].actions[0].local);
  CHECK(config->groups[0].auto_method == "left");
}

TEST_CASE("config takes in another file, in its place") {
  const auto config = parse("config /etc/more.cfg;\ngroup b { host x; key k; include /b; }",
                            {{"/etc/more.cfg", "group a { host x; key k; include /a; }"}});
  REQUIRE(config.has_value());
  REQUIRE(config->groups.size() == 2);
  CHECK(config->groups[0].name == "a");
}

TEST_CASE("files that take in each other end with an error, not never") {
  const auto config = parse("config a;", {{"a", "config a;"}});
  REQUIRE_FALSE(config.has_value());
  CHECK(config.error().message == "a:1: config files are nested too deeply");
}

TEST_CASE("what csync2 would refuse is refused, with its line") {
  CHECK(error_of("group a {\n  host x\n}") == "csync2.cfg:3: expected ';', found \"}\"");
  CHECK(error_of("group a {\n host x;\n") ==
        "csync2.cfg:3: expected host, include, exclude, key, auto, action or '}', found the end");
  CHECK(error_of("hosts a;") ==
        "csync2.cfg:1: expected group, prefix, or a setting, found \"hosts\"");
  CHECK(error_of("group a { auto newest; }") ==
        "csync2.cfg:1: auto \"newest\" is none of none, first, younger, older, bigger, smaller, "
        "left, right");
  CHECK(error_of("group a { key \"x; }") == "csync2.cfg:1: a string has no end");
  CHECK(error_of("prefix p { on *: home; }") == "csync2.cfg:1: \"home\" is no absolute path");
  CHECK(error_of("group a { host (b; }") == "csync2.cfg:1: expected ')', found \";\"");
  CHECK(error_of("config x;") == "csync2.cfg:1: cannot read x");
}

TEST_CASE("a file of any bytes is read or refused, and never more") {
  std::string bytes;
  for (int i = 1; i < 256; ++i)
    bytes.push_back(static_cast<char>(i));
  CHECK_FALSE(parse(bytes).has_value());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut)
    (void)parse("group g { host a; include " + bytes.substr(cut, 3) + "; }");
}

}  // namespace dagsync
