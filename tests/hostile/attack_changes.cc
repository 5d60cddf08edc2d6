// Announcements: too many, too fat, from too many, too late to come.
#include <chrono>
#include <cstdlib>

#include "hostile/attack.h"

namespace dagsync::hostile {

namespace {

UnixNanos now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(since).count()};
}

RelPath parsed(const std::string& bytes) {
  if (bytes.empty()) return {};
  auto path = RelPath::parse(bytes);
  if (!path) std::abort();
  return *path;
}

}  // namespace

Change file_change(const Plan& plan, const std::string& path, std::string_view content,
                   Sequence sequence) {
  Change change;
  change.path = parsed(path);
  change.id = {{plan.name, {666}}, sequence};
  Record& record = change.record;
  record.content.kind = Kind::kFile;
  record.content.mode = 0644;
  record.content.size = content.size();
  record.content.digest = digest_of(content);
  record.content.mtime = record.stamp = now();
  record.origin = change.id;
  record.seen.raise(change.id.author, sequence);
  record.version = record.seen;
  return change;
}

Announce::Item with_content(Change change, std::string_view content) {
  return {std::move(change), Announce::Whole{std::string(content)}};
}

Announce announce_of(const Plan& plan, std::vector<Announce::Item> items) {
  Announce announce;
  announce.folder = plan.folder;
  announce.items = std::move(items);
  return announce;
}

