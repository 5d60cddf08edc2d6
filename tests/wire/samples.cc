#include "wire/samples.h"

#include <limits>
#include <set>

#include "dagsync/base/assert.h"
#include "dagsync/wire/codec.h"

namespace dagsync::test {
namespace {

std::uint64_t below(Random& random, std::uint64_t limit) {
  return random() % limit;
}

// All magnitudes are equally likely, and so are the ends.
std::uint64_t any_number(Random& random) {
  const std::uint64_t shift = below(random, 66);
  if (shift >= 64) return shift == 64 ? 0 : std::numeric_limits<std::uint64_t>::max();
  return random() >> shift;
}

std::string any_bytes(Random& random, std::size_t most) {
  std::string bytes(below(random, most + 1), '\0');
  for (char& byte : bytes)
    byte = static_cast<char>(random());
  return bytes;
}

// For people: what is decoded has no control characters (FORMAT.md).
std::string any_text(Random& random, std::size_t most) {
  std::string text = any_bytes(random, most);
  for (char& byte : text) {
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F) byte = '?';
  }
  return text;
}

NodeName any_node(Random& random) {
  static const std::string kNames[] = {
      "a",   "node1",   "node-2.example.org",
      "x_y", "0.0.0.0", std::string(63, 'l') + "." + std::string(63, 'm')};
  return {kNames[below(random, std::size(kNames))]};
}

AuthorId any_author(Random& random) {
  return {any_node(random), {below(random, 3)}};
}

Digest any_digest(Random& random) {
  Digest value;
  for (std::uint8_t& byte : value.bytes)
    byte = static_cast<std::uint8_t>(random());
  return value;
}

Sequence any_sequence(Random& random) {
  return any_number(random) >> 1;
}

UnixNanos any_time(Random& random) {
  const auto distance = static_cast<std::int64_t>(any_number(random) >> 2);
  return {below(random, 2) == 0 ? distance : -distance};
}

RelPath any_path(Random& random) {
  std::string bytes;
  for (std::uint64_t i = 0, depth = 1 + below(random, 4); i < depth; ++i) {
    if (i > 0) bytes += '/';
    std::string name = "n" + any_bytes(random, 254);
    for (char& byte : name)
      if (byte == '/' || byte == '\0') byte = '\xFF';
    bytes += name;
  }
  return path(bytes);
}

VersionVector any_vector(Random& random) {
  VersionVector vector;
  for (std::uint64_t i = 0, count = below(random, 6); i < count; ++i)
    vector.raise(any_author(random), any_sequence(random));
  return vector;
}

Knowledge any_knowledge(Random& random) {
  Knowledge knowledge;
  for (std::uint64_t i = 0, count = below(random, 8); i < count; ++i) {
    const Sequence first = 1 + below(random, 1000);
    knowledge.add(any_author(random), {first, first + below(random, 20)});
  }
  if (below(random, 4) == 0) knowledge.add(any_author(random), {5000, kMaxSequence});
  return knowledge;
}

std::string any_folder(Random& random) {
  return below(random, 2) == 0 ? "dags" : std::string(255, '\xC3');
}

Content any_content(Random& random) {
  Content content;
  content.kind = static_cast<Kind>(below(random, 4));
  const bool is_file = content.kind == Kind::kFile;
  if (is_file || content.kind == Kind::kDirectory)
    content.mode = static_cast<std::uint32_t>(below(random, 010000));
  if (is_file) content.digest = any_digest(random);
  if (is_file) content.size = any_number(random) >> 2;
  if (is_file || content.kind == Kind::kSymlink) content.mtime = any_time(random);
  if (content.kind == Kind::kSymlink) content.target = "../" + any_path(random).bytes();
  if (content.kind != Kind::kTombstone && below(random, 2) == 0)
    content.owner = std::string(1 + below(random, 256), '\xFF') + ":users";
  return content;
}

Change any_change(Random& random) {
  Change change{any_path(random), {any_author(random), 1 + below(random, 1u << 20)}, {}};
  Record& record = change.record;
  record.content = any_content(random);
  record.stamp = any_time(random);
  record.origin =
      below(random, 2) == 0 ? change.id : ChangeId{any_author(random), 1 + below(random, 300)};
  record.seen = any_vector(random);
  record.seen.raise(record.origin.author, record.origin.sequence);
  record.version = record.seen;
  if (below(random, 3) == 0) record.version.join(any_vector(random));
  return change;
}

Announce any_announce(Random& random) {
  Announce message{any_folder(random), {}, below(random, 2) == 0, any_number(random)};
  for (std::uint64_t i = 0, count = below(random, 12); i < count; ++i) {
    Announce::Item item{any_change(random), {}};
    Content& content = item.change.record.content;
    if (content.kind == Kind::kFile && below(random, 2) == 0) {
      item.content = Announce::Whole{any_bytes(random, 3000)};
      content.size = std::get<Announce::Whole>(item.content).bytes.size();
    } else if (content.kind == Kind::kFile && below(random, 2) == 0) {
      item.content = Announce::Delta{any_digest(random), any_bytes(random, 3000)};
    }
    message.items.push_back(std::move(item));
  }
  return message;
}

Hello any_hello(Random& random) {
  Hello hello{static_cast<std::uint32_t>(random()),
              static_cast<std::uint32_t>(random()),
              any_node(random),
              any_text(random, 40),
              any_time(random),
              {},
              below(random, 2) == 0};
  for (std::uint64_t i = 0, count = below(random, 4); i < count; ++i)
    hello.folders.push_back({any_folder(random), any_author(random), any_sequence(random)});
  return hello;
}

Tell any_tell(Random& random) {
  Tell tell{
      any_folder(random), any_author(random), any_knowledge(random), any_knowledge(random), {},
      any_number(random)};
  tell.accepts = below(random, 2) == 0;
  for (std::uint64_t i = 0, count = below(random, 5); i < count; ++i)
    tell.connected.push_back(any_node(random));
  return tell;
}

std::vector<RelPath> ascending_paths(Random& random) {
  std::set<RelPath> paths;
  for (std::uint64_t i = 0, count = below(random, 5); i < count; ++i)
    paths.insert(any_path(random));
  return {paths.begin(), paths.end()};
}

RelPath any_path_or_root(Random& random) {
  return below(random, 3) == 0 ? RelPath() : any_path(random);
}

Verify any_verify(Random& random) {
  return {any_folder(random), any_number(random), any_path_or_root(random),
          ascending_paths(random)};
}

VerifyPage any_verify_page(Random& random) {
  VerifyPage page{any_number(random), {}, any_path_or_root(random), any_text(random, 100)};
  for (RelPath& each : ascending_paths(random))
    page.rows.push_back(
        {std::move(each), any_content(random), any_text(random, 100), below(random, 2) == 0});
  return page;
}

}  // namespace

