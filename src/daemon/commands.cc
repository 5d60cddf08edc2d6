#include "daemon/commands.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "daemon/event_stream.h"
#include "daemon/path_argument.h"
#include "daemon/status_json.h"
#include "daemon/version.h"

namespace dagsync {
namespace {

using nlohmann::json;

constexpr int kNotDone = 1;
constexpr int kUsage = 2;
constexpr double kDefaultPushSeconds = 60;
constexpr std::size_t kMaxListed = 1000;  // paths that a push does not send
constexpr double kMostSeconds = 365.0 * 24 * 3600;

std::optional<std::string> text_of(const json& request, const char* key) {
  const auto it = request.find(key);
  if (it == request.end() || !it->is_string()) return std::nullopt;
  return it->get<std::string>();
}

Duration seconds_of(const json& request, const char* key, double otherwise) {
  const auto it = request.find(key);
  const double value = it != request.end() && it->is_number() ? it->get<double>() : otherwise;
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::clamp(value, 0.0, kMostSeconds)));
}

}  // namespace

void Commands::handle(const json& request, std::shared_ptr<ControlReply> reply) {
  const std::string command = text_of(request, "command").value_or("");
  if (command == "status") return status(request, reply);
  if (command == "push") return push(request, reply);
  if (command == "conflicts") return list_versions(request, reply, true);
  if (command == "versions") return list_versions(request, reply, false);
  if (command == "restore") return restore(request, reply);
  if (command == "pause") return pause(request, reply);
  if (command == "resume") return resume(request, reply);
  if (command == "verify") return verify(request, reply);
  if (command == "events") {
    reply->progress({{"following", node_.name().value}});
    return EventStream::begin(node_.events(), clock_, reply, node_.events().last() + 1);
  }
  reply->fail(kUsage, "this daemon has no command \"" + escape_bytes(command) +
                          "\": use the dagsync of the same version");
}

std::vector<FolderConfig> Commands::configs() const {
  std::vector<FolderConfig> configs;
  for (const auto& [name, folder] : node_.folders())
    configs.push_back(folder->config());
  return configs;
}

Result<Folder*> Commands::folder_of(const json& request) {
  const std::vector<FolderConfig> all = configs();
  const auto index = choose_folder(all, text_of(request, "folder"));
  if (!index) return Unexpected(index.error());
  return node_.folder(all[*index].name);
}

Result<Commands::Place> Commands::place_of(const json& request, const std::string& text) {
  const auto bytes = path_from_json(text);
  if (!bytes) return Unexpected(bytes.error());
  const std::vector<FolderConfig> all = configs();
  const auto found = resolve_path(all, text_of(request, "folder"), *bytes);
  if (!found) return Unexpected(found.error());
  return Place{node_.folder(all[found->folder].name), found->path};
}

// -- status -------------------------------------------------------------------------------------

void Commands::answer_status(const Reply& reply) {
  const NodeStatus status = node_.status();
  reply->done(
      {{"exit", status.in_sync ? 0 : kNotDone}, {"status", to_json(status, dagsync_version())}});
}

void Commands::status(const json& request, const Reply& reply) {
  const auto wait = request.find("wait");
  const bool waits = wait != request.end() && wait->is_number();
  const MonoNanos deadline = clock_.mono() + seconds_of(request, "wait", 0);
  node_.notice([this, waits, deadline, reply] {
    if (waits) {
      wait_for_sync(deadline, reply);
    } else {
      answer_status(reply);
    }
  });
}

void Commands::wait_for_sync(MonoNanos deadline, const Reply& reply) {
  const Duration left = std::max(deadline - clock_.mono(), Duration(0));
  node_.wait_until([this, reply] { return reply->closed() || node_.in_sync(); }, left,
                   [this, deadline, reply](bool met) {
                     if (reply->closed()) return;
                     node_.notice([this, deadline, reply, met] {
                       if (!met || node_.in_sync()) return answer_status(reply);
                       wait_for_sync(deadline, reply);
                     });
                   });
}

