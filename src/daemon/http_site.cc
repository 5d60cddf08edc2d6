#include "daemon/http_site.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "daemon/event_stream.h"
#include "daemon/status_json.h"
#include "daemon/version.h"
#include "http/page.h"

namespace dagsync {
namespace {

using nlohmann::json;

HttpResponse json_response(const json& value) {
  return {200, "application/json", value.dump() + "\n"};
}

HttpResponse text_response(int status, const std::string& text) {
  return {status, "text/plain; charset=utf-8", text};
}

std::uint64_t number_of(std::string_view text, std::uint64_t otherwise) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : otherwise;
}

// The lines of an event stream as a browser wants them.
class ServerSentEvents final : public EventSink {
 public:
  ServerSentEvents(std::shared_ptr<HttpReply> reply, std::string run)
      : reply_(std::move(reply)), run_(std::move(run)) {}

  bool offer(const json& line) override {
    const auto event = line.find("progress");
    if (event == line.end()) return reply_->offer("event: end\ndata: " + line.dump() + "\n\n");
    const std::string id = run_ + "." + std::to_string((*event)["number"].get<std::uint64_t>());
    return reply_->offer("id: " + id + "\ndata: " + event->dump() + "\n\n");
  }
  bool flush() override { return reply_->flushed(); }
  void close() override { reply_->close(); }
  [[nodiscard]] bool closed() const override { return reply_->closed(); }

 private:
  std::shared_ptr<HttpReply> reply_;
  std::string run_;
};

struct PageFile {
  std::string_view path;
  std::string_view name;
  std::string_view type;
};
constexpr PageFile kPageFiles[] = {
    {"/", "page.html", "text/html; charset=utf-8"},
    {"/page.css", "page.css", "text/css; charset=utf-8"},
    {"/page.js", "page.js", "text/javascript; charset=utf-8"},
    {"/mesh.js", "mesh.js", "text/javascript; charset=utf-8"},
    {"/words.js", "words.js", "text/javascript; charset=utf-8"},
    {"/icon.svg", "icon.svg", "image/svg+xml"},
};

}  // namespace

std::string why_not_ready(const NodeStatus& status) {
  std::string why;
  for (const FolderStatus& folder : status.folders) {
    if (folder.state == FolderState::kHalted) {
      why += "folder " + folder.name + (folder.paused ? " is " : " is halted: ") +
             to_utf8(folder.state_reason) + "\n";
    } else if (!folder.ready) {
      why += "folder " + folder.name + " is being compared with the disk for the first time\n";
    }
  }
  if (why.empty() && !status.ready) why = "the daemon is starting\n";
  return why;
}

HttpSite::HttpSite(Node& node, Clock& clock, std::function<MetricsFacts()> facts)
    : node_(node),
      clock_(clock),
      facts_(std::move(facts)),
      run_(std::to_string(clock.now().value)) {}

void HttpSite::handle(const HttpRequest& request, std::shared_ptr<HttpReply> reply) {
  const std::string& path = request.path;
  if (path == "/healthz") return reply->respond(text_response(200, "ok\n"));
  if (path == "/readyz") return ready(reply);
  if (path == "/status.json") return status(reply);
  if (path == "/conflicts.json") return conflicts(reply);
  if (path == "/events") return events(request, reply);
  if (path == "/metrics") {
    const std::string text = metrics_text(node_.status(), facts_());
    return reply->respond({200, "text/plain; version=0.0.4; charset=utf-8", text});
  }
  for (const PageFile& file : kPageFiles) {
    if (path != file.path) continue;
    return reply->respond({200, std::string(file.type), std::string(page_file(file.name))});
  }
  reply->respond(text_response(
      404, "here are /, /status.json, /conflicts.json, /events, /metrics, /healthz, /readyz\n"));
}

void HttpSite::status(const Reply& reply) {
  node_.notice(
      [this, reply] { reply->respond(json_response(to_json(node_.status(), dagsync_version()))); });
}

void HttpSite::ready(const Reply& reply) {
  const std::string why = why_not_ready(node_.status());
  reply->respond(why.empty() ? text_response(200, "ready\n") : text_response(503, why));
}

void HttpSite::conflicts(const Reply& reply) {
  std::vector<std::pair<UnixNanos, json>> all;
  for (const auto& [name, folder] : node_.folders()) {
    for (const KeptVersion& kept : folder->versions().conflicts())
      all.emplace_back(kept.kept_at, to_json(kept, name));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  json list = json::array();
  for (auto& [when, one] : all) {
    if (list.size() == kMostConflicts) break;
    list.push_back(std::move(one));
  }
  reply->respond(json_response(list));
}

// A browser that lost its stream goes on behind what it had, if that is still there.
std::uint64_t HttpSite::first_event(const HttpRequest& request) {
  const std::uint64_t next = node_.events().last() + 1;
  const std::string_view id = request.last_event_id;
  if (id.starts_with(run_ + ".")) {
    const std::uint64_t had = number_of(id.substr(run_.size() + 1), 0);
    if (had < next && (had + 1 == next || node_.events().find(had + 1))) return had + 1;
  }
  const auto recent = request.query.find("recent");
  const std::uint64_t asked = recent == request.query.end() ? 0 : number_of(recent->second, 0);
  return next - std::min({asked, kMostRecent, next - 1});
}

void HttpSite::events(const HttpRequest& request, const Reply& reply) {
  reply->begin_stream({200, "text/event-stream", "retry: 1000\n\n"});
  EventStream::begin(node_.events(), clock_, std::make_shared<ServerSentEvents>(reply, run_),
                     first_event(request));
}

}  // namespace dagsync
