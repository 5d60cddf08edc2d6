#include "cli/status_table.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/console.h"
#include "dagsync/base/log.h"

namespace dagsync {
namespace {

using nlohmann::json;
using Rows = std::vector<std::vector<Cell>>;

constexpr double kMaxClockOffsetMs = 2000;
constexpr std::size_t kMaxReasons = 6;  // in the first line; the tables have them all
constexpr std::size_t kMaxErrors = 20;  // of a folder; --json has them all

Cell number(double value) {
  return {fmt::format("{:.0f}", value), Colour::kNone, true};
}
Cell worrying(double value, Colour colour) {
  return {fmt::format("{:.0f}", value), value > 0 ? colour : Colour::kNone, true};
}
Cell head(std::string_view text, bool right = false) {
  return {std::string(text), Colour::kBold, right};
}
Cell right(std::string text, Colour colour = Colour::kNone) {
  return {std::move(text), colour, true};
}

// "2026-11-21T06:17:00.123Z" as "2026-11-21 06:17:00Z".
std::string short_time(const std::string& rfc3339) {
  if (rfc3339.size() < 20) return rfc3339;
  return rfc3339.substr(0, 10) + " " + rfc3339.substr(11, 8) + "Z";
}

bool is_clock_off(const json& peer) {
  return std::abs(number_at(peer, "clock_offset_ms")) > kMaxClockOffsetMs;
}

// How far a peer is behind, over all folders; unknown of one that nobody waits for, as a CI runner.
struct Behind {
  bool known = false;
  bool in_sync = true;
  bool accepts = true;  // all folders
  double files = 0;
  double bytes = 0;
  double lag = 0;
};

Behind behind_of(const json& status, const std::string& peer) {
  Behind sum;
  for (const json& folder : list_at(status, "folders")) {
    for (const json& entry : list_at(folder, "peers")) {
      if (text_at(entry, "name") != peer || !flag_at(entry, "counted")) continue;
      sum.known = true;
      sum.in_sync = sum.in_sync && flag_at(entry, "in_sync");
      sum.accepts = sum.accepts && entry.value("accepts", true);
      sum.files += number_at(entry, "behind_files");
      sum.bytes += number_at(entry, "behind_bytes");
      sum.lag = std::max(sum.lag, number_at(entry, "lag_seconds"));
    }
  }
  return sum;
}

// "paused" where that is why it is halted: nobody need be alarmed.
std::string state_of(const json& folder) {
  return flag_at(folder, "paused") ? "paused" : text_at(folder, "state");
}

std::vector<std::string> reasons_of(const json& status) {
  std::vector<std::string> reasons;
  for (const json& folder : list_at(status, "folders")) {
    const std::string name = text_at(folder, "name");
    const std::string state = state_of(folder);
    const double pending = number_at(folder, "pending_changes");
    if (state != "idle") reasons.push_back(name + " is " + state);
    if (pending > 0) reasons.push_back(name + " has " + count_of(pending, "pending change"));
  }
  for (const json& peer : list_at(status, "peers")) {
    const std::string name = text_at(peer, "name");
    const Behind behind = behind_of(status, name);
    if (!behind.known) continue;  // nobody waits for it
    if (!flag_at(peer, "connected"))
      reasons.push_back(name + " is away");
    else if (!behind.accepts)
      reasons.push_back(name + " takes nothing, its own status says why");
    else if (!behind.in_sync)
      reasons.push_back(name + " is behind");
  }
  return reasons;
}

std::string headline(const json& status, bool with_colours) {
  const std::string node = coloured(text_at(status, "node"), Colour::kBold, with_colours);
  const std::string until = text_at(status, "certificate_expires").substr(0, 10);
  const std::string about = "  (dagsync " + text_at(status, "version") + ", up " +
                            format_seconds(number_at(status, "uptime_seconds")) +
                            (until.empty() ? "" : ", certificate until " + until) + ")\n";
  if (flag_at(status, "in_sync")) {
    return node + ": " + coloured("in sync", Colour::kGreen, with_colours) + about;
  }
  std::string why;
  const std::vector<std::string> reasons = reasons_of(status);
  for (std::size_t i = 0; i < std::min(reasons.size(), kMaxReasons); ++i) {
    why += (why.empty() ? ": " : ", ") + reasons[i];
  }
  if (reasons.size() > kMaxReasons) why += ", ...";
  return node + ": " + coloured("not in sync" + why, Colour::kYellow, with_colours) + about;
}

Cell state_cell(const json& folder) {
  const std::string state = state_of(folder);
  if (state == "halted") return {state, Colour::kRed};
  return {state, state == "idle" ? Colour::kGreen : Colour::kYellow};
}

Rows folder_rows(const json& status) {
  Rows rows = {{head("FOLDER"), head("STATE"), head("FILES", true), head("SIZE", true),
                head("PENDING", true), head("CONFLICTS", true), head("ERRORS", true)}};
  for (const json& folder : list_at(status, "folders")) {
    rows.push_back({{text_at(folder, "name")},
                    state_cell(folder),
                    number(number_at(folder, "files")),
                    right(format_size(number_at(folder, "bytes"))),
                    worrying(number_at(folder, "pending_changes"), Colour::kYellow),
                    worrying(number_at(folder, "conflicts"), Colour::kYellow),
                    worrying(static_cast<double>(list_at(folder, "errors").size()), Colour::kRed)});
  }
  return rows;
}

Cell connection_cell(const json& peer) {
  if (flag_at(peer, "connected")) return {"connected", Colour::kGreen};
  const std::string seen = text_at(peer, "last_seen");
  return {seen.empty() ? "never seen" : "away since " + short_time(seen), Colour::kYellow};
}

Cell files_behind_cell(const Behind& behind) {
  if (!behind.known) return right("-");
  return right(fmt::format("{:.0f}", behind.files),
               behind.in_sync ? Colour::kNone : Colour::kYellow);
}

std::vector<Cell> peer_row(const json& status, const json& peer) {
  const std::string name = text_at(peer, "name");
  const Behind behind = behind_of(status, name);
  const bool connected = flag_at(peer, "connected");
  const auto clock = is_clock_off(peer) ? Colour::kRed : Colour::kNone;
  const double offset = number_at(peer, "clock_offset_ms");
  const bool in_seconds = std::abs(offset) >= 1000;
  return {
      {name},
      connection_cell(peer),
      files_behind_cell(behind),
      right(behind.known ? format_size(behind.bytes) : "-"),
      right(behind.known ? format_seconds(behind.lag) : "-"),
      right(connected ? fmt::format("{:.1f} ms", number_at(peer, "rtt_ms")) : "-"),
      right(!connected   ? "-"
            : in_seconds ? fmt::format("{:+.1f} s{}", offset / 1000, is_clock_off(peer) ? " !" : "")
                         : fmt::format("{:+.1f} ms", offset),
            clock),
      right(format_size(number_at(peer, "bytes_sent"))),
      right(format_size(number_at(peer, "bytes_received")))};
}

Rows peer_rows(const json& status) {
  Rows rows = {{head("PEER"), head("STATE"), head("FILES BEHIND", true), head("BYTES BEHIND", true),
                head("LAG", true), head("ROUND TRIP", true), head("CLOCK", true),
                head("SENT", true), head("RECEIVED", true)}};
  for (const json& peer : list_at(status, "peers"))
    rows.push_back(peer_row(status, peer));
  return rows;
}

std::string errors_of(const json& folder, bool with_colours) {
  std::string out;
  std::size_t shown = 0;
  const json& errors = list_at(folder, "errors");
  for (const json& error : errors) {
    if (shown++ == kMaxErrors) break;
    out += coloured("error", Colour::kRed, with_colours) + "  " + text_at(folder, "name") + ": " +
           text_at(error, "path") + ": " + text_at(error, "error") + " (since " +
           short_time(text_at(error, "since")) + ")\n";
  }
  if (errors.size() > kMaxErrors) {
    out += fmt::format("       {} more errors: see `dagsync status --json`\n",
                       errors.size() - kMaxErrors);
  }
  return out;
}

std::string notes_of(const json& status, bool with_colours) {
  std::string out;
  const auto warn = [&](const std::string& what) {
    out += coloured("warning", Colour::kYellow, with_colours) + "  " + what + "\n";
  };
  for (const json& folder : list_at(status, "folders")) {
    const std::string name = text_at(folder, "name");
    const std::string reason = text_at(folder, "state_reason");
    const double conflicts = number_at(folder, "conflicts");
    const double drift = number_at(folder, "drift");
    if (!reason.empty()) warn(name + ": " + reason);
    if (drift > 0)
      warn(name + ": " + count_of(drift, "path") +
           " differ from the other nodes, as its mode allows: `dagsync verify` names them");
    if (conflicts > 0)
      warn(name + ": " + count_of(conflicts, "conflict") + ": `dagsync conflicts` lists them");
    out += errors_of(folder, with_colours);
  }
  for (const json& peer : list_at(status, "peers")) {
    const std::string name = text_at(peer, "name");
    const std::string trouble = text_at(peer, "trouble");
    if (flag_at(peer, "connected") || trouble.empty() || !behind_of(status, name).known) continue;
    warn(name + " is not connected: " + trouble);
  }
  for (const json& hook : list_at(status, "hooks")) {
    const std::string error = text_at(hook, "last_error");
    if (error.empty()) continue;
    const json& run = list_at(hook, "run");
    warn(fmt::format("hook on {} of {}, {}: {} ({})", text_at(hook, "on"), text_at(hook, "folder"),
                     run.empty() ? "" : text_at({{"text", run.front()}}, "text"), error,
                     short_time(text_at(hook, "last_end"))));
  }
  for (const json& warning : list_at(status, "warnings")) {
    if (warning.is_string()) warn(text_at({{"text", warning}}, "text"));
  }
  return out;
}

}  // namespace

std::string format_status(const json& status, bool with_colours) {
  std::string page = headline(status, with_colours) + "\n";
  page += format_table(folder_rows(status), with_colours) + "\n";
  page += format_table(peer_rows(status), with_colours);
  const std::string notes = notes_of(status, with_colours);
  return notes.empty() ? page : page + "\n" + notes;
}

}  // namespace dagsync
