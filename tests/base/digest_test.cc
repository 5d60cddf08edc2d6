#include "dagsync/base/digest.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

using dagsync::Digest;
using dagsync::digest_from_hex;
using dagsync::digest_of;
using dagsync::DigestStream;
using dagsync::to_hex;

namespace {

std::string random_bytes(std::mt19937_64& random, std::size_t length) {
  std::string bytes(length, '\0');
  for (char& byte : bytes)
    byte = static_cast<char>(random());
  return bytes;
}

}  // namespace

TEST_CASE("the digest is XXH3-128 in its canonical form, on every machine") {
  // Values of the reference implementation: an index outlives a change of the library.
  CHECK(to_hex(digest_of("")) == "99aa06d3014798d86001c324468d497f");
  CHECK(to_hex(digest_of("abc")) == "06b05ab6733a618578af5f94892f3950");
}

TEST_CASE("pieces have the digest of the whole, however they are cut") {
  std::mt19937_64 random(11);
  for (const std::size_t length : {0u, 1u, 16u, 240u, 241u, 4096u, 100'000u}) {
    const std::string content = random_bytes(random, length);
    DigestStream stream;
    std::size_t at = 0;
    while (at < content.size()) {
      const std::size_t piece = std::min<std::size_t>(random() % 3000, content.size() - at);
      stream.update(std::string_view(content).substr(at, piece));
      at += piece;
      CHECK(stream.finish() == digest_of(std::string_view(content).substr(0, at)));
    }
    CHECK(stream.finish() == digest_of(content));
  }
}

TEST_CASE("a stream can be moved and goes on") {
  DigestStream stream;
  stream.update("hello ");
  DigestStream moved = std::move(stream);
  moved.update("world");
  CHECK(moved.finish() == digest_of("hello world"));
  DigestStream assigned;
  assigned = std::move(moved);
  CHECK(assigned.finish() == digest_of("hello world"));
}

TEST_CASE("one changed bit is another digest") {
  std::mt19937_64 random(13);
  const std::string content = random_bytes(random, 1000);
  std::unordered_set<Digest> seen = {digest_of(content)};
  for (std::size_t bit = 0; bit < 8 * content.size(); ++bit) {
    std::string changed = content;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    CHECK(seen.insert(digest_of(changed)).second);
  }
}

TEST_CASE("hexadecimal goes there and back") {
  std::mt19937_64 random(17);
  for (int round = 0; round < 1000; ++round) {
    Digest digest;
    for (auto& byte : digest.bytes)
      byte = static_cast<std::uint8_t>(random());
    CHECK(to_hex(digest).size() == 32);
    CHECK(digest_from_hex(to_hex(digest)) == digest);
  }
}

TEST_CASE("what is not 32 lower-case digits is no digest") {
  const std::string good = "99aa06d3014798d86001c324468d497f";
  CHECK(digest_from_hex(good).has_value());
  const std::vector<std::string> bad = {"",
                                        good.substr(1),
                                        good + "0",
                                        good + "00",
                                        "99AA06d3014798d86001c324468d497f",
                                        "g9aa06d3014798d86001c324468d497f",
                                        "9 aa06d3014798d86001c324468d497f",
                                        "99aa06d3014798d86001c324468d497\xFF"};
  for (const std::string& hex : bad) {
    CAPTURE(hex);
    CHECK_FALSE(digest_from_hex(hex).has_value());
  }
}

TEST_CASE("digests are ordered by their bytes") {
  const Digest low = *digest_from_hex("00ffffffffffffffffffffffffffffff");
  const Digest high = *digest_from_hex("01000000000000000000000000000000");
  CHECK(low < high);
  CHECK(Digest{} < low);
}
