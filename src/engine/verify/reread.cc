#include "dagsync/engine/verify/reread.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "dagsync/engine/observe/observer.h"

namespace dagsync {
namespace {

constexpr std::size_t kPageEncoded = 1 << 20;  // about, of rows
constexpr std::size_t kRowEncoded = 256;       // what a row takes beside its path and target

constexpr const char* kDriftHere = "drift: changed here, and this folder is receive-only";
constexpr const char* kDriftThere =
    "drift: the others have another version, and this folder is send-only";
constexpr const char* kBehindTheIndex =
    "its content changed behind the index, with size and times as before: `dagsync verify "
    "--repair` on this node fetches the right one";

}  // namespace

struct Rereader::Item {
  RelPath path;
  Content expected;
  std::optional<DiskState> known;  // what the disk showed when it was seen to be that
  std::string difference;          // why it is known to be another one than the others have
  bool is_read = true;             // false: `difference` says all
};

struct Rereader::Session {
  std::vector<Item> items;
  std::function<bool()> abandoned;
  std::function<void(Reread)> done;
  Reread result;

  // Used by the one job that is under way.
  std::size_t next = 0;
  std::unique_ptr<ReadFile> file;  // of items[next], begun
  DiskState before;
  DigestStream digest;
  std::uint64_t offset = 0;

