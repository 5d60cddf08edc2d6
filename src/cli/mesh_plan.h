// What `dagsync init` is to set up, and the texts that follow from it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dagsync/base/result.h"
#include "dagsync/core/names.h"

namespace dagsync {

// Where a node's things are. All follow from the path of its dagsync.toml: in /etc/dagsync they are
// where the installed units have them (NAME.toml is that of dagsync@NAME.service), elsewhere beside
// it.
struct NodePlaces {
  std::string config;
  std::string tls;             // the directory of ca.crt, node.crt and node.key
  std::string state_dir;       // "": the default
  std::string control_socket;  // "": the default
  std::string unit;            // "dagsync" or "dagsync@NAME"; "": none
  std::string others;          // the directory with a directory for each other node
};
[[nodiscard]] NodePlaces places_for(const std::string& absolute_config);

struct PlannedNode {
  NodeName name;
  std::string address;  // HOST:PORT, where the others reach it
};
// "node2", "node2=10.0.0.2", "node2=[fd00::2]:7411": without a host its name, without a port 7411.
[[nodiscard]] Result<PlannedNode> parse_planned_node(std::string_view text);

struct MeshPlan {
  std::vector<PlannedNode> nodes;
  NodeName self;  // one of them
  std::string folder_name;
  std::string folder;  // its path, the same on all nodes
  std::string listen;  // of self; "": every address, with the port of its own
  std::string user;    // that the daemons run as; "": whoever starts them
  NodePlaces places;
};

// The dagsync.toml of one of the nodes.
[[nodiscard]] std::string config_text(const MeshPlan& plan, const PlannedNode& node);

// What is left to be done, as commands: on this node, and three for each other one.
[[nodiscard]] std::string next_steps(const MeshPlan& plan);

}  // namespace dagsync
