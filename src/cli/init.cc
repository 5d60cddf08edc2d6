#include <pwd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>

#include "cli/commands.h"
#include "cli/console.h"
#include "cli/mesh_plan.h"
#include "daemon/certificates.h"
#include "daemon/config.h"
#include "daemon/config_values.h"
#include "daemon/files.h"
#include "daemon/print_error.h"
#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxPem = 256 * 1024;
constexpr mode_t kSecret = 0600;
constexpr mode_t kPublic = 0644;

UnixNanos wall_clock() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return {std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec};
}

std::string this_machine() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "";
  return name.data();
}

Unexpected misused(const std::string& what) {
  return fail(ErrorCode::kInvalid, what);
}

// -- asking --------------------------------------------------------------------------------------

// One line from the terminal; what is offered counts where it is empty. Ends where the input does.
Result<std::string> ask_for(const std::string& question, const std::string& offered) {
  print(question + (offered.empty() ? ": " : " [" + offered + "]: "));
  std::string line;
  if (!std::getline(std::cin, line)) return misused("the input ended: nothing was written");
  return line.empty() ? offered : line;
}

std::vector<std::string> split_names(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : line + ",") {
    if (c != ',' && c != ' ') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, ""));
    }
  }
  return words;
}

bool is_name_of(const std::string& machine, const std::string& node) {
  return machine == node || machine.substr(0, machine.find('.')) == node;
}

// The one among the nodes that this machine is called; "" where none is.
std::string guessed_self(const std::vector<PlannedNode>& nodes) {
  const std::string machine = this_machine();
  for (const PlannedNode& node : nodes) {
    if (is_name_of(machine, node.name.value)) return node.name.value;
  }
  return "";
}

Result<std::vector<PlannedNode>> planned_nodes(const InitOptions& options, bool may_ask) {
  std::vector<std::string> words = options.nodes;
  if (words.empty()) {
    if (!may_ask) return misused("which nodes there are is not said: give --nodes A,B,C");
    const auto line = ask_for("Names of all nodes, this one too, with commas", "");
    if (!line) return Unexpected(line.error());
    for (const std::string& name : split_names(*line)) {
      const auto address = ask_for("Where the others reach " + name, name + ":7411");
      if (!address) return Unexpected(address.error());
      words.push_back(name + "=" + *address);
    }
  }
  std::vector<PlannedNode> nodes;
  for (const std::string& word : words) {
    auto node = parse_planned_node(word);
    if (!node) return Unexpected(node.error());
    const bool known = std::ranges::any_of(
        nodes, [&](const PlannedNode& other) { return other.name == node->name; });
    if (known) return misused("the node " + node->name.value + " is named twice: name each once");
    nodes.push_back(std::move(*node));
  }
  if (nodes.size() < 2) return misused("a mesh has two nodes or more: name them all");
  return nodes;
}

Result<NodeName> planned_self(const InitOptions& options, const std::vector<PlannedNode>& nodes,
                              bool may_ask) {
  std::string self = options.node;
  if (self.empty()) self = guessed_self(nodes);
  if (options.node.empty() && may_ask) {
    const auto line = ask_for("Which of them is this one", self);
    if (!line) return Unexpected(line.error());
    self = *line;
  }
  for (const PlannedNode& node : nodes) {
    if (node.name.value == self) return node.name;
  }
  if (self.empty()) {
    return misused("this machine is called " + escape_bytes(this_machine()) +
                   ", like none of the nodes: say with --node which one it is");
  }
  return misused("\"" + escape_bytes(self) + "\" is none of the nodes: add it to them");
}

Result<std::string> planned_folder(const InitOptions& options, bool may_ask) {
  std::string folder = options.folder;
  if (folder.empty()) {
    if (!may_ask) return misused("which folder is meant is not said: give --folder PATH");
    auto line = ask_for("The folder that is to be the same on all nodes", "");
    if (!line) return Unexpected(line.error());
    folder = std::move(*line);
  }
  auto path = parse_root(folder);
  if (!path) return misused("the folder " + path.error().message);
  std::error_code error;
  if (!fs::is_directory(*path, error)) {
    return misused("the folder " + escape_bytes(*path) +
                   " is no directory: make it, as the user who is to own it");
  }
  return path;
}

// Whom the daemons run as: the owner of the folder, where root sets this up; where that is root,
// the package's own user.
std::string user_for(const std::string& folder) {
  struct stat about {};
  if (geteuid() != 0 || stat(folder.c_str(), &about) != 0) return "";
  const passwd* owner = getpwuid(about.st_uid);
  if (about.st_uid != 0 && owner != nullptr) return owner->pw_name;
  return getpwnam("dagsync") != nullptr ? "dagsync" : "";
}

Result<MeshPlan> make_plan(const std::string& config_path, const InitOptions& options) {
  const bool may_ask = is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO);
  MeshPlan plan;
  auto nodes = planned_nodes(options, may_ask);
  if (!nodes) return Unexpected(nodes.error());
  plan.nodes = std::move(*nodes);
  auto self = planned_self(options, plan.nodes, may_ask);
  if (!self) return Unexpected(self.error());
  plan.self = std::move(*self);
  auto folder = planned_folder(options, may_ask);
  if (!folder) return Unexpected(folder.error());
  plan.folder = std::move(*folder);
  plan.folder_name = options.folder_name;
  plan.listen = options.listen;
  plan.user = user_for(plan.folder);
  plan.places = places_for(fs::absolute(config_path).lexically_normal().string());
  return plan;
}

// -- writing -------------------------------------------------------------------------------------

