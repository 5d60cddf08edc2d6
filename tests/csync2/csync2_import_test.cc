#include <doctest/doctest.h>

#include "csync2/csync2_import.h"
#include "daemon/config.h"
#include "daemon/files.h"
#include "daemon/temp_dir.h"

namespace dagsync {
namespace {

Result<std::string> import(std::string_view text, const std::string& host = "node1",
                           const std::string& file = "") {
  const auto config = parse_csync2("csync2.cfg", text, [](const std::string&) {
    return Result<std::string>(fail(ErrorCode::kNotFound, "no such file"));
  });
  REQUIRE(config.has_value());
  return import_csync2(*config, {host, [&](const std::string& path) { return path == file; }});
}

// What the daemon makes of it: the text must be a configuration that it takes.
Config loaded(const Result<std::string>& toml) {
  REQUIRE(toml.has_value());
  const TempDir dir;
  const std::string path = dir / "dagsync.toml";
  REQUIRE(create_file(path, *toml, 0600).has_value());
  const auto config = load_config(path);
  INFO(*toml);
  REQUIRE_MESSAGE(config.has_value(), config.error().message);
  return *config;
}

bool says(const Result<std::string>& toml, std::string_view words) {
  std::string joined = *toml;
  for (const std::string_view next : {"\n#   ", "\n# "}) {
    for (std::size_t at; (at = joined.find(next)) != std::string::npos;)
      joined.replace(at, next.size(), " ");
  }
  return joined.find(words) != std::string::npos;
}

constexpr std::string_view kDags =
    "group DAGS {\n host node1;\n host node2;\n host node3;\n key /etc/csync2.key;\n"
    " include /home/airflow/airflow/dags;\n auto younger;\n}\n";

}  // namespace

TEST_CASE("the DAG folder of three nodes becomes a folder and two peers") {
  const Config config = loaded(import(kDags));
  CHECK(config.node.name == NodeName{"node1"});
  REQUIRE(config.folders.size() == 1);
  CHECK(config.folders[0].name == "dags");
  CHECK(config.folders[0].path == "/home/airflow/airflow/dags");
  CHECK(config.folders[0].mode == FolderMode::kSync);
  REQUIRE(config.peers.size() == 2);
  CHECK(config.peers[0].name == NodeName{"node2"});
  CHECK(config.peers[0].addresses == std::vector<std::string>{"node2:7411"});
}

TEST_CASE("each node gets its own, and the key's successor is named") {
  const auto toml = import(kDags, "node3");
  CHECK(loaded(toml).node.name == NodeName{"node3"});
  CHECK(loaded(toml).peers[0].name == NodeName{"node1"});
  CHECK(says(toml, "dagsync certs init tls --nodes node1,node2,node3"));
}

TEST_CASE("a slave only receives: its own folder, and as others see it") {
  constexpr std::string_view kText =
      "group g { host node1 (node2); key k; include /srv/x; auto younger; }";
  CHECK(loaded(import(kText, "node2")).folders[0].mode == FolderMode::kReceiveOnly);
  const Config master = loaded(import(kText, "node1"));
  CHECK(master.folders[0].mode == FolderMode::kSync);
  CHECK_FALSE(master.peers[0].may_send);
  CHECK(master.peers[0].may_receive);
}

TEST_CASE("a slave in one group alone may send in the others") {
  const auto toml = import(
      "group a { host node1 node2; key k; include /srv/a; }\n"
      "group b { host node1 (node2); key k; include /srv/b; }");
  CHECK(loaded(toml).peers[0].may_send);
  CHECK(says(toml, "A slave of csync2 in b, not in all groups"));
}

TEST_CASE("groups of different hosts are told of, since peers share every folder") {
  const auto toml = import(
      "group a { host node1 node2; key k; include /srv/a; }\n"
      "group b { host node1 node2 node3; key k; include /srv/b; }");
  CHECK(loaded(toml).peers.size() == 2);
  CHECK(says(toml, "group a: node3 is not in it: dagsync shares each folder with all peers"));
  CHECK_FALSE(says(toml, "group b: node"));
}

TEST_CASE("a host is dialed at the name behind its @") {
  const Config config =
      loaded(import("group g { host node1 node2@node2-eth1; key k; include /srv/x; }"));
  CHECK(config.peers[0].name == NodeName{"node2"});
  CHECK(config.peers[0].addresses == std::vector<std::string>{"node2-eth1:7411"});
}

TEST_CASE("excludes become ignore lines: names anywhere, paths below the folder") {
  const auto toml = import(
      "group g { host node1 node2; key k; include /srv/x; exclude *~ .*; exclude /srv/x/logs; "
      "exclude /var/other; }");
  CHECK(loaded(toml).folders[0].ignore == std::vector<std::string>{"*~", ".*", "/logs"});
  CHECK(says(toml, "exclude /var/other: it lies in none of the folders"));
}

TEST_CASE("what .gitignore would take for its own marks is a name all the same") {
  const Config config = loaded(import(
      "group g { host node1 node2; key k; include /srv/x; exclude \"#*#\" \"!a\" \"b  \"; }"));
  CHECK(config.folders[0].ignore == std::vector<std::string>{"\\#*#", "\\!a", "b\\ \\ "});
}

TEST_CASE("an exclude may name the way to the folder by a pattern") {
  const auto toml = import(
      "group g { host node1 node2; key k; include /srv/x/dags; exclude /srv/*/dags/tmp; exclude "
      "/srv/y*/dags/tmp; exclude /srv/**/logs; exclude sub/name; }");
  CHECK(loaded(toml).folders[0].ignore == std::vector<std::string>{"/tmp", "/**/logs"});
  CHECK(says(toml, "exclude /srv/y*/dags/tmp: it lies in none of the folders"));
  CHECK(says(toml, "exclude /srv/**/logs: csync2's ** lets every * match slashes"));
  CHECK(says(toml, "exclude sub/name: it begins with no slash"));
}

TEST_CASE("the last pattern that matches decides, as in csync2") {
  const auto before =
      import("group g { host node1 node2; key k; exclude /srv/x/logs; include /srv/x; }");
  CHECK(loaded(before).folders[0].ignore.empty());
  CHECK(says(before, "exclude /srv/x/logs: the include of /srv/x behind it takes it back"));
  const auto all = import("group g { host node1 node2; key k; include /srv/x; exclude /srv; }");
  CHECK(says(all, "exclude /srv: it leaves out all of /srv/x: take this [[folder]] out"));
  const auto back = import(
      "group g { host node1 node2; key k; include /srv/x; exclude /srv/x/logs; include "
      "/srv/x/logs/keep; }");
  CHECK(loaded(back).folders[0].ignore == std::vector<std::string>{"/logs"});
  CHECK(says(back, "what is below an ignored directory cannot be taken back"));
}

TEST_CASE("a prefix stands for what it is on this host") {
  constexpr std::string_view kText =
      "group g { host node1 node2; key k; include %home%/bob; exclude %home%/bob/tmp; }\n"
      "prefix home { on node1: /export/users; on *: /home; }";
  CHECK(loaded(import(kText, "node1")).folders[0].path == "/export/users/bob");
  const Config other = loaded(import(kText, "node2"));
  CHECK(other.folders[0].path == "/home/bob");
  CHECK(other.folders[0].ignore == std::vector<std::string>{"/tmp"});
}

TEST_CASE("a prefix that is not defined for the host is an error with its line") {
  const auto toml = import(
      "group g { host node1 node2;\nkey k; include %home%/bob; }\nprefix home { on node2: /h; }");
  REQUIRE_FALSE(toml.has_value());
  CHECK(toml.error().message == "line 2: the prefix home is not defined for the host node1");
}

TEST_CASE("several includes become folders with names of their own; what overlaps is named") {
  const auto toml =
      import("group Web { host node1 node2; key k; include /srv/a /srv/b; include /srv/a/c; }");
  const Config config = loaded(toml);
  REQUIRE(config.folders.size() == 2);
  CHECK(config.folders[0].name == "web");
  CHECK(config.folders[1].name == "web-2");
  CHECK(says(toml, "include /srv/a/c: it lies in or around /srv/a"));
}

TEST_CASE("a glob of files becomes a folder that ignores all else") {
  const Config config =
      loaded(import("group g { host node1 node2; key k; include /etc/app/*.conf; }"));
  CHECK(config.folders[0].path == "/etc/app");
  CHECK(config.folders[0].ignore == std::vector<std::string>{"/*", "!/*.conf"});
}

TEST_CASE("several globs in one directory are one folder, and the whole directory counts more") {
  const auto text = [](const std::string& more) {
    return "group g { host node1 node2; key k; include /srv/x/*.py; include /srv/x/*.sql; " + more +
           "exclude /srv/x/tmp_*; }";
  };
  const Config globs = loaded(import(text("")));
  REQUIRE(globs.folders.size() == 1);
  CHECK(globs.folders[0].ignore == std::vector<std::string>{"/*", "!/*.py", "!/*.sql", "/tmp_*"});
  const Config whole = loaded(import(text("include /srv/x; ")));
  REQUIRE(whole.folders.size() == 1);
  CHECK(whole.folders[0].ignore == std::vector<std::string>{"/tmp_*"});
}

TEST_CASE("what cannot be a folder is said, and an error where nothing is left") {
  const auto some = import("group g { host node1 node2; key k; include /etc/hosts /srv/x; }",
                           "node1", "/etc/hosts");
  CHECK(says(some, "include /etc/hosts: a single file"));
  CHECK(loaded(some).folders.size() == 1);
  const auto none =
      import("group g { host node1 node2; key k; include /etc/hosts; }", "node1", "/etc/hosts");
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().message == "none of the groups of node1 includes a directory");
  const auto globs = import("group g { host node1 n2; key k; include /home/*/dags /srv/x; }");
  CHECK(says(globs, "include /home/*/dags: a pattern over directories"));
}

