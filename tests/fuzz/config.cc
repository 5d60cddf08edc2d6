// dagsync.toml: any text is taken, and then within what is documented, or refused line by line.
#include "daemon/config.h"

#include "daemon/config_values.h"
#include "fuzz/fuzz.h"

namespace dagsync {
namespace {

void check(const Config& config) {
  DAGSYNC_ASSERT(is_dns_name(config.node.name.value));
  DAGSYNC_ASSERT(config.node.state_dir.starts_with('/'));
  DAGSYNC_ASSERT(!config.tls.ca.empty() && !config.tls.cert.empty() && !config.tls.key.empty());
  for (const FolderConfig& folder : config.folders) {
    DAGSYNC_ASSERT(parse_folder_name(folder.name).has_value());
    DAGSYNC_ASSERT(folder.path.size() > 1 && folder.path.starts_with('/'));
    DAGSYNC_ASSERT(*parse_root(folder.path) == folder.path);
    DAGSYNC_ASSERT(folder.settle <= folder.settle_max);
    DAGSYNC_ASSERT(folder.max_delete_percent >= 1 && folder.max_delete_percent <= 100);
    DAGSYNC_ASSERT(folder.rescan_interval >= std::chrono::seconds(1));
    DAGSYNC_ASSERT(folder.max_file_size > 0);
    DAGSYNC_ASSERT(!is_within(config.node.state_dir, folder.path));
  }
  for (const PeerConfig& peer : config.peers) {
    DAGSYNC_ASSERT(is_dns_name(peer.name.value));
    DAGSYNC_ASSERT(peer.name != config.node.name);
    DAGSYNC_ASSERT(peer.may_send || peer.may_receive);
    for (const std::string& address : peer.addresses)
      DAGSYNC_ASSERT(parse_address(address).has_value());
  }
}

// "FILE:LINE: what", a line each, of a bounded number.
void check(const Error& error) {
  constexpr std::string_view kBegin = "a.toml:";
  DAGSYNC_ASSERT(error.code == ErrorCode::kInvalid);
  std::string_view left = error.message;
  for (int lines = 0; !left.empty(); ++lines) {
    DAGSYNC_ASSERT(lines < 100);
    DAGSYNC_ASSERT(left.starts_with(kBegin));
    left.remove_prefix(std::min(left.find('\n'), left.size() - 1) + 1);
  }
}

Result<Config> parse(std::string_view text, ConfigUse use) {
  Result<Config> config = parse_config(text, "a.toml", use);
  if (config)
    check(*config);
  else
    check(config.error());
  return config;
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  const std::string node = "[node]\nname = \"node1\"\n";
  const std::string tls = "[tls]\nca = \"ca\"\ncert = \"c\"\nkey = \"k\"\n";
  const std::string folder = "[[folder]]\nname = \"dags\"\npath = \"/srv/dags\"\n";
  const std::string peer = "[[peer]]\nname = \"node2\"\naddress = [\"node2:7411\", \"[::1]:1\"]\n";
  return {node + tls + folder + peer,
          node +
              "listen = [\"0.0.0.0:7411\"]\nstate_dir = \"/s\"\ncontrol_socket = \"/c\"\n"
              "http = \"\"\nlog_level = \"debug\"\n" +
              tls,
          node + tls + folder +
              "mode = \"send-only\"\nignore = [\"logs/\"]\nsettle_ms = 5\nsettle_max_ms = 9\n"
              "rescan_interval = \"10m\"\nmax_delete_percent = 50\nmax_file_size = \"4GiB\"\n"
              "versions_keep = \"30d\"\nversions_max_size = \"0B\"\nowner = \"a:b\"\n" +
              peer + "may = [\"send\"]\n",
          node + tls + folder + "owner = \"keep\"\n" + folder + peer + peer,
          "node = 1\ntls = []\nfolder = {}\npeer = [1]",
          "nam = 1\n[node.x]\n",
          "a = [[[[[[1]]]]]]\nb = 1979-05-27T07:32:00Z\nc = '''x'''",
          "[node\nname =",
          "\xEF\xBB\xBF# only a comment"};
}

}  // namespace dagsync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dagsync;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<Config> config = parse(text, ConfigUse::kDaemon);
  const Result<Config> one_shot = parse(text, ConfigUse::kOneShot);
  // What a daemon can use, a one-shot push can, and reads it the same way.
  if (config) DAGSYNC_ASSERT(one_shot && *one_shot == *config);
  return 0;
}