RelPath path(std::string_view bytes) {
  Result<RelPath> parsed = RelPath::parse(bytes);
  DAGSYNC_ASSERT(parsed.has_value());
  return *parsed;
}

AuthorId author(std::string name, std::uint64_t epoch) {
  return {{std::move(name)}, {epoch}};
}

Digest digest(std::uint8_t first) {
  Digest value;
  for (std::uint8_t& byte : value.bytes)
    byte = first++;
  return value;
}

Change file_change(std::string_view name) {
  Change change{path(name), {author("node1", 7), 42}, {}};
  change.record.content = {Kind::kFile, 0644, 5, digest(1), {1'000'000'001}, ""};
  change.record.stamp = {1'000'000'002};
  change.record.origin = change.id;
  change.record.seen.raise(author("node1", 7), 42);
  change.record.seen.raise(author("node2", 8), 3);
  change.record.version = change.record.seen;
  return change;
}

Announce announce(Change change) {
  return {"dags", {{std::move(change), {}}}, false, 0};
}

std::vector<Message> one_of_each() {
  Knowledge knowledge;
  knowledge.add(author("node1", 7), {1, 40});
  knowledge.add(author("node1", 7), {42, 42});
  knowledge.add(author("node2", 8), {1, 3});
  Announce changes = announce(file_change());
  changes.items[0].content = Announce::Whole{"hello"};
  Change merged = file_change("a\xFF\n");
  merged.id = {author("node3", 9), 1};
  merged.record.version.raise(author("node3", 9), 1);
  changes.items.push_back({merged, Announce::Delta{digest(2), "delta"}});
  return {
      Hello{1,
            0,
            {"node1"},
            "0.1.0",
            {1'700'000'000'000'000'000},
            {{"dags", author("node1", 7), 42}},
            true},
      Goodbye{"not configured"},
      Tell{"dags", author("node1", 7), knowledge, knowledge, {{"node2"}, {"node3"}}, 1},
      changes,
      PageDone{"dags", 2},
      SnapshotEnd{"dags", knowledge},
      List{"dags"},
      Fetch{"dags", 9, path("dags/etl.py"), digest(1), 1 << 20, "signature", 1 << 18},
      FetchBegin{9, Encoding::kDelta},
      FetchEnd{9, "gone"},
      Credit{9, 1 << 18},
      Cancel{9},
      Ping{3},
      Pong{3, {-1}},
      Verify{"dags", 9, path("a"), {path("b.py"), path("c")}},
      VerifyPage{9,
                 {{path("b.py"), file_change().record.content, "changed", true},
                  {path("c"), {}, "", false}},
                 path("c"),
                 "busy"},
  };
}

Message random_message(Random& random) {
  switch (below(random, 16)) {
    case 0:
      return any_hello(random);
    case 1:
      return Goodbye{any_text(random, kMaxTextBytes)};
    case 2:
      return any_tell(random);
    case 3:
      return any_announce(random);
    case 4:
      return PageDone{any_folder(random), any_number(random)};
    case 5:
      return SnapshotEnd{any_folder(random), any_knowledge(random)};
    case 6:
      return List{any_folder(random)};
    case 7:
      return Fetch{any_folder(random), any_number(random),      any_path(random),
                   any_digest(random), any_number(random) >> 2, any_bytes(random, 2000),
                   any_number(random)};
    case 8:
      return FetchBegin{any_number(random), static_cast<Encoding>(below(random, 2))};
    case 9:
      return FetchEnd{any_number(random), any_text(random, kMaxTextBytes)};
    case 10:
      return Credit{any_number(random), any_number(random)};
    case 11:
      return Cancel{any_number(random)};
    case 12:
      return Ping{any_number(random)};
    case 13:
      return any_verify(random);
    case 14:
      return any_verify_page(random);
    default:
      return Pong{any_number(random), any_time(random)};
  }
}

}  // namespace dagsync::test