struct PlannedFile {
  std::string path;
  std::string content;
  mode_t mode;
  bool is_secret_of_daemon = false;  // this node's: given to the user that it runs as
};

Status check_texts(const MeshPlan& plan) {
  for (const PlannedNode& node : plan.nodes) {
    const auto config = parse_config(config_text(plan, node), plan.places.config);
    if (!config) return Unexpected(config.error());
  }
  return {};
}

Status refuse_what_exists(const MeshPlan& plan) {
  std::vector<std::string> paths = {plan.places.config};
  for (const char* name : {"/ca.crt", "/node.crt", "/node.key"})
    paths.push_back(plan.places.tls + name);
  for (const PlannedNode& node : plan.nodes) {
    if (node.name != plan.self) paths.push_back(plan.places.others + "/" + node.name.value);
  }
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(path, ignored))) continue;
    return fail(ErrorCode::kExists, escape_bytes(path) +
                                        " exists already and is never overwritten: move it away, "
                                        "or name another place with --config");
  }
  return {};
}

// The CA in `directory` has a certificate for each node afterwards; the CA too is made where it is
// not.
Status issue_all(const MeshPlan& plan, const std::string& directory) {
  const auto exists = [&](const std::string& name) {
    std::error_code ignored;
    return fs::exists(directory + "/" + name, ignored);
  };
  std::vector<NodeName> names;
  for (const PlannedNode& node : plan.nodes)
    names.push_back(node.name);
  if (!exists("ca.crt") && !exists("ca.key")) {
    const auto made = init_authority(directory, names, kDefaultCertificateDays, wall_clock());
    return made ? Status() : Unexpected(made.error());
  }
  for (const NodeName& name : names) {
    if (exists(name.value + ".crt")) continue;
    const auto made = issue_certificate(directory, {name}, kDefaultCertificateDays, wall_clock());
    if (!made) return Unexpected(made.error());
  }
  return {};
}

Result<std::vector<PlannedFile>> files_of(const MeshPlan& plan, const std::string& authority) {
  std::vector<PlannedFile> files;
  const fs::path tls(plan.places.tls);
  for (const PlannedNode& node : plan.nodes) {
    const bool here = node.name == plan.self;
    const std::string base = plan.places.others + "/" + node.name.value;
    const std::string to = here ? tls.string() : base + "/" + tls.filename().string();
    for (const auto& [from, name, mode] : {std::tuple(std::string("ca"), "ca.crt", kPublic),
                                           std::tuple(node.name.value, "node.crt", kPublic),
                                           std::tuple(node.name.value, "node.key", kSecret)}) {
      const std::string ending = fs::path(name).extension().string();
      auto pem = read_small_file(authority + "/" + from + ending, kMaxPem);
      if (!pem) return Unexpected(pem.error());
      files.push_back({to + "/" + name, std::move(*pem), mode, here});
    }
    const std::string file = fs::path(plan.places.config).filename().string();
    files.push_back(
        {here ? plan.places.config : base + "/" + file, config_text(plan, node), kPublic});
  }
  return files;
}

Status give_to_user(const std::string& path, const std::string& user) {
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr || chown(path.c_str(), entry->pw_uid, static_cast<gid_t>(-1)) == 0)
    return {};
  return fail_errno(errno, "give " + escape_bytes(path) + " to " + user);
}

Status write_one(const MeshPlan& plan, const PlannedFile& file) {
  const std::string directory = fs::path(file.path).parent_path().string();
  const bool is_tls = fs::path(directory).filename() == fs::path(plan.places.tls).filename();
  if (Status made = make_directories(directory, is_tls ? 0750 : 0755); !made) return made;
  if (Status made = create_file(file.path, file.content, file.mode); !made) return made;
  if (!file.is_secret_of_daemon || plan.user.empty()) return {};
  if (Status given = give_to_user(directory, plan.user); !given) return given;
  return give_to_user(file.path, plan.user);
}

// All of them or none.
Status write_files(const MeshPlan& plan, const std::vector<PlannedFile>& files) {
  std::vector<std::string> made;
  for (const PlannedFile& file : files) {
    if (Status written = write_one(plan, file); !written) {
      for (const std::string& path : made)
        unlink(path.c_str());
      return written;
    }
    made.push_back(file.path);
  }
  return {};
}

Status set_up(const MeshPlan& plan, const std::string& authority) {
  if (Status good = check_texts(plan); !good) return good;
  if (Status fresh = refuse_what_exists(plan); !fresh) return fresh;
  if (Status issued = issue_all(plan, authority); !issued) return issued;
  const auto files = files_of(plan, authority);
  if (!files) return Unexpected(files.error());
  if (Status written = write_files(plan, *files); !written) return written;
  print("Written:\n");
  for (const PlannedFile& file : *files)
    print("  " + escape_bytes(file.path) + "\n");
  return {};
}

int complain(const Error& error) {
  print_error(error);
  return error.code == ErrorCode::kInvalid ? kExitUsage : kExitFailed;
}

}  // namespace

int run_init(const std::string& config_path, const InitOptions& options) {
  const auto plan = make_plan(config_path, options);
  if (!plan) return complain(plan.error());
  const std::string beside = fs::path(plan->places.config).parent_path().string() + "/ca";
  const std::string authority = options.authority.empty() ? beside : options.authority;
  if (Status done = set_up(*plan, authority); !done) return complain(done.error());
  print("\n" + next_steps(*plan) + "\n" + escape_bytes(plan->places.others) +
        " has the keys of the other nodes: remove it when they have them. " +
        escape_bytes(authority) +
        "/ca.key\nmakes certificates for further nodes: keep it safe, no node needs it.\n");
  return 0;
}

}  // namespace dagsync
