// Malformed frames and messages.
#include <zstd.h>

#include <cstdlib>

#include "dagsync/wire/codec.h"
#include "hostile/attack.h"

namespace dagsync::hostile {
namespace {

constexpr char kMessageType = 1;
constexpr std::size_t kBombBytes = 64 << 20;

std::string header(std::uint32_t payload_bytes, char type, char flags) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(payload_bytes >> shift & 0xFF));
  return bytes + type + flags;
}

std::string framed(const std::string& payload, char flags = 0) {
  return header(static_cast<std::uint32_t>(payload.size()), kMessageType, flags) + payload;
}

std::string compressed(const std::string& plain, bool says_size) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, says_size ? 1 : 0);
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  out.resize(ZSTD_compress2(context, out.data(), out.size(), plain.data(), plain.size()));
  ZSTD_freeCCtx(context);
  return out;
}

// An announcement whose path is `bytes`, whatever they are: encoded with another path of the same
// length, which is then overwritten.
std::string with_path(const Plan& plan, const std::string& bytes) {
  std::string filler;
  while (filler.size() < bytes.size())
    filler += filler.size() == 200 ? '/' : 'X';
  std::string payload =
      encode(announce_of(plan, {with_content(file_change(plan, filler, "evil", 1), "evil")}));
  if (!filler.empty()) payload.replace(payload.find(filler), filler.size(), bytes);
  return framed(payload);
}

template <const char* kBytes, std::size_t kSize>
void path_attack(Session& session, const Plan& plan) {
  session.send_raw(with_path(plan, std::string(kBytes, kSize)));
}

constexpr char kDotDot[] = "../evil.py";
constexpr char kInner[] = "a/../../evil.py";
constexpr char kDot[] = "./evil.py";
constexpr char kAbsolute[] = "/tmp/dagsync-evil.py";
constexpr char kEmpty[] = "";
constexpr char kNul[] = "evil\0.py";
constexpr char kTwoSlashes[] = "a//evil.py";
constexpr char kTrailing[] = "evil/";

void long_name(Session& session, const Plan& plan) {
  session.send_raw(with_path(plan, std::string(256, 'n')));
}

void frame_of_4_gib(Session& session, const Plan&) {
  session.send_raw(header(0xFFFFFFFF, kMessageType, 0));
  const std::string zeros(1 << 20, '\0');
  for (int i = 0; i < 64 && session.open(); ++i)
    session.send_raw(zeros);
}

// The frame is whole, a field in it says that it is longer.
void length_that_lies(Session& session, const Plan&) {
  std::string payload = encode(Ping{7});
  payload.push_back('\x12');  // field 2, with a length
  payload.append("\xFF\xFF\xFF\xFF\x0F");
  session.send_raw(framed(payload));
}

void unknown_type(Session& session, const Plan&) {
  session.send_raw(header(4, 9, 0) + "abcd");
}

void unknown_flag(Session& session, const Plan&) {
  session.send_raw(header(4, kMessageType, 2) + "abcd");
}

void zeros(Session& session, const Plan&) {
  const std::string block(1 << 20, '\0');
  for (int i = 0; i < 64 && session.open(); ++i)
    session.send_raw(block);
}

void zstd_bomb(Session& session, const Plan&) {
  session.send_raw(framed(compressed(std::string(kBombBytes, '\0'), true), 1));
}

void zstd_without_size(Session& session, const Plan&) {
  session.send_raw(framed(compressed(std::string(kBombBytes, '\0'), false), 1));
}

// Says 1 MiB, and is 64: single segment, so the size follows the descriptor.
void zstd_that_lies(Session& session, const Plan&) {
  std::string frame = compressed(std::string(kBombBytes, '\0'), true);
  const std::size_t at = (frame[4] & 0x20) != 0 ? 5 : 6;
  const std::uint32_t said = 1 << 20;
  for (std::size_t i = 0; i < 4; ++i)
    frame[at + i] = static_cast<char>(said >> (8 * i) & 0xFF);
  session.send_raw(framed(frame, 1));
}

void many_fields(Session& session, const Plan&) {
  std::string payload;
  for (int i = 0; i < 1'000'000; ++i)
    payload += std::string("\x0A\x00", 2);  // an empty author
  session.send_raw(framed(payload));
}

void hellos_without_end(Session& session, const Plan& plan) {
  for (int i = 0; i < 100 && session.open(); ++i)
    session.greet(plan.name, plan.folder);
}

// Each time a new connection, whose hello is in order.
void connects(Session&, const Plan& plan) {
  for (std::uint64_t i = 1; i < plan.count; ++i)
    Session(plan.target).greet(plan.name, plan.folder);
}

// -- before the hello ---------------------------------------------------------------------------

void in_anothers_name(Session& session, const Plan& plan) {
  session.greet({plan.text}, plan.folder);
}

void without_hello(Session& session, const Plan& plan) {
  session.send(announce_of(plan, {with_content(file_change(plan, plan.path, "evil", 1), "evil")}));
}

void silent(Session&, const Plan&) {}

void other_major(Session& session, const Plan& plan) {
  Hello hello;
  hello.name = plan.name;
  hello.major = kProtocolMajor + 1;
  session.send(hello);
}

void large_hello(Session& session, const Plan& plan) {
  Hello hello;
  hello.name = plan.name;
  hello.program_version = std::string(4 << 20, 'v');
  std::string payload = encode(hello);
  payload.append(1 << 20, '\x55');
  session.send_raw(framed(payload));
}

}  // namespace

const Attacks& frame_attacks() {
  static const Attacks attacks = {
      {"path-dotdot", path_attack<kDotDot, sizeof kDotDot - 1>},
      {"path-inner-dotdot", path_attack<kInner, sizeof kInner - 1>},
      {"path-dot", path_attack<kDot, sizeof kDot - 1>},
      {"path-absolute", path_attack<kAbsolute, sizeof kAbsolute - 1>},
      {"path-empty", path_attack<kEmpty, sizeof kEmpty - 1>},
      {"path-nul", path_attack<kNul, sizeof kNul - 1>},
      {"path-two-slashes", path_attack<kTwoSlashes, sizeof kTwoSlashes - 1>},
      {"path-trailing-slash", path_attack<kTrailing, sizeof kTrailing - 1>},
      {"path-long-name", long_name},
      {"frame-of-4-gib", frame_of_4_gib},
      {"length-that-lies", length_that_lies},
      {"unknown-type", unknown_type},
      {"unknown-flag", unknown_flag},
      {"zeros", zeros},
      {"zstd-bomb", zstd_bomb},
      {"zstd-without-size", zstd_without_size},
      {"zstd-that-lies", zstd_that_lies},
      {"many-fields", many_fields},
      {"hellos", hellos_without_end},
      {"connects", connects},
  };
  return attacks;
}

const Attacks& strangers_attacks() {
  static const Attacks attacks = {
      {"hello-in-anothers-name", in_anothers_name},
      {"no-hello", without_hello},
      {"silent", silent},
      {"other-major", other_major},
      {"large-hello", large_hello},
  };
  return attacks;
}

}  // namespace dagsync::hostile