namespace {

constexpr std::size_t kItemsPerMessage = 1000;

Change tombstone(const Plan& plan, const std::string& path, Sequence sequence) {
  Change change = file_change(plan, path, "", sequence);
  change.record.content = {};
  return change;
}

std::string numbered(const Plan& plan, std::uint64_t number) {
  return plan.path + "/" + std::to_string(number / 1000) + "/" + std::to_string(number);
}

// Sends `count` items that `make` makes of their numbers, counted from 1.
template <typename Make>
void flood(Session& session, const Plan& plan, Make make, bool in_pages = false,
           std::size_t per_message = kItemsPerMessage) {
  std::uint64_t page = 0;
  for (std::uint64_t number = 1; number <= plan.count && session.open();) {
    Announce announce = announce_of(plan, {});
    if (in_pages) announce.page = ++page;
    for (; number <= plan.count && announce.items.size() < per_message; ++number)
      announce.items.push_back(make(number));
    session.send(announce);
  }
}

void file(Session& session, const Plan& plan) {
  session.send(
      announce_of(plan, {with_content(file_change(plan, plan.path, plan.text, 1), plan.text)}));
}

// Files whose contents have to be fetched.
void files(Session& session, const Plan& plan) {
  flood(session, plan, [&](std::uint64_t number) {
    const std::string path = numbered(plan, number);
    return Announce::Item{file_change(plan, path, path, number), {}};
  });
}

void tombstones(Session& session, const Plan& plan) {
  flood(session, plan, [&](std::uint64_t number) {
    return Announce::Item{tombstone(plan, numbered(plan, number), number), {}};
  });
}

void pages(Session& session, const Plan& plan) {
  const auto make = [&](std::uint64_t number) {
    const std::string path = numbered(plan, number);
    return Announce::Item{file_change(plan, path, path, number), {}};
  };
  flood(session, plan, make, true);
}

// One path again and again, each time with the next version but one.
void holes(Session& session, const Plan& plan) {
  flood(session, plan, [&](std::uint64_t number) {
    return Announce::Item{tombstone(plan, plan.path, 2 * number), {}};
  });
}

// Each change by another author, who has just come into being.
void authors(Session& session, const Plan& plan) {
  flood(session, plan, [&](std::uint64_t number) {
    Change change = tombstone(plan, numbered(plan, number), number);
    Record& record = change.record;
    change.id = record.origin = {{{"made-up"}, {number}}, 1};
    record.seen = {};
    record.seen.raise(change.id.author, 1);
    record.version = record.seen;
    return Announce::Item{std::move(change), {}};
  });
}

// Versions as long as the format allows.
void fat_versions(Session& session, const Plan& plan) {
  const auto make = [&](std::uint64_t number) {
    Change change = tombstone(plan, numbered(plan, number), number);
    for (std::uint64_t other = 1; other < 4000; ++other)
      change.record.seen.raise({plan.name, {other}}, 1);
    change.record.version = change.record.seen;
    return Announce::Item{std::move(change), {}};
  };
  flood(session, plan, make, false, 60);
}

// A batch that is never complete.
void endless_batch(Session& session, const Plan& plan) {
  const std::string content(60'000, 'x');
  for (std::uint64_t number = 1; number <= plan.count && session.open(); ++number) {
    const std::string bytes = std::to_string(number) + content;
    const Change change = file_change(plan, numbered(plan, number), bytes, number);
    Announce announce = announce_of(plan, {with_content(change, bytes)});
    announce.more = true;
    session.send(announce);
  }
}

void far_future(Session& session, const Plan& plan) {
  Change change = file_change(plan, plan.path, plan.text, 1);
  change.record.stamp = change.record.content.mtime = kFarthestMoment;
  session.send(announce_of(plan, {with_content(change, plan.text)}));
}

// A version that has seen all that anybody will ever write.
void has_seen_everything(Session& session, const Plan& plan) {
  session.listen_until([&] { return session.heard().tells.contains(plan.folder); });
  Change change = file_change(plan, plan.path, plan.text, 1);
  const Tell& tell = session.heard().tells.at(plan.folder);
  change.record.seen.raise(tell.author, INT64_MAX);
  for (const auto& [author, sequences] : tell.received.authors())
    change.record.seen.raise(author, INT64_MAX);
  change.record.version = change.record.seen;
  session.send(announce_of(plan, {with_content(change, plan.text)}));
}

void link(Session& session, const Plan& plan) {
  Change change = file_change(plan, plan.path, "", 1);
  change.record.content = {};
  change.record.content.kind = Kind::kSymlink;
  change.record.content.target = plan.text;
  change.record.content.mtime = change.record.stamp;
  session.send(announce_of(plan, {{change, {}}}));
}

// `count` files, one after the other, under the path.
void drip(Session& session, const Plan& plan) {
  for (std::uint64_t number = 1; number <= plan.count && session.open(); ++number) {
    const std::string path = plan.path + "/" + std::to_string(number);
    session.send(
        announce_of(plan, {with_content(file_change(plan, path, plan.text, number), plan.text)}));
    session.listen(std::chrono::milliseconds(2));
  }
}

void delta_without_end(Session& session, const Plan& plan) {
  // librsync's format: COPY with a length of four bytes, from offset 0, again and again.
  std::string delta("\x72\x73\x02\x36", 4);
  const std::string copy("\x4B\x00\x00\x00\x00\x01\x00", 7);  // N4 offset 0, N2 length 256
  while (delta.size() + copy.size() < kMaxInlineBytes)
    delta += copy;
  Change change = file_change(plan, plan.path, "", 1);
  change.record.content.size = 1000;
  change.record.content.digest = digest_of("what it says it becomes");
  Announce::Item item{change, Announce::Delta{digest_of(plan.text), delta}};
  session.send(announce_of(plan, {item}));
  // What did not work as a delta is asked for whole.
  if (const auto fetch = session.next_fetch()) session.send(FetchEnd{fetch->request, "no"});
}

}  // namespace

const Attacks& change_attacks() {
  static const Attacks attacks = {
      {"file", file},
      {"files", files},
      {"tombstones", tombstones},
      {"pages", pages},
      {"holes", holes},
      {"authors", authors},
      {"fat-versions", fat_versions},
      {"endless-batch", endless_batch},
      {"far-future", far_future},
      {"has-seen-everything", has_seen_everything},
      {"link", link},
      {"drip", drip},
      {"delta-without-end", delta_without_end},
  };
  return attacks;
}

}  // namespace dagsync::hostile
