#include <google/protobuf/io/coded_stream.h>

#include "wire/decoder.h"
#include "wire/field_count.h"

namespace dagsync {
namespace {

constexpr int kMaxNesting = 16;  // the format needs 5

Message take(pb::Hello& in, Decoder& decoder) {
  Hello hello;
  hello.major = in.major();
  hello.minor = in.minor();
  hello.name = decoder.node(in.name());
  hello.program_version = decoder.text(*in.mutable_program_version());
  hello.clock = decoder.time(in.clock());
  hello.one_shot = in.one_shot();
  const auto count = static_cast<std::size_t>(in.folders_size());
  if (!decoder.fits(count, kMaxFolders, "folders")) return hello;
  for (pb::Hello::Folder& row : *in.mutable_folders())
    hello.folders.push_back({decoder.folder(*row.mutable_name()), decoder.author(row.author()),
                             decoder.sequence(row.sequence())});
  return hello;
}

Message take(pb::Tell& in, Decoder& decoder) {
  Tell tell;
  tell.folder = decoder.folder(*in.mutable_folder());
  tell.author = decoder.author(in.author());
  tell.received = decoder.knowledge(in.received());
  tell.durable = decoder.knowledge(in.durable());
  tell.unpublished = in.unpublished();
  tell.accepts = !in.refuses();
  const auto count = static_cast<std::size_t>(in.connected_size());
  if (!decoder.fits(count, kMaxConnectedNodes, "connected nodes")) return tell;
  for (const std::string& name : in.connected())
    tell.connected.push_back(decoder.node(name));
  return tell;
}

void take_content(pb::Announce::Item& in, Decoder& decoder, Announce::Item& item) {
  const Content& content = item.change.record.content;
  switch (in.content_case()) {
    case pb::Announce::Item::kWhole:
      if (in.whole().size() != content.size) decoder.refuse("a content of another size");
      decoder.fits(in.whole().size(), kMaxInlineBytes, "bytes of content");
      item.content = Announce::Whole{std::move(*in.mutable_whole())};
      break;
    case pb::Announce::Item::kDelta:
      decoder.fits(in.delta().bytes().size(), kMaxInlineDelta, "bytes of delta");
      item.content = Announce::Delta{decoder.digest(in.delta().basis()),
                                     std::move(*in.mutable_delta()->mutable_bytes())};
      break;
    case pb::Announce::Item::CONTENT_NOT_SET:
      return;
  }
  if (content.kind != Kind::kFile) decoder.refuse("a content of what is no file");
}

Message take(pb::Announce& in, Decoder& decoder) {
  Announce announce;
  announce.folder = decoder.folder(*in.mutable_folder());
  announce.more = in.more();
  announce.page = in.page();
  const auto count = static_cast<std::size_t>(in.items_size());
  if (!decoder.fits(count, kMaxChangesPerMessage, "changes")) return announce;
  announce.items.reserve(count);
  for (pb::Announce::Item& row : *in.mutable_items()) {
    Announce::Item& item = announce.items.emplace_back();
    item.change = decoder.change(*row.mutable_change());
    take_content(row, decoder, item);
    if (!decoder.ok()) break;
  }
  return announce;
}

Message take(pb::Fetch& in, Decoder& decoder) {
  decoder.fits(in.signature().size(), kMaxSignatureBytes, "bytes of signature");
  Fetch fetch;
  fetch.folder = decoder.folder(*in.mutable_folder());
  fetch.request = in.request();
  fetch.path = decoder.path(in.path());
  fetch.digest = decoder.digest(in.digest());
  fetch.size = decoder.file_size(in.size());
  fetch.signature = std::move(*in.mutable_signature());
  fetch.credit = in.credit();
  return fetch;
}

Message take(const pb::FetchBegin& in, Decoder& decoder) {
  if (in.encoding() > static_cast<std::uint32_t>(Encoding::kDelta))
    decoder.refuse("unknown encoding of a content");
  return FetchBegin{in.request(), static_cast<Encoding>(in.encoding())};
}

Message take(pb::SnapshotEnd& in, Decoder& decoder) {
  return SnapshotEnd{decoder.folder(*in.mutable_folder()), decoder.knowledge(in.knowledge())};
}

Message take(pb::Verify& in, Decoder& decoder) {
  Verify verify;
  verify.folder = decoder.folder(*in.mutable_folder());
  verify.request = in.request();
  verify.after = decoder.path_or_root(in.after());
  const auto count = static_cast<std::size_t>(in.paths_size());
  if (!decoder.fits(count, kMaxVerifyRows, "paths to verify")) return verify;
  for (const std::string& bytes : in.paths()) {
    RelPath path = decoder.path(bytes);
    if (!verify.paths.empty() && path <= verify.paths.back()) decoder.refuse("paths out of order");
    verify.paths.push_back(std::move(path));
  }
  return verify;
}

Message take(pb::VerifyPage& in, Decoder& decoder) {
  VerifyPage page;
  page.request = in.request();
  page.last = decoder.path_or_root(in.last());
  page.error = decoder.text(*in.mutable_error());
  const auto count = static_cast<std::size_t>(in.rows_size());
  if (!decoder.fits(count, kMaxVerifyRows, "rows of a page")) return page;
  for (pb::VerifyPage::Row& row : *in.mutable_rows()) {
    VerifyPage::Row taken = decoder.verify_row(row);
    if (!page.rows.empty() && taken.path <= page.rows.back().path) {
      decoder.refuse("rows out of order");
    }
    page.rows.push_back(std::move(taken));
    if (!decoder.ok()) break;
  }
  return page;
}

Message take_body(pb::Envelope& in, Decoder& decoder) {
  switch (in.body_case()) {
    case pb::Envelope::kHello:
      return take(*in.mutable_hello(), decoder);
    case pb::Envelope::kGoodbye:
      return Goodbye{decoder.text(*in.mutable_goodbye()->mutable_reason())};
    case pb::Envelope::kTell:
      return take(*in.mutable_tell(), decoder);
    case pb::Envelope::kAnnounce:
      return take(*in.mutable_announce(), decoder);
    case pb::Envelope::kPageDone:
      return PageDone{decoder.folder(*in.mutable_page_done()->mutable_folder()),
                      in.page_done().page()};
    case pb::Envelope::kSnapshotEnd:
      return take(*in.mutable_snapshot_end(), decoder);
    case pb::Envelope::kList:
      return List{decoder.folder(*in.mutable_list()->mutable_folder())};
    case pb::Envelope::kFetch:
      return take(*in.mutable_fetch(), decoder);
    case pb::Envelope::kFetchBegin:
      return take(in.fetch_begin(), decoder);
    case pb::Envelope::kFetchEnd:
      return FetchEnd{in.fetch_end().request(),
                      decoder.text(*in.mutable_fetch_end()->mutable_error())};
    case pb::Envelope::kCredit:
      return Credit{in.credit().request(), in.credit().bytes()};
    case pb::Envelope::kCancel:
      return Cancel{in.cancel().request()};
    case pb::Envelope::kPing:
      return Ping{in.ping().id()};
    case pb::Envelope::kPong:
      return Pong{in.pong().id(), decoder.time(in.pong().clock())};
    case pb::Envelope::kVerify:
      return take(*in.mutable_verify(), decoder);
    case pb::Envelope::kVerifyPage:
      return take(*in.mutable_verify_page(), decoder);
    case pb::Envelope::BODY_NOT_SET:
      break;
  }
  decoder.refuse(Error{ErrorCode::kUnsupported, "a kind of message that is not known here"});
  return {};
}

Status parse(std::string_view bytes, pb::Envelope& envelope) {
  if (bytes.size() > kMaxMessageBytes) return malformed("too long");
  if (Status count = check_field_count(bytes); !count) return count;
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                               static_cast<int>(bytes.size()));
  input.SetRecursionLimit(kMaxNesting);
  if (!envelope.ParseFromCodedStream(&input) || !input.ConsumedEntireMessage())
    return malformed("not protobuf");
  return {};
}

}  // namespace

Result<Message> decode(std::string_view bytes) {
  pb::Envelope envelope;
  if (Status parsed = parse(bytes, envelope); !parsed) return Unexpected(parsed.error());
  Result<AuthorTable> authors = AuthorTable::parse(envelope);
  if (!authors) return Unexpected(authors.error());
  Decoder decoder(std::move(*authors));
  Message message = take_body(envelope, decoder);
  if (!decoder.ok()) return Unexpected(*decoder.error());
  return message;
}

}  // namespace dagsync
