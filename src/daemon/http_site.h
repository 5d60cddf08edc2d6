// What the HTTP server serves: the page and what it reads, metrics, health. All of it can only be
// read. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/metrics.h"
#include "dagsync/engine/node.h"
#include "http/http_server.h"

namespace dagsync {

//   /                the page, with its parts (src/http/page)
//   /status.json     as `dagsync status --json`
//   /conflicts.json  as `dagsync conflicts --json`, the newest kMostConflicts
//   /events          as `dagsync events --json`, each as a server-sent event; ?recent=N begins with
//                    the last N
//   /metrics         for Prometheus
//   /healthz         200 for as long as the loop runs
//   /readyz          200 when every folder was compared with the disk once and none is halted; else
//                    503 with the reasons
class HttpSite final : public HttpHandler {
 public:
  static constexpr std::size_t kMostConflicts = 500;
  static constexpr std::uint64_t kMostRecent = 500;

  // `facts` is asked at each scrape.
  HttpSite(Node& node, Clock& clock, std::function<MetricsFacts()> facts);

  void handle(const HttpRequest& request, std::shared_ptr<HttpReply> reply) override;

 private:
  using Reply = std::shared_ptr<HttpReply>;

  void status(const Reply& reply);
  void ready(const Reply& reply);
  void conflicts(const Reply& reply);
  void events(const HttpRequest& request, const Reply& reply);
  [[nodiscard]] std::uint64_t first_event(const HttpRequest& request);

  Node& node_;
  Clock& clock_;
  std::function<MetricsFacts()> facts_;
  std::string run_;  // numbers of events of another run mean nothing
};

// Why a node is not ready, a line each; "" where it is.
[[nodiscard]] std::string why_not_ready(const NodeStatus& status);

}  // namespace dagsync
