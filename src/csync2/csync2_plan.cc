#include "csync2/csync2_plan.h"

#include <fmt/format.h>

#include "csync2/toml_text.h"

namespace dagsync {
namespace {

constexpr int kPort = 7411;

using Strings = std::vector<std::string>;

void write(TomlText& toml, const Csync2Plan::Folder& folder) {
  toml.table("[[folder]]");
  toml.value("name", folder.name);
  toml.value("path", folder.path);
  if (folder.receive_only) toml.value("mode", "receive-only");
  for (const std::string& line : folder.notes)
    toml.comment(line);
  if (!folder.ignore.empty()) toml.value("ignore", folder.ignore);
}

void write(TomlText& toml, const Csync2Plan::Hook& hook) {
  toml.table("[[hook]]");
  toml.comment(hook.note);
  toml.value("on", "applied");
  toml.value("folder", hook.folder);
  if (!hook.what.match.empty()) toml.value("match", hook.what.match);
  toml.value("run", hook.what.run);
}

void write(TomlText& toml, const std::string& name, const Csync2Plan::Peer& peer) {
  toml.table("[[peer]]");
  toml.value("name", name);
  toml.value("address", Strings{fmt::format("{}:{}", peer.address, kPort)});
  if (peer.slave.empty()) return;
  if (peer.slave == peer.groups) {
    toml.comment("A slave of csync2: it takes changes, and makes none.");
    toml.value("may", Strings{"receive"});
    return;
  }
  toml.comment(fmt::format(
      "A slave of csync2 in {}, not in all groups: there its own dagsync.toml has mode = "
      "\"receive-only\"; `may` would hold for all of them.",
      fmt::join(peer.slave, ", ")));
}

}  // namespace

std::string to_toml(const Csync2Plan& plan) {
  TomlText toml;
  toml.comment("From a csync2.cfg, for the node " + plan.host +
               ". What stands there and is otherwise here:");
  for (const std::string& note : plan.notes)
    toml.item(note);
  toml.table("[node]");
  toml.value("name", plan.host);
  toml.value("listen", Strings{fmt::format("0.0.0.0:{}", kPort)});
  toml.table("[tls]");
  toml.value("ca", "/etc/dagsync/tls/ca.crt");
  toml.value("cert", "/etc/dagsync/tls/node.crt");
  toml.value("key", "/etc/dagsync/tls/node.key");
  for (const auto& folder : plan.folders)
    write(toml, folder);
  for (const auto& hook : plan.hooks)
    write(toml, hook);
  for (const auto& [name, peer] : plan.peers)
    write(toml, name, peer);
  return toml.text();
}

}  // namespace dagsync
