#include "daemon/reload.h"

#include <doctest/doctest.h>

#include <functional>

namespace dagsync {
namespace {

using Keys = std::vector<std::string>;

Config sample() {
  Config config;
  config.node.name = {"node1"};
  config.folders.resize(2);
  config.folders[0].name = "dags";
  config.folders[0].path = "/srv/dags";
  config.folders[1].name = "plugins";
  config.folders[1].path = "/srv/plugins";
  return config;
}

TEST_CASE("what a reload cannot take over is named, key by key") {
  struct Case {
    Keys keys;
    std::function<void(Config&)> edit;
  };
  for (const Case& c : {
           Case{{}, [](Config&) {}},
           Case{{}, [](Config& now) { now.node.log_level = log::Level::kDebug; }},
           Case{{"[node] name"}, [](Config& now) { now.node.name = {"node2"}; }},
           Case{{"[node] listen"}, [](Config& now) { now.node.listen = {"0.0.0.0:1"}; }},
           Case{{"[node] state_dir"}, [](Config& now) { now.node.state_dir = "/srv/state"; }},
           Case{{"[node] control_socket"}, [](Config& now) { now.node.control_socket = "/s"; }},
           Case{{"[node] http"}, [](Config& now) { now.node.http = "127.0.0.1:7412"; }},
           Case{{"[node] http_tls"}, [](Config& now) { now.node.http_tls = true; }},
           Case{{"[node] http_insecure"}, [](Config& now) { now.node.http_insecure = true; }},
           Case{{"[log]"}, [](Config& now) { now.log.file = "/var/log/dagsync.log"; }},
           Case{{"[log]"}, [](Config& now) { now.log.keep = 7; }},
           Case{{"[[folder]] path of plugins"}, [](Config& now) { now.folders[1].path = "/p"; }},
           Case{{"[[folder]] owner of dags"},
                [](Config& now) { now.folders[0].owner.fixed = "root"; }},
           Case{{}, [](Config& now) { now.folders.pop_back(); }},
           Case{{}, [](Config& now) { now.folders[0].ignore = {"logs/"}; }},
       }) {
    Config now = sample();
    c.edit(now);
    CHECK(keys_that_need_a_restart(sample(), now) == c.keys);
  }
}

TEST_CASE("a folder that is at work keeps its path and owner, and takes over all else") {
  Config now = sample();
  now.folders[0].path = "/elsewhere";
  now.folders[0].owner.fixed = "root";
  now.folders[0].ignore = {"logs/"};
  now.folders[1].name = "new";
  const std::vector<FolderConfig> folders = folders_after_reload(sample(), now);
  REQUIRE(folders.size() == 2);
  CHECK(folders[0].path == "/srv/dags");
  CHECK(folders[0].owner == FolderOwner());
  CHECK(folders[0].ignore == std::vector<std::string>{"logs/"});
  CHECK(find_folder(folders, "new")->path == "/srv/plugins");
  CHECK(find_folder(folders, "plugins") == nullptr);
}

}  // namespace
}  // namespace dagsync
