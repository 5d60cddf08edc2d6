// A batch on its way to be published: which paths, and how far their contents are.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "dagsync/engine/publish/publisher.h"

namespace dagsync {

struct Publisher::Item {
  Content content;
  std::optional<std::string> bytes;  // came with the announcement
  std::shared_ptr<void> held;        // counts them
  std::unique_ptr<Staged> staged;
  std::optional<RelPath> linked;  // whose inode `staged` is
  bool attributes_only = false;
  bool ready = false;
  std::uint64_t ticket = 0;  // of the fetch under way
};

struct Publisher::Batch {
  std::map<RelPath, Item> items;
  std::set<RelPath> linked;  // sources that have been promised to a new name
  std::size_t missing = 0;   // items that are not ready
  bool complete = false;     // and handed on to the lane
};

}  // namespace dagsync
