// The real program, against a control server that answers from a list.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "daemon/control_server.h"
#include "poll_loop.h"
#include "support/texts.h"
#include "temp_dir.h"

namespace dagsync {
namespace {

using nlohmann::json;

struct Outcome {
  int status = -1;
  std::string out;
  std::string err;
};

struct Program : ControlHandler {
  TempDir dir;
  std::string config = dir / "dagsync.toml";
  PollLoop loop;
  std::unique_ptr<ControlServer> server;
  json answer = json::object();
  std::vector<json> requests;

  Program() {
    std::filesystem::create_directories(dir / "dags/sub");
    write_file(config, "[node]\nname = \"a\"\ncontrol_socket = \"" + dir / "c.sock" +
                           "\"\n[tls]\nca = \"x\"\ncert = \"x\"\nkey = \"x\"\n[[folder]]\nname = "
                           "\"dags\"\npath = \"" +
                           dir / "dags" + "\"\n[[peer]]\nname = \"b\"\naddress = [\"b:1\"]\n");
  }

  void listen() {
    auto made = ControlServer::listen(dir / "c.sock", loop.watch_readable(), *this);
    REQUIRE_MESSAGE(made, made.error().message);
    server = std::move(*made);
  }

  void handle(const json& request, std::shared_ptr<ControlReply> reply) override {
    requests.push_back(request);
    reply->done(answer);
  }

  Outcome run(std::vector<std::string> arguments, const std::string& directory = "/") {
    arguments.insert(arguments.begin(), DAGSYNC_BINARY);
    std::vector<char*> argv;
    for (std::string& argument : arguments)
      argv.push_back(argument.data());
    argv.push_back(nullptr);
    const std::string out = dir / "out";
    const std::string err = dir / "err";
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const int flags = O_WRONLY | O_CREAT | O_TRUNC;
      dup2(open(out.c_str(), flags, 0600), 1);
      dup2(open(err.c_str(), flags, 0600), 2);
      unsetenv("DAGSYNC_CONFIG");
      if (chdir(directory.c_str()) != 0) _exit(126);
      execv(argv[0], argv.data());
      _exit(127);
    }
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0)
      loop.turn(5);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(out), read_file(err)};
  }
};

TEST_CASE_FIXTURE(Program, "usage errors are exit status 2 and say so in one way") {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"nonsense"},
      {"status", "--nonsense"},
      {"status", "--json", "--watch"},
      {"status", "--wait", "soon"},
      {"push", "--timeout", "-1"},
      {"push", "--min-acks", "0"},
      {"push", "--to", "h:1"},
      {"push", "--from", "/"},
      {"push", "--delete"},
      {"push", "x", "--to", "h:1", "--from", "/"},
      {"push", "--to", "h:0", "--from", "/"},
      {"push", "--to", "h:1", "--from", "/no/such"},
      {"versions"},
      {"restore"},
      {"pause"},
      {"resume"},
      {"certs"},
      {"certs", "init"},
      {"certs", "init", "/tmp", "--nodes", "a b"},
      {"certs", "init", "/tmp", "--nodes", "a", "--days", "0"},
      {"daemon", "--log-level", "loud"},
      {"status", "--config", "/no/such/file"},
  };
  for (const auto& arguments : wrong) {
    CAPTURE(arguments);
    const Outcome outcome = run(arguments);
    CHECK(outcome.status == 2);
    CHECK(outcome.err.starts_with("dagsync: "));
    CHECK(outcome.out.empty());
  }
}

TEST_CASE_FIXTURE(Program, "a number that is none is told with what to give") {
  CHECK(has(run({"status", "--wait", "soon"}).err,
            "--wait: is \"soon\": give a number of seconds, e.g. 30"));
  CHECK(
      has(run({"push", "--timeout", "-1"}).err, "--timeout: is \"-1\": give a number of seconds"));
  CHECK(has(run({"certs", "issue", "/tmp", "--node", "a", "--days", "0"}).err,
            "--days: is \"0\": give a whole number of days, from 1 to "));
}