  void read_slice(Disk& disk);
  Result<std::uint64_t> read_some(Disk& disk, const Item& item);
  Result<std::uint64_t> read_bytes(Disk& disk, const Item& item, std::uint64_t most);
  void conclude(Disk& disk, const Item& item, Content content,
                const std::optional<DiskState>& state, bool moved);
  void unreadable(const Item& item, const Error& error);
  static std::string why_wrong(const Item& item, const Content& seen, bool stands_in);
  void add_row(const Item& item, Content content, std::string problem, bool unsettled);
};

void Rereader::Session::add_row(const Item& item, Content content, std::string problem,
                                bool unsettled) {
  result.page.rows.push_back({item.path, std::move(content), std::move(problem), unsettled});
}

// What is wrong with what stands there, if it is no edit.
std::string Rereader::Session::why_wrong(const Item& item, const Content& seen, bool stands_in) {
  const std::string should = escape_bytes(*item.expected.owner);
  if (stands_in)
    return "it belongs to the daemon's user here, and not to " + should +
           ": `dagsync status` says why";
  Content but_for_owner = seen;
  but_for_owner.owner = item.expected.owner;
  if (but_for_owner != item.expected) return kBehindTheIndex;
  return "it belongs to " + escape_bytes(*seen.owner) + " here, and to " + should +
         " in the index: `dagsync verify --repair` on this node gives it to that one";
}

// A file that the disk cannot give back any more is wrong; of one that may not be read nobody
// knows.
void Rereader::Session::unreadable(const Item& item, const Error& error) {
  add_row(item, {}, "it cannot be read: " + error.message, false);
  if (file && error.code == ErrorCode::kIo) {
    Observation wrong;
    wrong.path = item.path;
    wrong.content = content_of(before);
    wrong.content.size = before.size;
    wrong.disk = before;
    result.wrong.push_back(std::move(wrong));
  }
  file.reset();
}

// Reads until the slice is full; an item may go on in the next one.
void Rereader::Session::read_slice(Disk& disk) {
  std::uint64_t bytes = 0;
  for (std::size_t paths = 0; next < items.size() && paths < kSlicePaths && bytes < kSliceBytes;
       ++paths) {
    const Item& item = items[next];
    if (!item.is_read) {
      add_row(item, {}, item.difference, false);
      ++next;
      continue;
    }
    const auto got = file ? read_bytes(disk, item, kSliceBytes - bytes) : read_some(disk, item);
    if (!got) unreadable(item, got.error());
    bytes += got.value_or(0);
    if (!file) ++next;
  }
}

// Looks at an item; begins with its bytes where it has some.
Result<std::uint64_t> Rereader::Session::read_some(Disk& disk, const Item& item) {
  const auto state = disk.stat(item.path);
  if (!state) return Unexpected(state.error());
  if (!*state || (*state)->type == FileType::kSpecial) {
    conclude(disk, item, {}, *state, false);
    return 0;
  }
  if ((*state)->type == FileType::kFile) {
    auto opened = disk.open(item.path);
    if (!opened) return Unexpected(opened.error());
    const auto now = (*opened)->state();
    if (!now) return Unexpected(now.error());
    before = *now;
    digest = DigestStream();
    offset = 0;
    file = std::move(*opened);
    return read_bytes(disk, item, kSliceBytes);
  }
  Content content = content_of(**state);
  if ((*state)->type == FileType::kSymlink) {
    const auto target = disk.read_link(item.path);
    if (!target) return Unexpected(target.error());
    content.target = *target;
  }
  const auto after = disk.stat(item.path);
  conclude(disk, item, std::move(content), *state, !after || *after != *state);
  return 0;
}

Result<std::uint64_t> Rereader::Session::read_bytes(Disk& disk, const Item& item,
                                                    std::uint64_t most) {
  thread_local std::vector<char> buffer(kReadBytes);
  std::uint64_t bytes = 0;
  while (bytes < most) {
    const auto got = file->read(offset, buffer);
    if (!got) return Unexpected(got.error());
    if (*got == 0 || offset > before.size) {  // the end, or it grows while it is read
      const auto after = disk.stat(item.path);
      const bool moved = !after || !*after || (*after)->inode != before.inode ||
                         (*after)->size != offset || (*after)->mtime != before.mtime ||
                         (*after)->ctime != before.ctime;
      Content content = content_of(before);
      content.size = offset;
      content.digest = digest.finish();
      file.reset();
      conclude(disk, item, std::move(content), before, moved);
      return bytes;
    }
    digest.update({buffer.data(), *got});
    offset += *got;
    bytes += *got;
  }
  return bytes;
}

// An edit shows in the ctime, whoever made it; what does not is none.
void Rereader::Session::conclude(Disk& disk, const Item& item, Content content,
                                 const std::optional<DiskState>& state, bool moved) {
  Content seen = content;
  seen.owner = item.expected.owner;
  bool stands_in = false;
  if (state && state->type != FileType::kSpecial && disk.keeps_owners()) {
    const Disk::Owned owned = disk.owner_of(item.path, *state, item.expected.owner);
    content.owner = owned.owner;
    if (!item.expected.owner->empty()) seen.owner = owned.owner;
    stands_in = owned.stands_in;
  }
  if (seen == item.expected && !moved && !stands_in) {
    add_row(item, content, item.difference, false);
    return;
  }
  const bool is_edit = moved || !state || !item.known || !is_unchanged(*item.known, *state);
  if (is_edit) {
    result.edited.push_back(item.path);
    add_row(item, content, "", true);
    return;
  }
  Observation wrong;
  wrong.path = item.path;
  wrong.content = seen;
  wrong.disk = state;
  result.wrong.push_back(std::move(wrong));
  add_row(item, std::move(content), why_wrong(item, seen, stands_in), false);
}

Rereader::Rereader(Worker& worker, Disk& disk, const Replica& replica, const IgnoreRules& rules)
    : worker_(worker), disk_(disk), replica_(replica), rules_(rules) {}

std::string Rereader::known_difference(const RelPath& path) const {
  if (replica_.drift().contains(path)) return kDriftHere;
  if (replica_.kept_out().contains(path)) return kDriftThere;
  const auto refused = replica_.refused().find(path);
  return refused == replica_.refused().end() ? "" : refused->second;
}

bool Rereader::leaves_out(const RelPath& path, Kind kind) const {
  return rules_.ignores(path, kind == Kind::kDirectory);
}

std::optional<Rereader::Item> Rereader::item_at(const RelPath& path) const {
  Item item;
  item.path = path;
  item.difference = known_difference(path);
  const IndexEntry* entry = replica_.index().find(path);
  const auto drift = replica_.drift().find(path);
  if (drift != replica_.drift().end()) {
    // Of what is wanted again the disk shows something wrong that is on its way out.
    if (replica_.wanted().contains(path)) item.difference = "its right content is being fetched";
    item.expected = drift->second.content;
    item.known = drift->second.disk;
  } else if (replica_.refused().contains(path)) {
    item.is_read = false;
  } else if (entry != nullptr && entry->record.is_live()) {
    item.expected = entry->record.content;
    item.known = entry->disk;
    if (replica_.index().is_shadowed(path)) return std::nullopt;
  } else if (item.difference.empty()) {
    return std::nullopt;
  }
  if (leaves_out(path, item.expected.kind)) return std::nullopt;
  return item;
}

// Paths that are known to differ stand in no order with those of the index: both are merged.
std::vector<Rereader::Item> Rereader::choose(const RereadRange& range, RelPath& last) const {
  std::vector<Item> items;
  if (!range.paths.empty()) {
    for (const RelPath& path : range.paths) {
      if (auto item = item_at(path)) items.push_back(std::move(*item));
    }
    return items;
  }
  const auto next_of = [](const auto& map, const RelPath& path) {
    const auto it = map.upper_bound(path);
    return it == map.end() ? std::optional<RelPath>() : it->first;
  };
  std::uint64_t bytes = 0;
  std::size_t encoded = 0;
  auto entry = replica_.index().entries().upper_bound(range.after);
  std::optional<RelPath> drift = next_of(replica_.drift(), range.after);
  std::optional<RelPath> kept_out = next_of(replica_.kept_out(), range.after);
  std::optional<RelPath> refused = next_of(replica_.refused(), range.after);
  while (true) {
    std::optional<RelPath> path;
    if (entry != replica_.index().entries().end()) path = entry->first;
    for (const auto* other : {&drift, &kept_out, &refused}) {
      if (*other && (!path || **other < *path)) path = *other;
    }
    if (!path) {  // that was all
      last = RelPath();
      return items;
    }
    if (items.size() >= kMaxVerifyRows || bytes >= kPageBytes || encoded >= kPageEncoded) break;
    if (auto item = item_at(*path)) {
      bytes += item->is_read ? item->expected.size : 0;
      encoded += kRowEncoded + path->bytes().size() + item->expected.target->size() +
                 item->expected.owner->size();
      items.push_back(std::move(*item));
    }
    last = *path;
    if (entry != replica_.index().entries().end() && entry->first == *path) ++entry;
    if (drift == path) drift = next_of(replica_.drift(), *path);
    if (kept_out == path) kept_out = next_of(replica_.kept_out(), *path);
    if (refused == path) refused = next_of(replica_.refused(), *path);
  }
  return items;
}

std::uint64_t Rereader::cost_of_looking() const {
  const Index::Totals& totals = replica_.index().totals();
  return (totals.files + totals.directories) * kPathCost;
}

std::uint64_t Rereader::cost_of_all() const {
  return cost_of_looking() + replica_.index().totals().bytes;
}

std::uint64_t Rereader::read(const RereadRange& range, std::function<bool()> abandoned,
                             std::function<void(Reread)> done) {
  auto session = std::make_shared<Session>();
  RelPath last;
  session->items = choose(range, last);
  session->abandoned = std::move(abandoned);
  session->done = std::move(done);
  session->result.page.last = std::move(last);
  std::uint64_t cost = 0;
  for (const Item& item : session->items)
    cost += kPathCost + (item.is_read ? item.expected.size : 0);
  step(session);
  return cost;
}

void Rereader::step(const std::shared_ptr<Session>& session) {
  worker_.run(
      kPool, [this, session] { session->read_slice(disk_); },
      [this, session] {
        if (session->abandoned()) return;
        if (session->next < session->items.size()) {
          step(session);
        } else {
          session->done(std::move(session->result));
        }
      });
}

}  // namespace dagsync
