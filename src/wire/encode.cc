#include "dagsync/wire/codec.h"

#include "wire/encoder.h"

namespace dagsync {
namespace {

std::string clipped(std::string_view text) {
  return std::string(text.substr(0, kMaxTextBytes));
}

void put(const Hello& in, pb::Envelope& out, AuthorWriter& authors) {
  pb::Hello& hello = *out.mutable_hello();
  hello.set_major(in.major);
  hello.set_minor(in.minor);
  hello.set_name(in.name.value);
  hello.set_program_version(clipped(in.program_version));
  hello.set_clock(in.clock.value);
  hello.set_one_shot(in.one_shot);
  for (const Hello::Folder& folder : in.folders) {
    pb::Hello::Folder& row = *hello.add_folders();
    row.set_name(folder.name);
    row.set_author(authors.index_of(folder.author));
    row.set_sequence(folder.sequence);
  }
}

void put(const Goodbye& in, pb::Envelope& out, AuthorWriter&) {
  out.mutable_goodbye()->set_reason(clipped(in.reason));
}

void put(const Tell& in, pb::Envelope& out, AuthorWriter& authors) {
  pb::Tell& tell = *out.mutable_tell();
  tell.set_folder(in.folder);
  tell.set_author(authors.index_of(in.author));
  encode_knowledge(in.received, authors, *tell.mutable_received());
  encode_knowledge(in.durable, authors, *tell.mutable_durable());
  for (const NodeName& node : in.connected)
    tell.add_connected(node.value);
  tell.set_unpublished(in.unpublished);
  tell.set_refuses(!in.accepts);
}

void put(const Announce& in, pb::Envelope& out, AuthorWriter& authors) {
  pb::Announce& announce = *out.mutable_announce();
  announce.set_folder(in.folder);
  announce.set_more(in.more);
  announce.set_page(in.page);
  announce.mutable_items()->Reserve(static_cast<int>(in.items.size()));
  for (const Announce::Item& item : in.items) {
    pb::Announce::Item& row = *announce.add_items();
    encode_change(item.change, authors, *row.mutable_change());
    if (const auto* whole = std::get_if<Announce::Whole>(&item.content)) {
      row.set_whole(whole->bytes);
    } else if (const auto* delta = std::get_if<Announce::Delta>(&item.content)) {
      row.mutable_delta()->set_basis(encode_digest(delta->basis));
      row.mutable_delta()->set_bytes(delta->bytes);
    }
  }
}

void put(const PageDone& in, pb::Envelope& out, AuthorWriter&) {
  out.mutable_page_done()->set_folder(in.folder);
  out.mutable_page_done()->set_page(in.page);
}

void put(const SnapshotEnd& in, pb::Envelope& out, AuthorWriter& authors) {
  out.mutable_snapshot_end()->set_folder(in.folder);
  encode_knowledge(in.knowledge, authors, *out.mutable_snapshot_end()->mutable_knowledge());
}

void put(const List& in, pb::Envelope& out, AuthorWriter&) {
  out.mutable_list()->set_folder(in.folder);
}

void put(const Fetch& in, pb::Envelope& out, AuthorWriter&) {
  pb::Fetch& fetch = *out.mutable_fetch();
  fetch.set_folder(in.folder);
  fetch.set_request(in.request);
  fetch.set_path(in.path.bytes());
  fetch.set_digest(encode_digest(in.digest));
  fetch.set_size(in.size);
  fetch.set_signature(in.signature);
  fetch.set_credit(in.credit);
}

void put(const FetchBegin& in, pb::Envelope& out, AuthorWriter&) {
  out.mutable_fetch_begin()->set_request(in.request);
  out.mutable_fetch_begin()->set_encoding(static_cast<std::uint32_t>(in.encoding));
}

void put(const FetchEnd& in, pb::Envelope& out, AuthorWriter&) {
  out.mutable_fetch_end()->set_request(in.request);
  out.mutable_fetch_end()->set_error(clipped(in.error));
}

void put(const Credit& in, pb::Envelope& out, AuthorWriter&) {
  out.mutable_credit()->set_request(in.request);
  out.mutable_credit()->set_bytes(in.bytes);
}

void put(const Cancel& in, pb::Envelope& out, AuthorWriter&) {
  out.mutable_cancel()->set_request(in.request);
}

void put(const Ping& in, pb::Envelope& out, AuthorWriter&) {
  out.mutable_ping()->set_id(in.id);
}

void put(const Pong& in, pb::Envelope& out, AuthorWriter&) {
  out.mutable_pong()->set_id(in.id);
  out.mutable_pong()->set_clock(in.clock.value);
}

void put(const Verify& in, pb::Envelope& out, AuthorWriter&) {
  pb::Verify& verify = *out.mutable_verify();
  verify.set_folder(in.folder);
  verify.set_request(in.request);
  verify.set_after(in.after.bytes());
  for (const RelPath& path : in.paths)
    verify.add_paths(path.bytes());
}

void put(const VerifyPage& in, pb::Envelope& out, AuthorWriter&) {
  pb::VerifyPage& page = *out.mutable_verify_page();
  page.set_request(in.request);
  page.set_last(in.last.bytes());
  page.set_error(clipped(in.error));
  for (const VerifyPage::Row& row : in.rows) {
    pb::VerifyPage::Row& written = *page.add_rows();
    written.set_path(row.path.bytes());
    encode_content(row.content, written);
    written.set_problem(clipped(row.problem));
    written.set_unsettled(row.unsettled);
  }
}

}  // namespace

std::string encode(const Message& message) {
  pb::Envelope envelope;
  AuthorWriter authors(envelope);
  std::visit([&](const auto& body) { put(body, envelope, authors); }, message);
  return envelope.SerializeAsString();
}

}  // namespace dagsync
