// What nodes say to each other. How it stands on the wire is wire's business (wire/FORMAT.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dagsync/core/knowledge.h"
#include "dagsync/core/record.h"

namespace dagsync {

inline constexpr std::uint32_t kProtocolMajor = 1;     // nodes of different majors do not talk
inline constexpr std::uint32_t kProtocolMinor = 4;     // a node ignores what it does not know
inline constexpr std::uint32_t kHelloAgainMinor = 2;   // hears a later Hello: other folders
inline constexpr std::uint32_t kManyFetchesMinor = 4;  // lets Fetches wait for their turn

// Limits of one message; a decoder refuses more before it takes memory for it.
inline constexpr std::size_t kMaxMessageBytes = 8 << 20;  // encoded, and decompressed
inline constexpr std::size_t kMaxChunkBytes = 256 << 10;  // content in one chunk, decompressed
inline constexpr std::size_t kMaxChangesPerMessage = 4096;
inline constexpr std::size_t kMaxFolders = 256;
inline constexpr std::size_t kMaxVectorEntries = 4096;        // authors in one version vector
inline constexpr std::size_t kMaxKnowledgeIntervals = 65536;  // in one message
inline constexpr std::size_t kMaxInlineBytes = 64 << 10;      // content with its change
inline constexpr std::size_t kMaxInlineDelta = 128 << 10;     // delta with its change
inline constexpr std::size_t kMaxSignatureBytes = 4 << 20;
inline constexpr std::size_t kMaxVerifyRows = 1024;  // in a page, and paths asked for
inline constexpr std::size_t kMaxTextBytes = 4096;   // reasons, versions, addresses

// The first message of both sides; the side that dialed speaks first, the other one only after it
// has found that peer in its configuration.
struct Hello {
  struct Folder {
    std::string name;
    AuthorId author;        // under which this node authors now
    Sequence sequence = 0;  // the last one that it issued
    bool operator==(const Folder&) const = default;
  };
  std::uint32_t major = kProtocolMajor;
  std::uint32_t minor = kProtocolMinor;
  NodeName name;
  std::string program_version;
  UnixNanos clock;  // when it was sent
  std::vector<Folder> folders;
  bool one_shot = false;  // a push without a daemon: it has no index and no folder of its own
  bool operator==(const Hello&) const = default;
};

// Why the other side is about to close; for its log.
struct Goodbye {
  std::string reason;
  bool operator==(const Goodbye&) const = default;
};

// What a node has of a folder.
struct Tell {
  std::string folder;
  AuthorId author;                  // the sender's own, now: it changes with its epoch
  Knowledge received;               // has it, or is about to publish it: need not be sent again
  Knowledge durable;                // has it, published, after a power cut too: an acknowledgement
  std::vector<NodeName> connected;  // the peers that the sender can see
  std::uint64_t unpublished = 0;    // changes received and not published yet
  bool accepts = true;              // false: send no changes (halted, or the receiver may not send)
  bool operator==(const Tell&) const = default;
};

// Changes, in the order of their making, with small contents.
struct Announce {
  struct Whole {
    std::string bytes;
    bool operator==(const Whole&) const = default;
  };
  struct Delta {  // librsync's, against the content with this digest
    Digest basis;
    std::string bytes;
    bool operator==(const Delta&) const = default;
  };
  struct Item {
    Change change;
    std::variant<std::monostate, Whole, Delta> content;  // none: to be fetched
    bool operator==(const Item&) const = default;
  };
  std::string folder;
  std::vector<Item> items;
  bool more = false;       // the batch goes on in the next message
  std::uint64_t page = 0;  // of a snapshot, from 1: to be answered by PageDone; 0: live
  bool operator==(const Announce&) const = default;
};

// The receiver of a snapshot has room for another page.
struct PageDone {
  std::string folder;
  std::uint64_t page = 0;
  bool operator==(const PageDone&) const = default;
};

// Ends a snapshot: everything that the sender's index held when it began has been sent.
struct SnapshotEnd {
  std::string folder;
  Knowledge knowledge;
  bool operator==(const SnapshotEnd&) const = default;
};

// A one-shot pusher asks for the records of a folder; answered like a snapshot, without contents.
struct List {
  std::string folder;
  bool operator==(const List&) const = default;
};

// Asks for a content. With a signature of what the asker has, the answer may be a delta.
struct Fetch {
  std::string folder;
  std::uint64_t request = 0;  // chosen by the asker, unique on this connection
  RelPath path;               // where the content was announced; any place of that digest will do
  Digest digest;
  std::uint64_t size = 0;
  std::string signature;     // librsync's, of the asker's basis; "": send it whole
  std::uint64_t credit = 0;  // content bytes that may be sent before the next Credit
  bool operator==(const Fetch&) const = default;
};

enum class Encoding : std::uint8_t { kWhole = 0, kDelta = 1 };

// The content follows in chunks.
struct FetchBegin {
  std::uint64_t request = 0;
  Encoding encoding = Encoding::kWhole;
  bool operator==(const FetchBegin&) const = default;
};

// No more chunks: all was sent, or `error` says why not.
struct FetchEnd {
  std::uint64_t request = 0;
  std::string error;
  bool operator==(const FetchEnd&) const = default;
};

// That many more content bytes may be sent.
struct Credit {
  std::uint64_t request = 0;
  std::uint64_t bytes = 0;
  bool operator==(const Credit&) const = default;
};

// The asker no longer wants it.
struct Cancel {
  std::uint64_t request = 0;
  bool operator==(const Cancel&) const = default;
};

struct Ping {
  std::uint64_t id = 0;
  bool operator==(const Ping&) const = default;
};

struct Pong {
  std::uint64_t id = 0;
  UnixNanos clock;  // the answering node's, when it answered
  bool operator==(const Pong&) const = default;
};

// Nodes of this minor and above answer a Verify.
inline constexpr std::uint32_t kVerifyMinor = 1;

// Asks the peer to read a part of its folder again and to say what stands there. Answered by one
// VerifyPage; taken back by Cancel.
struct Verify {
  std::string folder;
  std::uint64_t request = 0;   // chosen by the asker, unique on this connection
  RelPath after;               // what comes behind this path; the root: from the first path on
  std::vector<RelPath> paths;  // ascending; where there are any, exactly these and nothing else
  bool operator==(const Verify&) const = default;
};

// What was read, in the order of the paths.
struct VerifyPage {
  struct Row {
    RelPath path;
    Content content;         // as it stands there; a tombstone: nothing, or it could not be read
    std::string problem;     // what is wrong with it there; "": nothing that the peer knows of
    bool unsettled = false;  // it is being changed: ask again
    bool operator==(const Row&) const = default;
  };
  std::uint64_t request = 0;
  std::vector<Row> rows;  // ascending
  RelPath last;           // no other path up to this one stands there; the root: none at all
  std::string error;      // why there are none
  bool operator==(const VerifyPage&) const = default;
};

using Message = std::variant<Hello, Goodbye, Tell, Announce, PageDone, SnapshotEnd, List, Fetch,
                             FetchBegin, FetchEnd, Credit, Cancel, Ping, Pong, Verify, VerifyPage>;

// A piece of content; not a Message, since it is not copied through the codec. As it is sent:
struct ChunkView {
  std::uint64_t request = 0;
  bool compressed = false;  // zstd
  std::string_view bytes;   // as on the wire
};

// And as it arrives.
struct Chunk {
  std::uint64_t request = 0;
  bool compressed = false;
  std::string bytes;
};

}  // namespace dagsync
