// Signatures of large files that were edited lately, so that the next edit travels as a delta with
// its announcement and nobody has to be asked for a signature. Loop thread only.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "dagsync/base/digest.h"

namespace dagsync {

class SignatureCache {
 public:
  static constexpr std::size_t kMostBytes = 4 << 20;
  // Of a larger file the signature is not made while it is hashed: that would hold up its
  // announcement longer than asking takes.
  static constexpr std::uint64_t kLargestFile = 8 << 20;

  using Signature = std::shared_ptr<const std::string>;  // librsync's
  [[nodiscard]] Signature find(const Digest& content);   // null: not here
  void put(const Digest& content, std::string signature);

 private:
  struct Entry {
    Digest content;
    Signature signature;
  };
  std::list<Entry> entries_;  // the one used last in front
  std::unordered_map<Digest, std::list<Entry>::iterator> by_content_;
  std::size_t bytes_ = 0;
};

}  // namespace dagsync
