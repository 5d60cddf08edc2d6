// A node of the mesh: its folders, its peers, and what people ask of it. Loop thread only.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dagsync/engine/config.h"
#include "dagsync/engine/counting_worker.h"
#include "dagsync/engine/events.h"
#include "dagsync/engine/folder.h"
#include "dagsync/engine/peers/allowance.h"
#include "dagsync/engine/peers/peers.h"

namespace dagsync {

// The ports of a folder that it does not share with others; the node keeps them alive.
struct FolderAdapters {
  std::unique_ptr<Disk> disk;
  std::unique_ptr<Store> store;
  std::unique_ptr<Watcher> watcher;
};

class Node {
 public:
  struct Ports {
    Clock& clock;
    Random& random;
    Worker& worker;
    Transport& transport;
    std::function<void()> at_rest = [] {};  // after work, when nothing is left to do
  };

  Node(NodeName name, std::string version, Ports ports);
  ~Node();

  void add_folder(const FolderConfig& config, FolderAdapters adapters);
  // Later, beside those that are at work: it is shared with the peers when it has been looked at.
  void bring_folder(const FolderConfig& config, FolderAdapters adapters);
  // Takes in what happened so far, makes it durable, and lets go of the folder and its adapters.
  void remove_folder(const std::string& name);
  // Whether the adapters of a folder of that name are in use, be it one that is on its way out.
  [[nodiscard]] bool is_using(const std::string& name) const;
  void configure_peers(const std::vector<PeerConfig>& peers);  // also later
  void configure_folder(const FolderConfig& config);           // of one that is there already
  // When this node's own certificate ends, and what is to be said of it: for status().
  void certificate_is(UnixNanos expires, std::vector<std::string> warnings);
  // Who tells what hooks there are: for status().
  void hooks_are(std::function<std::vector<HookStatus>()> hooks) { hooks_ = std::move(hooks); }

  // Starts all folders, then meets the peers; `started` once, with the first error if there is one.
  void start(const std::vector<std::string>& listen, std::function<void(Status)> started);
  // Says goodbye, makes everything durable, calls back.
  void stop(std::function<void()> stopped);

  [[nodiscard]] Folder* folder(const std::string& name);
  [[nodiscard]] const std::map<std::string, std::unique_ptr<Folder>>& folders() const {
    return folders_;
  }
  [[nodiscard]] const NodeName& name() const { return name_; }
  [[nodiscard]] NodeStatus status() const;
  [[nodiscard]] bool in_sync() const;
  // What has happened on the disks so far is known when it calls back, though nobody has looked at
  // it yet.
  void notice(std::function<void()> done);
  [[nodiscard]] Events& events() { return events_; }

  // Reads every file of the folder again and compares it with what every counted peer has.
  // `done` gets also why a peer could not be compared with; it is not called where `abandoned`.
  void verify(Folder& folder, Verifier::Order order);

  // Calls `done` with true as soon as `condition` holds, with false after `timeout`. The condition
  // is looked at after every event. The returned number takes it back.
  std::uint64_t wait_until(std::function<bool()> condition, Duration timeout,
                           std::function<void(bool)> done);
  void cancel_wait(std::uint64_t wait);

 private:
  struct Adapters {
    FolderAdapters ports;
    std::unique_ptr<CountingWorker> worker;
  };
  struct Wait {
    std::uint64_t number = 0;
    std::function<bool()> condition;
    std::function<void(bool)> done;
    TimerId timer;
  };

  [[nodiscard]] std::unique_ptr<Folder> make_folder(const FolderConfig& config, Adapters& kept);
  [[nodiscard]] Hello hello();
  void arrived(const std::string& name, const Status& status);
  void let_go();
  void say_hello_again();
  void hello_again(const NodeName& peer, const Hello& hello);
  void share(const NodeName& peer);
  void folder_started(const Status& status, const std::vector<std::string>& listen);
  void connected(const NodeName& peer, const Hello& hello);
  void lost(const NodeName& peer);
  void on_message(const NodeName& peer, Message message);
  [[nodiscard]] bool may(const NodeName& peer, const Message& message);
  void on_chunk(const NodeName& peer, Chunk&& chunk);
  void tick();
  void changed();
  void look_at_waits();
  [[nodiscard]] std::vector<std::string> warnings() const;
  void note_who_sees_whom(std::vector<PeerStatus>& peers) const;
  void event(Event::Kind kind, const NodeName& peer, std::string what);
  [[nodiscard]] std::string why_not_verified(const NodeName& peer, const std::string& folder) const;
  template <typename Call>
  void with_folder(const NodeName& peer, const std::string& folder, Call call);

  NodeName name_;
  std::string version_;
  Ports ports_;
  Events events_;
  Peers peers_;
  std::map<std::string, Adapters> adapters_;  // of those at work, and of those that arrive
  std::map<std::string, std::unique_ptr<Folder>> folders_;
  std::map<std::string, std::unique_ptr<Folder>> arriving_;  // their first look is not over
  struct Leaving {
    std::string name;
    Adapters adapters;
    std::unique_ptr<Folder> folder;
    bool stopped = false;
  };
  std::list<Leaving> leaving_;
  TimerId leaving_timer_;
  std::vector<PeerConfig> peer_configs_;
  struct Meeting {
    std::set<std::string> theirs;   // of its last hello
    std::set<std::string> folders;  // that both have
    std::set<std::string> former;   // that both had: what still comes of them is not heard
    std::string version;
    bool one_shot = false;  // connected only for a push
  };
  std::map<NodeName, Meeting> meetings_;   // with the peers that are connected
  std::map<NodeName, Allowance> unasked_;  // bytes of contents that nobody asked for
  std::vector<std::string> listen_;
  std::function<void(Status)> started_;
  std::size_t starting_ = 0;
  std::list<Wait> waits_;
  std::uint64_t next_wait_ = 1;
  TimerId tick_timer_;
  TimerId change_timer_;
  MonoNanos born_;
  std::optional<UnixNanos> certificate_expires_;
  std::vector<std::string> certificate_warnings_;
  bool listening_ = false;
  std::function<std::vector<HookStatus>()> hooks_;
  bool stopping_ = false;
  bool worked_ = true;  // since at_rest() was last called
};

}  // namespace dagsync
