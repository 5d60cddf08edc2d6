// dagsync-hostile: a peer with a valid certificate that does one bad thing, then listens until it
// is closed or its time is up, and prints as one line of JSON what it heard.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "hostile/attack.h"
#include "support/files.h"

namespace dagsync::hostile {
namespace {

Attack find(const std::string& name, bool& greets) {
  greets = !strangers_attacks().contains(name);
  for (const Attacks* attacks : {&strangers_attacks(), &frame_attacks(), &change_attacks(),
                                 &knowledge_attacks(), &transfer_attacks()}) {
    const auto it = attacks->find(name);
    if (it != attacks->end()) return it->second;
  }
  return nullptr;
}

std::vector<std::string> first_of(std::vector<std::string> lines) {
  if (lines.size() > 10) lines.resize(10);
  return lines;
}

void print(const Session& session) {
  const Session::Heard& heard = session.heard();
  const nlohmann::json line = {
      {"closed", heard.closed},
      {"greeted", heard.greeted},
      {"goodbye", heard.goodbye},
      {"messages", heard.messages},
      {"chunk_bytes", heard.chunk_bytes},
      {"paths", heard.paths},
      {"verify_rows", heard.verify_rows},
      {"bytes_sent", session.bytes_sent()},
      {"fetch_errors", first_of(heard.fetch_errors)},
      {"verify_errors", first_of(heard.verify_errors)},
  };
  std::puts(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

int run(int argc, char** argv) {
  CLI::App app("A peer that keeps to no rule");
  Plan plan;
  Target& target = plan.target;
  std::string address;
  std::string tls;
  std::string attack_name;
  double linger = 5;
  app.add_option("--to", address, "HOST:PORT of a daemon")->required();
  app.add_option("--from", target.from, "an IPv4 address of ours");
  app.add_option("--tls", tls, "directory with ca.crt, node.crt and node.key")->required();
  app.add_option("--name", plan.name.value)->required();
  app.add_option("--folder", plan.folder);
  app.add_option("--path", plan.path);
  app.add_option("--text", plan.text);
  app.add_option_function<std::string>(
      "--text-file",
      [&](const std::string& file) {
        std::ifstream in(file, std::ios::binary);
        plan.text = read_rest(in);
      },
      "in place of --text");
  app.add_option("--count", plan.count);
  app.add_option("--linger", linger, "seconds to listen at the end");
  app.add_option("attack", attack_name)->required();
  CLI11_PARSE(app, argc, argv);
  bool greets = true;
  const Attack attack = find(attack_name, greets);
  if (attack == nullptr) {
    std::fprintf(stderr, "dagsync-hostile: no attack is called %s\n", attack_name.c_str());
    return 2;
  }
  const std::size_t colon = address.rfind(':');
  target.host = address.substr(0, colon);
  target.port = address.substr(colon + 1);
  target.ca = tls + "/ca.crt";
  target.cert = tls + "/node.crt";
  target.key = tls + "/node.key";
  Session session(target);
  if (greets) session.greet(plan.name, plan.folder);
  if (session.open()) attack(session, plan);
  session.listen_until([] { return false; },
                       std::chrono::milliseconds(static_cast<std::int64_t>(linger * 1000)));
  print(session);
  session.finish();
  return 0;
}

}  // namespace
}  // namespace dagsync::hostile

int main(int argc, char** argv) {
  return dagsync::hostile::run(argc, argv);
}
