// conf/dagsync.toml, which is what people begin with.
#include <doctest/doctest.h>

#include <regex>
#include <string>

#include "daemon/config.h"
#include "temp_dir.h"

namespace dagsync {
namespace {

TEST_CASE("the sample is good, and its commented lines are the defaults") {
  const std::string sample = read_file(DAGSYNC_SAMPLE_CONFIG);
  const auto as_it_is = parse_config(sample, "sample", ConfigUse::kDaemon);
  REQUIRE_MESSAGE(as_it_is, as_it_is.error().message);

  const std::regex commented("(^|\n)#([a-z_]+ = |\\[)");
  const std::string all = std::regex_replace(sample, commented, "$1$2");
  auto spelled_out = parse_config(all, "sample", ConfigUse::kDaemon);
  REQUIRE_MESSAGE(spelled_out, spelled_out.error().message);
  REQUIRE(spelled_out->hooks.size() == 1);  // an example; of two keys it shows the default
  CHECK(spelled_out->hooks[0].user.empty());
  CHECK(spelled_out->hooks[0].timeout == HookConfig().timeout);
  spelled_out->hooks.clear();
  CHECK(*spelled_out == *as_it_is);
}

TEST_CASE("the sample explains every key") {
  const std::string sample = read_file(DAGSYNC_SAMPLE_CONFIG);
  for (const char* key : {"name",
                          "listen",
                          "state_dir",
                          "control_socket",
                          "http",
                          "http_tls",
                          "http_insecure",
                          "log_level",
                          "file",
                          "max_size",
                          "keep",
                          "ca",
                          "cert",
                          "key",
                          "path",
                          "mode",
                          "ignore",
                          "owner",
                          "settle_ms",
                          "settle_max_ms",
                          "rescan_interval",
                          "max_delete_percent",
                          "max_file_size",
                          "versions_keep",
                          "versions_max_size",
                          "address",
                          "may",
                          "on",
                          "folder",
                          "match",
                          "run",
                          "user",
                          "timeout"}) {
    CAPTURE(key);
    CHECK(std::regex_search(sample, std::regex("(^|\n)#?" + std::string(key) + " *= ")));
  }
}

}  // namespace
}  // namespace dagsync
