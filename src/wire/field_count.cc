#include "wire/field_count.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include "dagsync/wire/codec.h"
#include "wire/authors.h"

namespace dagsync {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Of the envelope and of its body: the largest of both tables, and some room for later versions.
constexpr std::size_t kMaxFields = kMaxMessageAuthors + kMaxChangesPerMessage + 1024;
constexpr int kMaxRecursion = 16;

// Counts the fields of one message down from `left`; hands the payload of each that has a length
// on.
template <typename OnPayload>
Status count_fields(std::string_view bytes, std::size_t& left, OnPayload on_payload) {
  CodedInputStream input(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                         static_cast<int>(bytes.size()));
  input.SetRecursionLimit(kMaxRecursion);
  while (const std::uint32_t tag = input.ReadTag()) {
    if (left == 0) return malformed("too many fields");
    --left;
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&input, tag)) return malformed("a field is cut short");
      continue;
    }
    std::uint32_t length = 0;
    if (!input.ReadVarint32(&length)) return malformed("a length is cut short");
    const auto start = static_cast<std::size_t>(input.CurrentPosition());
    if (length > bytes.size() - start) return malformed("a field is cut short");
    if (Status status =
            on_payload(WireFormatLite::GetTagFieldNumber(tag), bytes.substr(start, length));
        !status)
      return status;
    if (!input.Skip(static_cast<int>(length))) return malformed("a field is cut short");
  }
  if (!input.ConsumedEntireMessage()) return malformed("not a message");
  return {};
}

bool is_body(int field) {
  return field >= static_cast<int>(pb::Envelope::kHelloFieldNumber) &&
         field <= static_cast<int>(pb::Envelope::kVerifyPageFieldNumber);
}

}  // namespace

Status check_field_count(std::string_view envelope) {
  std::size_t left = kMaxFields;
  return count_fields(envelope, left, [&](int field, std::string_view payload) -> Status {
    if (!is_body(field)) return {};
    return count_fields(payload, left, [](int, std::string_view) -> Status { return {}; });
  });
}

}  // namespace dagsync
