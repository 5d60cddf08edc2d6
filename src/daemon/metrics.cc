// The values are those of `dagsync status`, so nothing is counted twice; prometheus-cpp writes
// them.
#include "daemon/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

namespace dagsync {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

class Families {
 public:
  void gauge(const std::string& name, const std::string& help, Labels labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.gauge.value = value;
    family(name, help, MetricType::Gauge).metric.push_back(std::move(metric));
  }

  void counter(const std::string& name, const std::string& help, Labels labels,
               std::uint64_t value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.counter.value = static_cast<double>(value);
    family(name, help, MetricType::Counter).metric.push_back(std::move(metric));
  }

  void histogram(const std::string& name, const std::string& help, Labels labels,
                 const LagHistogram& lag) {
    ClientMetric metric;
    metric.label = std::move(labels);
    metric.histogram.sample_count = lag.count();
    metric.histogram.sample_sum = lag.sum_seconds;
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < LagHistogram::kBounds.size(); ++i) {
      count += lag.buckets[i];
      metric.histogram.bucket.push_back({count, LagHistogram::kBounds[i]});
    }
    family(name, help, MetricType::Histogram).metric.push_back(std::move(metric));
  }

  // In the order in which they came.
  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return out.str();
  }

 private:
  MetricFamily& family(const std::string& name, const std::string& help, MetricType type) {
    const auto [it, is_new] = index_.try_emplace(name, families_.size());
    if (is_new) families_.push_back({name, help, type, {}});
    return families_[it->second];
  }

  std::vector<MetricFamily> families_;
  std::map<std::string, std::size_t> index_;
};

double seconds_of(UnixNanos when) {
  return static_cast<double>(when.value) / 1e9;
}

void add_node(Families& out, const NodeStatus& status, const MetricsFacts& facts) {
  out.gauge("dagsync_build_info", "Always 1; the version is a label.",
            {{"version", std::string(facts.version)}}, 1);
  out.gauge("dagsync_uptime_seconds", "Time since the start of the daemon.", {},
            status.uptime_seconds);
  out.gauge("dagsync_in_sync", "1 where every folder and every counted peer has everything.", {},
            status.in_sync ? 1 : 0);
  out.gauge("dagsync_ready", "1 when the first comparison of all folders with the disk is over.",
            {}, status.ready ? 1 : 0);
  if (status.certificate_expires) {
    out.gauge("dagsync_certificate_expiry_timestamp_seconds",
              "When this node's certificate ends, as a Unix time.", {},
              seconds_of(*status.certificate_expires));
  }
  if (facts.watch_limit) {
    out.gauge("dagsync_inotify_watches_limit", "How many watches the user may have.", {},
              static_cast<double>(*facts.watch_limit));
  }
}

void add_errors(Families& out, const FolderStatus& folder) {
  const auto errors = [&](const char* kind, std::uint64_t value) {
    out.counter("dagsync_errors_total",
                "What went wrong, by kind: path (something about one path), refused (a change or a "
                "file was not taken), halted (the folder stopped), state (the state directory).",
                {{"folder", folder.name}, {"kind", kind}}, value);
  };
  errors("path", folder.counts.path_errors);
  errors("refused", folder.counts.refusals);
  errors("halted", folder.counts.halts);
  errors("state", folder.counts.store_errors);
}

constexpr const char* kStateHelp =
    "1 for the state that the folder is in, 0 for the others: halted needs somebody, paused was "
    "wanted by somebody.";

void add_folder(Families& out, const FolderStatus& folder, const MetricsFacts& facts) {
  const Labels labels = {{"folder", folder.name}};
  const auto gauge = [&](const char* name, const char* help, auto value) {
    out.gauge(name, help, labels, static_cast<double>(value));
  };
  for (const auto& [name, state] : std::initializer_list<std::pair<const char*, FolderState>>{
           {"scanning", FolderState::kScanning},
           {"syncing", FolderState::kSyncing},
           {"idle", FolderState::kIdle},
           {"halted", FolderState::kHalted}}) {
    const bool is_in = folder.state == state && !folder.paused;
    out.gauge("dagsync_folder_state", kStateHelp, {{"folder", folder.name}, {"state", name}},
              is_in ? 1 : 0);
  }
  out.gauge("dagsync_folder_state", kStateHelp, {{"folder", folder.name}, {"state", "paused"}},
            folder.paused ? 1 : 0);
  gauge("dagsync_folder_files", "Files in the folder.", folder.files);
  gauge("dagsync_folder_directories", "Directories in the folder.", folder.directories);
  gauge("dagsync_folder_size_bytes", "Bytes of all files in the folder.", folder.bytes);
  gauge("dagsync_folder_pending_changes",
        "Changes that were seen here or received, and are not done with.", folder.pending_changes);
  gauge("dagsync_folder_fetching_bytes", "Bytes of contents that are still to come from peers.",
        folder.fetching_bytes);
  gauge("dagsync_folder_conflicts", "Kept contents that lost a conflict on this node.",
        folder.conflicts);
  gauge("dagsync_folder_drift", "Differences that the mode of the folder keeps here or away.",
        folder.drift);
  gauge("dagsync_folder_errors", "Paths that something is wrong with now.", folder.errors.size());
  gauge("dagsync_inotify_watches", "Watches that the folder has.", folder.watches);
  if (const auto size = facts.index_bytes.find(folder.name); size != facts.index_bytes.end()) {
    gauge("dagsync_index_size_bytes", "Bytes of the folder's index on the disk.", size->second);
  }
  out.counter("dagsync_conflicts_total", "Contents that lost a conflict on this node.", labels,
              folder.counts.conflicts);
  out.counter("dagsync_delta_saved_bytes_total",
              "Bytes that were not sent because a delta was sent instead of a whole content.",
              labels, folder.counts.delta_saved_bytes);
  add_errors(out, folder);
}

