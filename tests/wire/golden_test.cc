// The bytes of one message of each kind. If this fails, nodes of different versions stop
// understanding each other: mend the code, and change these lines only with the protocol's version.
#include <doctest/doctest.h>

#include "dagsync/wire/codec.h"
#include "wire/samples.h"

using namespace dagsync;

namespace {

const char* const kGolden[] = {
    // hello
    "0a100a056e6f646531110700000000000000122508011a056e6f6465312205302e312e302900002a"
    "36fe9c971732080a0464616773182a3801",
    // goodbye
    "1a100a0e6e6f7420636f6e66696775726564",
    // tell
    "0a100a056e6f6465311107000000000000000a100a056e6f646532110800000000000000223a0a04"
    "646167731a100a020001120202011a0601282a2a010322100a020001120202011a0601282a2a0103"
    "2a056e6f6465322a056e6f6465333001",
    // announce
    "0a100a056e6f6465311107000000000000000a100a056e6f6465321108000000000000000a100a05"
    "6e6f6465331109000000000000002ac0010a0464616773124d0a440a0b646167732f65746c2e7079"
    "182a200228a40330053a100102030405060708090a0b0c0d0e0f104101ca9a3b000000005102ca9a"
    "3b000000006a080a02000112022a03120568656c6c6f12690a4c0a0361ff0a10021801200228a403"
    "30053a100102030405060708090a0b0c0d0e0f104101ca9a3b000000005102ca9a3b00000000602a"
    "6a080a02000112022a03720a0a0300010212032a03011a190a1002030405060708090a0b0c0d0e0f"
    "1011120564656c7461",
    // page done
    "32080a04646167731002",
    // snapshot end
    "0a100a056e6f6465311107000000000000000a100a056e6f6465321108000000000000003a180a04"
    "6461677312100a020001120202011a0601282a2a0103",
    // list
    "42060a0464616773",
    // fetch
    "4a3a0a046461677310091a0b646167732f65746c2e707922100102030405060708090a0b0c0d0e0f"
    "102880804032097369676e617475726538808010",
    // fetch begin
    "520408091001",
    // fetch end
    "5a0808091204676f6e65",
    // credit
    "6206080910808010",
    // cancel
    "6a020809",
    // ping
    "72020803",
    // pong
    "7a0b080311ffffffffffffffff",
    // verify
    "8201140a046461677310091a01612204622e7079220163",
    // verify page
    "8a0145080912330a04622e7079200228a40330053a100102030405060708090a0b0c0d0e0f104101"
    "ca9a3b0000000052076368616e676564580112030a01631a0163220462757379",
};

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    hex.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return hex;
}

}  // namespace

TEST_CASE("the bytes of each kind of message stay what they are") {
  const std::vector<Message> messages = test::one_of_each();
  REQUIRE(messages.size() == std::size(kGolden));
  for (std::size_t i = 0; i < messages.size(); ++i)
    CHECK(to_hex(encode(messages[i])) == kGolden[i]);
}