TEST_CASE("a host that no group names is told which there are") {
  const auto toml = import(kDags, "node9");
  REQUIRE_FALSE(toml.has_value());
  CHECK(toml.error().message ==
        "no group names the host node9: use --host NAME with one of node1, node2, node3");
}

TEST_CASE("a file without groups, or without another host, is an error that says so") {
  const auto empty = import("nossl * *;");
  REQUIRE_FALSE(empty.has_value());
  CHECK(empty.error().message == "there is no group with hosts in it");
  const auto alone = import("group g { host node1; key k; include /srv/x; }");
  REQUIRE_FALSE(alone.has_value());
  CHECK(alone.error().message == "the groups of node1 name no other host");
}

TEST_CASE("groups of other hosts are left out, and peers of several groups come once") {
  const Config config =
      loaded(import("group a { host node1 node2; key k; include /a; }\n"
                    "group b { host node1 node2 node3; key k; include /b; }\n"
                    "group c { host node4 node5; key k; include /c; }"));
  CHECK(config.folders.size() == 2);
  CHECK(config.peers.size() == 2);
}

TEST_CASE("what dagsync does otherwise is said as a comment") {
  const auto toml = import(
      "nossl * *;\nignore mod;\n"
      "group g { host node1 node2; key k; include /srv/x; auto left; backup-directory /b; "
      "backup-generations 5;\n"
      "action { pattern /srv/x/*.conf; exec \"systemctl reload x\"; do-local; } }");
  CHECK(says(toml, "nossl * *: every connection is encrypted"));
  CHECK(says(toml, "ignore mod: owners are replicated with owner = \"keep\", modes always"));
  CHECK(says(toml, "auto left: has no counterpart: the younger wins"));
  CHECK(says(toml, "backup-directory /b, backup-generations 5"));
  CHECK(loaded(toml).folders.size() == 1);
}