// -- push ---------------------------------------------------------------------------------------

struct Commands::Push {
  Folder* folder = nullptr;  // at the beginning; later it may have been taken out
  Node* whole = nullptr;
  std::string folder_name;
  Reply reply;
  MonoNanos began;
  MonoNanos deadline;
  std::size_t min_acks = 0;
  Knowledge target;
  std::map<NodeName, double> acknowledged;  // after so many seconds
  std::vector<NodeName> nodes;              // counted
  std::map<RelPath, std::string> left;      // what does not travel, and why

  void note_what_stays(const std::vector<RelPath>& paths) {
    std::vector<RelPath> below = paths;
    if (below.empty()) below.emplace_back();
    for (const RelPath& path : below) {
      auto staying = folder->not_pushed(path);
      // What was deleted is still known; a name that is wrong was never.
      const bool is_known = path.is_root() || folder->replica().index().find(path) != nullptr;
      if (staying.empty() && !is_known)
        staying.push_back({path, "there is no such file, and never was: give another path"});
      for (Folder::NotPushed& each : staying) {
        if (left.size() < kMaxListed) left.emplace(std::move(each.path), std::move(each.why));
      }
    }
  }

  [[nodiscard]] json nodes_json(const NodeStatus& status, bool over) const {
    json list = json::array();
    for (const NodeName& name : nodes) {
      const auto it = acknowledged.find(name);
      json node = {{"name", name.value}, {"acknowledged", it != acknowledged.end()}};
      node["seconds"] = it != acknowledged.end() ? json(it->second) : json();
      std::string error;
      if (it == acknowledged.end() && over) {
        error = "timed out";
        for (const PeerStatus& peer : status.peers) {
          if (peer.name == name && !peer.connected) error = "not connected: " + peer.trouble;
        }
      }
      node["error"] = error;
      list.push_back(std::move(node));
    }
    return list;
  }
};

void Commands::push(const json& request, const Reply& reply) {
  auto push = std::make_shared<Push>();
  push->reply = reply;
  push->began = clock_.mono();
  push->deadline = push->began + seconds_of(request, "timeout", kDefaultPushSeconds);
  std::vector<RelPath> paths;
  for (const json& path : request.value("paths", json::array())) {
    if (!path.is_string()) return reply->fail(kUsage, "a path is no string");
    const auto place = place_of(request, path.get<std::string>());
    if (!place) return reply->fail(kUsage, place.error().message);
    if (push->folder != nullptr && push->folder != place->folder) {
      return reply->fail(kUsage, "the paths lie in different folders: push them one by one");
    }
    push->folder = place->folder;
    if (!place->path.is_root()) paths.push_back(place->path);
  }
  if (push->folder == nullptr) {
    const auto folder = folder_of(request);
    if (!folder) return reply->fail(kUsage, folder.error().message);
    push->folder = *folder;
  }
  push->whole = &node_;
  push->folder_name = push->folder->config().name;
  if (push->folder->replica().halted()) {
    return reply->fail(kNotDone, "the folder is halted: " + *push->folder->replica().halted());
  }
  for (const auto& [name, peer] : push->folder->replica().peers()) {
    if (peer.counted) push->nodes.push_back(name);
  }
  const auto acks = request.find("min_acks");
  push->min_acks = acks != request.end() && acks->is_number_unsigned()
                       ? std::min(acks->get<std::size_t>(), push->nodes.size())
                       : push->nodes.size();
  push->folder->take_in(paths, paths.empty(), [this, push, paths] {
    if (const auto& halted = push->folder->replica().halted()) {
      return push->reply->fail(kNotDone, "the folder has halted: " + *halted);
    }
    push->note_what_stays(paths);
    push->target = push->folder->known();
    watch_push(push);
  });
}

