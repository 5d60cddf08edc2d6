#include "dagsync/engine/transfer/signature_cache.h"

#include <utility>

namespace dagsync {

SignatureCache::Signature SignatureCache::find(const Digest& content) {
  const auto it = by_content_.find(content);
  if (it == by_content_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, it->second);
  return it->second->signature;
}

void SignatureCache::put(const Digest& content, std::string signature) {
  if (signature.size() > kMostBytes || find(content) != nullptr) return;
  bytes_ += signature.size();
  entries_.push_front({content, std::make_shared<const std::string>(std::move(signature))});
  by_content_[content] = entries_.begin();
  while (bytes_ > kMostBytes) {
    bytes_ -= entries_.back().signature->size();
    by_content_.erase(entries_.back().content);
    entries_.pop_back();
  }
}

}  // namespace dagsync
