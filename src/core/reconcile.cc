#include "dagsync/core/reconcile.h"

#include <algorithm>

namespace dagsync {

UnixNanos make_stamp(const Content& content, UnixNanos observed, UnixNanos replaced) {
  const bool has_mtime = content.kind == Kind::kFile || content.kind == Kind::kSymlink;
  const UnixNanos own = has_mtime ? std::min(content.mtime, observed) : observed;
  return std::max(own, replaced + Duration(1));
}

std::strong_ordering compare_age(const Record& a, const Record& b) {
  if (const auto order = a.stamp <=> b.stamp; order != 0) return order;
  if (const auto order = a.content.kind <=> b.content.kind; order != 0) return order;
  if (const auto order = a.content.digest <=> b.content.digest; order != 0) return order;
  if (const auto order = a.content.mode <=> b.content.mode; order != 0) return order;
  if (const auto order = a.content.mtime <=> b.content.mtime; order != 0) return order;
  if (const auto order = a.content.target <=> b.content.target; order != 0) return order;
  if (const auto order = a.content.owner <=> b.content.owner; order != 0) return order;
  return a.origin <=> b.origin;
}

Record reconcile(const Record& a, const Record& b) {
  Record joined = compare_age(a, b) >= 0 ? a : b;
  joined.version.join(a.version);
  joined.version.join(b.version);
  return joined;
}

bool is_conflict(const Record& a, const Record& b) {
  if (same_bytes(a.content, b.content) || a.origin == b.origin) return false;
  const bool a_saw_b = a.seen.at(b.origin.author) >= b.origin.sequence;
  const bool b_saw_a = b.seen.at(a.origin.author) >= a.origin.sequence;
  return !a_saw_b && !b_saw_a;
}

}  // namespace dagsync