TEST_CASE_FIXTURE(Program, "help and version are exit status 0") {
  CHECK(run({"--version"}).out == "dagsync " DAGSYNC_VERSION "\n");
  for (const char* command :
       {"daemon", "status", "push", "conflicts", "versions", "restore", "pause", "resume"}) {
    const Outcome outcome = run({command, "--help"});
    CHECK(outcome.status == 0);
    CHECK(has(outcome.out, "Examples:"));
    CHECK(has(outcome.out, "--config"));
  }
  CHECK(run({"certs", "init", "--help"}).status == 0);
}

TEST_CASE_FIXTURE(Program, "a bad configuration is exit status 2 with line and key") {
  write_file(config, "[node]\nnmae = 1\n");
  const Outcome outcome = run({"status", "--config", config});
  CHECK(outcome.status == 2);
  CHECK(has(outcome.err, "dagsync: " + config + ":2: key `node.nmae`: is unknown"));
}

TEST_CASE_FIXTURE(Program, "no daemon is exit status 3") {
  const std::vector<std::vector<std::string>> commands = {
      {"status"},       {"push"},          {"conflicts"},     {"versions", "x"},
      {"restore", "x"}, {"pause", "dags"}, {"resume", "dags"}};
  for (auto arguments : commands) {
    arguments.insert(arguments.end(), {"--config", config});
    const Outcome outcome = run(arguments);
    CHECK(outcome.status == 3);
    CHECK(has(outcome.err, "dagsync: no daemon answers on " + dir / "c.sock" + ": start it"));
  }
}

TEST_CASE_FIXTURE(Program, "status prints exactly what the daemon sent, and 1 when not in sync") {
  listen();
  answer = {{"status", {{"node", "a"}, {"in_sync", false}, {"extra", 1}}}};
  Outcome outcome = run({"status", "--json", "--config", config});
  CHECK(outcome.status == 1);
  CHECK(json::parse(outcome.out) == answer["status"]);
  answer["status"]["in_sync"] = true;
  CHECK(run({"--config", config, "status"}).status == 0);
  CHECK_FALSE(requests[0].contains("wait"));
  outcome = run({"status", "--wait", "2.5", "--config", config});
  CHECK(outcome.status == 0);
  CHECK(requests.back()["wait"] == 2.5);
  CHECK(has(outcome.out, "a: in sync"));
}

TEST_CASE_FIXTURE(Program, "push prints a line per node and takes the daemon's exit status") {
  listen();
  answer = {{"folder", "dags"},
            {"sequence", 7},
            {"exit", 1},
            {"nodes",
             {{{"name", "b"}, {"acknowledged", true}, {"seconds", 0.0125}, {"error", ""}},
              {{"name", "c"}, {"acknowledged", false}, {"seconds", 1}, {"error", "is away"}}}}};
  Outcome outcome = run({"push", "--config", config, "--timeout", "1", "--min-acks", "2"});
  CHECK(outcome.status == 1);
  CHECK(outcome.out == "b  acknowledged after 0.013 s\nc  not acknowledged: is away\n");
  const json expected = {{"command", "push"},
                         {"folder", nullptr},
                         {"paths", json::array()},
                         {"timeout", 1.0},
                         {"min_acks", 2}};
  CHECK(requests[0] == expected);
  outcome = run({"push", "--json", "--config", config});
  CHECK(json::parse(outcome.out) == json{{"folder", "dags"},
                                         {"sequence", 7},
                                         {"nodes", answer["nodes"]},
                                         {"not_pushed", json::array()}});
  CHECK(requests[1]["min_acks"] == "all");
}

TEST_CASE_FIXTURE(Program, "a path that is there becomes absolute, another goes as it is") {
  listen();
  answer = {{"nodes", json::array()}};
  write_file(dir / "dags/sub/a\xff.py", "");
  write_file(dir / "outside", "");
  std::filesystem::create_directory_symlink(dir / "dags", dir / "link");
  run({"push", "--config", config, "a\xff.py", "gone.py", "../../outside", "/x/y", "../sub/", "."},
      dir / "dags/sub");
  const std::string root = dir / "dags";
  CHECK(requests[0]["paths"] == json{root + "/sub/a\xC3\xBF.py", "gone.py", "../../outside", "/x/y",
                                     root + "/sub", root + "/sub"});
  run({"push", "--config", config, "link/sub"}, dir.path());
  CHECK(requests[1]["paths"] == json{root + "/sub"});
}

