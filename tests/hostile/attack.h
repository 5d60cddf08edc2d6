// What a hostile peer does once it is connected. Each attack is a function, found by its name.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "hostile/session.h"

namespace dagsync::hostile {

struct Plan {
  NodeName name;  // ours, as the certificate has it
  std::string folder = "dags";
  std::string path = "evil.py";  // of what is announced
  std::string text = "evil";     // a content, or what the attack needs
  std::uint64_t count = 1;
  Target target;  // for those that connect again
};

using Attack = void (*)(Session&, const Plan&);
using Attacks = std::map<std::string_view, Attack>;

// By the file that has them.
const Attacks& frame_attacks();      // malformed frames and messages
const Attacks& change_attacks();     // announcements
const Attacks& knowledge_attacks();  // lies about who has what
const Attacks& transfer_attacks();   // contents, asked for and served

// Those that begin before the hello.
const Attacks& strangers_attacks();

// A change of a file that we author as our `sequence`-th, with the time of now.
Change file_change(const Plan& plan, const std::string& path, std::string_view content,
                   Sequence sequence);
// The same, with its content.
Announce::Item with_content(Change change, std::string_view content);
Announce announce_of(const Plan& plan, std::vector<Announce::Item> items);

}  // namespace dagsync::hostile