void add_folder_peer(Families& out, const std::string& folder, const FolderPeerStatus& peer) {
  const Labels labels = {{"folder", folder}, {"peer", peer.name.value}};
  const auto with = [&](const char* direction) {
    Labels both = labels;
    both.push_back({"direction", direction});
    return both;
  };
  const Traffic& traffic = peer.traffic;
  const char* changes = "Changes of files and directories, told to a peer or made by it.";
  out.counter("dagsync_changes_total", changes, with("sent"), traffic.changes_sent);
  out.counter("dagsync_changes_total", changes, with("received"), traffic.changes_received);
  const char* bytes = "Bytes of the contents of these changes; see dagsync_network_bytes_total.";
  out.counter("dagsync_content_bytes_total", bytes, with("sent"), traffic.bytes_sent);
  out.counter("dagsync_content_bytes_total", bytes, with("received"), traffic.bytes_received);
  out.gauge("dagsync_peer_in_sync", "1 where the peer and this node have the same of the folder.",
            labels, peer.in_sync ? 1 : 0);
  out.gauge("dagsync_peer_behind_files", "Files that the peer lacks, as far as this node knows.",
            labels, static_cast<double>(peer.behind_files));
  out.gauge("dagsync_peer_behind_bytes", "Bytes that the peer lacks, as far as this node knows.",
            labels, static_cast<double>(peer.behind_bytes));
  out.gauge("dagsync_peer_behind_seconds", "For how long the peer has lacked something.", labels,
            peer.lag_seconds);
  if (!peer.counted) return;
  out.histogram("dagsync_replication_lag_seconds",
                "From when a change of this node was seen until the peer has it durably.", labels,
                peer.lag);
}

void add_peer(Families& out, const PeerStatus& peer) {
  const Labels labels = {{"peer", peer.name.value}};
  out.gauge("dagsync_peer_connected", "1 while the peer is connected.", labels,
            peer.connected ? 1 : 0);
  out.gauge("dagsync_peer_queued_bytes", "Bytes that the network has not taken yet.", labels,
            static_cast<double>(peer.queued_bytes));
  const char* network = "Bytes on the network, encrypted and compressed.";
  out.counter("dagsync_network_bytes_total", network,
              {{"peer", peer.name.value}, {"direction", "sent"}}, peer.bytes_sent);
  out.counter("dagsync_network_bytes_total", network,
              {{"peer", peer.name.value}, {"direction", "received"}}, peer.bytes_received);
  if (peer.rtt_ms) {
    out.gauge("dagsync_peer_round_trip_seconds", "How long an answer of the peer takes.", labels,
              *peer.rtt_ms / 1000);
  }
  if (peer.clock_offset_ms) {
    out.gauge("dagsync_peer_clock_offset_seconds", "How far the peer's clock is ahead of ours.",
              labels, *peer.clock_offset_ms / 1000);
  }
  if (peer.certificate_expires) {
    out.gauge("dagsync_peer_certificate_expiry_timestamp_seconds",
              "When the peer's certificate ends, as a Unix time.", labels,
              seconds_of(*peer.certificate_expires));
  }
}

}  // namespace

std::string metrics_text(const NodeStatus& status, const MetricsFacts& facts) {
  Families out;
  add_node(out, status, facts);
  for (const FolderStatus& folder : status.folders) {
    add_folder(out, folder, facts);
    for (const FolderPeerStatus& peer : folder.peers)
      add_folder_peer(out, folder.name, peer);
  }
  for (const PeerStatus& peer : status.peers)
    add_peer(out, peer);
  return out.text();
}

std::optional<std::uint64_t> read_watch_limit() {
  std::ifstream file("/proc/sys/fs/inotify/max_user_watches");
  std::uint64_t limit = 0;
  if (!(file >> limit)) return std::nullopt;
  return limit;
}

}  // namespace dagsync