void Commands::watch_push(const std::shared_ptr<Push>& push) {
  const std::size_t before = push->acknowledged.size();
  const auto more_or_closed = [push, before] {
    std::size_t now = 0;
    const Folder* folder = push->whole->folder(push->folder_name);
    if (folder == nullptr) return true;
    for (const NodeName& name : push->nodes) {
      if (folder->has_durably(name, push->target)) ++now;
    }
    return push->reply->closed() || now > before || before >= push->min_acks;
  };
  const Duration left = std::max(push->deadline - clock_.mono(), Duration(0));
  node_.wait_until(more_or_closed, left, [this, push](bool met) {
    if (push->reply->closed()) return;
    const Folder* folder = node_.folder(push->folder_name);
    if (folder == nullptr)
      return push->reply->fail(kNotDone,
                               "folder " + push->folder_name + " was taken out of dagsync.toml");
    for (const NodeName& name : push->nodes) {
      if (folder->has_durably(name, push->target)) {
        push->acknowledged.try_emplace(name, to_seconds(clock_.mono() - push->began));
      }
    }
    const bool enough = push->acknowledged.size() >= push->min_acks;
    const json nodes = push->nodes_json(node_.status(), !enough && !met);
    if (!enough && met) {
      push->reply->progress({{"nodes", nodes}});
      watch_push(push);
      return;
    }
    push->reply->done({{"exit", enough && push->left.empty() ? 0 : kNotDone},
                       {"not_pushed", not_pushed_json(push->left)},
                       {"folder", push->folder_name},
                       {"sequence", folder->replica().sequence()},
                       {"nodes", nodes}});
  });
}

// -- versions -----------------------------------------------------------------------------------

void Commands::list_versions(const json& request, const Reply& reply, bool conflicts) {
  json list = json::array();
  if (conflicts && !text_of(request, "folder")) {
    for (const auto& [name, folder] : node_.folders()) {
      for (const KeptVersion& kept : folder->versions().conflicts()) {
        list.push_back(to_json(kept, name));
      }
    }
  } else if (conflicts) {
    const auto folder = folder_of(request);
    if (!folder) return reply->fail(kUsage, folder.error().message);
    for (const KeptVersion& kept : (*folder)->versions().conflicts()) {
      list.push_back(to_json(kept, (*folder)->config().name));
    }
  } else {
    const auto place = place_of(request, text_of(request, "path").value_or(""));
    if (!place) return reply->fail(kUsage, place.error().message);
    for (const KeptVersion& kept : place->folder->versions().of(place->path)) {
      list.push_back(to_json(kept, place->folder->config().name));
    }
    if (list.empty()) {
      return reply->fail(kNotDone, "no kept version of " + display(place->path) +
                                       " on this node: ask the other nodes, each keeps its own");
    }
  }
  reply->done({{"exit", 0}, {"versions", std::move(list)}});
}

void Commands::restore(const json& request, const Reply& reply) {
  const auto place = place_of(request, text_of(request, "path").value_or(""));
  if (!place) return reply->fail(kUsage, place.error().message);
  std::optional<KeptId> id;
  if (const auto version = text_of(request, "version")) id = KeptId{*version};
  const std::string folder = place->folder->config().name;
  place->folder->restore(place->path, id, [reply, folder](const Result<KeptVersion>& restored) {
    if (!restored) return reply->fail(kNotDone, restored.error().message);
    reply->done({{"exit", 0}, {"version", to_json(*restored, folder)}});
  });
}

void Commands::pause(const json& request, const Reply& reply) {
  const auto folder = folder_of(request);
  if (!folder) return reply->fail(kUsage, folder.error().message);
  const bool was_paused = (*folder)->is_paused();
  (*folder)->pause([reply, was_paused](const Status& paused) {
    if (!paused) return reply->fail(kNotDone, paused.error().message);
    reply->done({{"exit", 0}, {"paused", !was_paused}});
  });
}