TEST_CASE("an action becomes a hook of each folder that it concerns") {
  const auto toml = import(
      "group g { host node1 node2; key k; include /srv/x; include /srv/y;\n"
      "action { pattern /srv/x/*.conf; pattern *.ini; exec \"systemctl reload x\"; exec \"log "
      "%%\";\n"
      "  logfile \"/var/log/it's\"; do-local; }\n"
      "action { pattern /srv; exec \"all\"; }\n"
      "action { pattern /elsewhere; exec \"none\"; } }");
  const Config config = loaded(toml);
  using Strings = std::vector<std::string>;
  REQUIRE(config.hooks.size() == 6);
  CHECK(config.hooks[0].folder == "g");
  CHECK(config.hooks[0].match == Strings{"/*.conf", "*.ini"});
  CHECK(config.hooks[0].run ==
        Strings{"/bin/sh", "-c", "( systemctl reload x ) >>'/var/log/it'\\''s' 2>&1"});
  CHECK(config.hooks[1].run == Strings{"/usr/bin/xargs", "-0", "/bin/sh", "-c",
                                       "( log \"$@\" ) >>'/var/log/it'\\''s' 2>&1", "sh"});
  CHECK(config.hooks[2].folder == "g-2");
  CHECK(config.hooks[2].match == Strings{"*.ini"});
  CHECK(config.hooks[4].folder == "g");
  CHECK(config.hooks[4].match.empty());
  CHECK(config.hooks[4].run == Strings{"/bin/sh", "-c", "all"});
  CHECK(says(toml, "do-local: a hook runs where a change of another node arrives"));
  CHECK(says(toml, "action none for /elsewhere: it concerns none of the folders here"));
}

TEST_CASE("an action that ran only where a change was made is no hook") {
  const auto toml = import(
      "group g { host node1 node2; key k; include /srv/x; action { pattern /srv/x/*; exec a; "
      "do-local-only; } }");
  CHECK(loaded(toml).hooks.empty());
  CHECK(says(toml, "action a: do-local-only: it ran where a change was made"));
}

TEST_CASE("what has no counterpart is a list at the head") {
  const auto toml = import(
      "group DAGS { host node1 node2; key /etc/csync2.key_of_a_long_name; include /srv/x; }");
  CHECK(toml->starts_with(
      "# From a csync2.cfg, for the node node1. What stands there and is otherwise here:\n"
      "# - group DAGS: key /etc/csync2.key_of_a_long_name: certificates take its place: dagsync "
      "certs "
      "init\n#   tls --nodes node1,node2\n"
      "# - group DAGS: auto none: "));
}

TEST_CASE("quotes and odd bytes of a path do not break the file") {
  const Config config =
      loaded(import("group g { host node1 node2; key k; include \"/srv/a \\ b\"; }"));
  CHECK(config.folders[0].path == "/srv/a \\ b");
}

}  // namespace dagsync
