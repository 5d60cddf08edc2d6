// Messages: what decode() takes is within every limit, and encode() says the same again.
#include <variant>

#include "dagsync/wire/codec.h"
#include "fuzz/fuzz.h"
#include "wire/samples.h"

namespace dagsync {
namespace {

void check(const Change& change) {
  const Record& record = change.record;
  DAGSYNC_ASSERT(!change.path.is_root());
  DAGSYNC_ASSERT(RelPath::parse(change.path.bytes()).has_value());
  DAGSYNC_ASSERT(change.id.sequence > 0 && change.id.sequence <= kMaxSequence);
  DAGSYNC_ASSERT(is_dns_name(change.id.author.node().value));
  DAGSYNC_ASSERT(record.content.mode <= 07777);
  DAGSYNC_ASSERT(record.content.target->size() <= kMaxPathBytes);
  DAGSYNC_ASSERT(record.stamp <= kFarthestMoment);
  DAGSYNC_ASSERT(record.seen.at(record.origin.author) >= record.origin.sequence);
  DAGSYNC_ASSERT(record.version.has_seen(record.seen));
  DAGSYNC_ASSERT(record.version.entries().size() <= kMaxVectorEntries);
}

void check(const Announce& announce, std::size_t encoded_bytes) {
  DAGSYNC_ASSERT(announce.items.size() <= kMaxChangesPerMessage);
  std::size_t bound = kAnnounceOverhead;
  for (const Announce::Item& item : announce.items) {
    check(item.change);
    bound += encoded_bound(item);
    const Content& content = item.change.record.content;
    const auto* whole = std::get_if<Announce::Whole>(&item.content);
    DAGSYNC_ASSERT(whole == nullptr || whole->bytes.size() == content.size);
    DAGSYNC_ASSERT(whole == nullptr || whole->bytes.size() <= kMaxInlineBytes);
  }
  DAGSYNC_ASSERT(encoded_bytes <= bound);
}

void check(const Fetch& fetch) {
  DAGSYNC_ASSERT(RelPath::parse(fetch.path.bytes()).has_value());
  DAGSYNC_ASSERT(fetch.signature.size() <= kMaxSignatureBytes);
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  std::vector<std::string> seeds;
  for (const Message& message : test::one_of_each())
    seeds.push_back(encode(message));
  test::Random random(20260301);
  while (seeds.size() < 60) {
    std::string bytes = encode(test::random_message(random));
    if (bytes.size() < 4096) seeds.push_back(std::move(bytes));
  }
  return seeds;
}

}  // namespace dagsync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dagsync;
  const Result<Message> message = decode({reinterpret_cast<const char*>(data), size});
  if (!message) {
    DAGSYNC_ASSERT(!message.error().message.empty());
    DAGSYNC_ASSERT(message.error().code == ErrorCode::kInvalid ||
                   message.error().code == ErrorCode::kUnsupported);
    return 0;
  }
  const std::string again = encode(*message);
  const Result<Message> twice = decode(again);
  DAGSYNC_ASSERT(twice.has_value());
  DAGSYNC_ASSERT(*twice == *message);
  DAGSYNC_ASSERT(encode(*twice) == again);
  if (const auto* announce = std::get_if<Announce>(&*message)) check(*announce, again.size());
  if (const auto* fetch = std::get_if<Fetch>(&*message)) check(*fetch);
  return 0;
}