TEST_CASE_FIXTURE(Program, "conflicts and versions are a table or the list itself") {
  listen();
  answer = {{"versions",
             {{{"folder", "dags"},
               {"path", "a.py"},
               {"id", "00ff-12"},
               {"kind", "file"},
               {"size", 2048},
               {"mode", 420},
               {"mtime_ns", 1},
               {"digest", "d"},
               {"origin", "b"},
               {"kept_at", "2026-11-21T06:17:00.123Z"},
               {"reason", "conflict"}}}}};
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"conflicts"}, {"versions", "a.py"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--config", config});
    Outcome outcome = run(arguments);
    CHECK(outcome.status == 0);
    CHECK(
        has(outcome.out,
            "2026-11-21T06:17:00.123Z  conflict  file  2.0 KiB  b       dags    a.py  00ff-12\n"));
    arguments.push_back("--json");
    outcome = run(arguments);
    CHECK(json::parse(outcome.out) == answer["versions"]);
  }
  answer["versions"] = json::array();
  CHECK(run({"conflicts", "--config", config}).status == 0);
  CHECK(run({"conflicts", "--json", "--config", config}).out == "[]\n");
  const Outcome none = run({"versions", "a.py", "--config", config});
  CHECK(none.status == 1);
  CHECK(none.err.starts_with("dagsync: no kept version of a.py"));
}

TEST_CASE_FIXTURE(Program,
                  "restore and resume ask for what was said and repeat the daemon's error") {
  listen();
  answer = {{"version",
             {{"folder", "dags"},
              {"path", "a.py"},
              {"kind", "file"},
              {"size", 3},
              {"origin", "b"},
              {"kept_at", "then"}}}};
  Outcome outcome =
      run({"restore", "a.py", "--version", "id1", "--folder", "dags", "--config", config});
  CHECK(outcome.status == 0);
  CHECK(outcome.out == "restored a.py in dags: file, 3 B, kept at then, from b\n");
  CHECK(requests[0] ==
        json{{"command", "restore"}, {"folder", "dags"}, {"path", "a.py"}, {"version", "id1"}});
  outcome = run({"resume", "dags", "--accept-deletes", "--config", config});
  CHECK(outcome.status == 0);
  CHECK(requests[1] == json{{"command", "resume"}, {"folder", "dags"}, {"accept_deletes", true}});
  answer = {{"exit", 1}, {"error", "no kept version of a.py"}};
  outcome = run({"restore", "a.py", "--config", config});
  CHECK(outcome.status == 1);
  CHECK(outcome.err == "dagsync: no kept version of a.py\n");
}

TEST_CASE_FIXTURE(Program, "certs are made, shown and never overwritten") {
  const std::string tls = dir / "tls";
  CHECK(run({"certs", "init", tls, "--nodes", "A,b"}).status == 0);
  Outcome outcome = run({"certs", "init", tls, "--nodes", "c"});
  CHECK(outcome.status == 1);
  CHECK(outcome.err.starts_with("dagsync: exists already"));
  outcome = run({"certs", "show", tls});
  CHECK(outcome.status == 0);
  CHECK(has(outcome.out, tls + "/a.crt\n  names        a\n"));
  CHECK(has(outcome.out, "in 824 days"));
  CHECK(run({"certs", "issue", tls, "--node", "ci", "--name", "x"}).status == 0);
  CHECK(run({"certs", "renew", tls, "--node", "ci"}).status == 0);
  std::filesystem::copy_file(tls + "/b.key", tls + "/ci.key",
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(run({"certs", "show", tls + "/ci.crt"}).status == 1);
}

}  // namespace
}  // namespace dagsync