void Commands::resume(const json& request, const Reply& reply) {
  const auto folder = folder_of(request);
  if (!folder) return reply->fail(kUsage, folder.error().message);
  const bool accept = request.value("accept_deletes", false);
  const bool was_halted = (*folder)->replica().halted().has_value();
  const bool was_paused = (*folder)->is_paused();
  (*folder)->resume(accept, [reply, was_halted, was_paused](const Status& resumed) {
    if (!resumed) return reply->fail(kNotDone, resumed.error().message);
    reply->done({{"exit", 0}, {"resumed", was_halted}, {"was_paused", was_paused}});
  });
}

// -- verify -------------------------------------------------------------------------------------

struct Commands::VerifyCall {
  Reply reply;
  std::size_t folders_left = 0;
  std::size_t files = 0;
  json differences = json::array();
  json repaired = json::array();
  std::map<std::string, std::map<NodeName, std::size_t>> compared;  // paths, by folder
  std::size_t paths = 0;                                            // of all folders, for each node
  MonoNanos told;

  [[nodiscard]] json progress_json() const {
    std::map<NodeName, std::size_t> sums;
    for (const auto& [folder, nodes] : compared) {
      for (const auto& [node, count] : nodes)
        sums[node] += count;
    }
    json nodes = json::array();
    for (const auto& [node, count] : sums)
      nodes.push_back({{"name", node.value}, {"compared", count}});
    return {{"paths", paths}, {"nodes", std::move(nodes)}};
  }
};

void Commands::verify(const json& request, const Reply& reply) {
  if (!verifying_.expired()) {
    return reply->fail(kNotDone, "another `dagsync verify` runs on this node: wait for its end");
  }
  std::vector<Folder*> folders;
  if (text_of(request, "folder")) {
    const auto folder = folder_of(request);
    if (!folder) return reply->fail(kUsage, folder.error().message);
    folders.push_back(*folder);
  } else {
    for (const auto& [name, folder] : node_.folders())
      folders.push_back(folder.get());
  }
  auto call = std::make_shared<VerifyCall>();
  verifying_ = call;
  call->reply = reply;
  call->folders_left = folders.size();
  for (Folder* folder : folders) {
    const Index::Totals& totals = folder->replica().index().totals();
    call->paths += totals.files + totals.directories;
    const std::string name = folder->config().name;
    Verifier::Order order;
    order.repair = request.value("repair", false);
    order.abandoned = [call] { return call->reply->closed(); };
    order.progress = [this, call, name](const Verification::Progress& progress) {
      call->compared[name][progress.node] = progress.paths;
      constexpr Duration kPause = std::chrono::milliseconds(200);
      if (clock_.mono() - call->told < kPause) return;
      call->told = clock_.mono();
      (void)call->reply->offer({{"progress", call->progress_json()}});  // or the next one
    };
    order.done = [this, call, name](const VerifyReport& report) { verified(call, name, report); };
    node_.verify(*folder, std::move(order));
  }
}

void Commands::verified(const std::shared_ptr<VerifyCall>& call, const std::string& folder,
                        const VerifyReport& report) {
  const auto rows = [&](const std::vector<VerifyReport::Difference>& list, json& into) {
    for (const VerifyReport::Difference& each : list) {
      into.push_back({{"folder", folder},
                      {"path", each.path.is_root() ? "." : to_utf8(each.path.bytes())},
                      {"node", each.node.value},
                      {"problem", to_utf8(each.problem)}});
    }
  };
  rows(report.differences, call->differences);
  rows(report.repaired, call->repaired);
  call->files += report.files;
  if (--call->folders_left > 0) return;
  const bool identical = call->differences.empty();
  call->reply->done({{"exit", identical ? 0 : kNotDone},
                     {"identical", identical},
                     {"files", call->files},
                     {"differences", call->differences},
                     {"repaired", call->repaired}});
}

}  // namespace dagsync
