#include "dagsync/core/record.h"

#include <algorithm>

namespace dagsync {
namespace {

constexpr std::size_t kMaxNameBytes = 256;  // LOGIN_NAME_MAX

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return c == ':' || c == '/' || c == '\0'; });
}

bool has_another_owner(const DiskState& then, const DiskState& now) {
  const auto differs = [](std::uint32_t a, std::uint32_t b) {
    return a != b && a != kNobody && b != kNobody;
  };
  return differs(then.user, now.user) || differs(then.group, now.group);
}

}  // namespace

bool is_owner(std::string_view text) {
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && is_name(text.substr(0, colon)) &&
         is_name(text.substr(colon + 1));
}

bool same_bytes(const Content& a, const Content& b) {
  return a.kind == b.kind && a.size == b.size && a.digest == b.digest && a.target == b.target;
}

DiskState seen_gone(UnixNanos moment, const std::optional<DiskState>& before) {
  DiskState gone;
  gone.ctime = moment;
  if (before) {
    gone.inode = before->inode;
    gone.mtime = before->ctime;
  }
  return gone;
}

std::optional<DiskState> standing(const IndexEntry* entry) {
  return entry != nullptr && entry->record.is_live() ? entry->disk : std::nullopt;
}

bool has_come_back(const DiskState& gone, const DiskState& now) {
  const bool is_the_same = gone.inode == now.inode && gone.mtime == now.ctime;
  return now.ctime <= gone.ctime || is_the_same;
}

bool is_unchanged(const DiskState& then, const DiskState& now) {
  if (then.racy || then.type != now.type || then.mode != now.mode) return false;
  if (has_another_owner(then, now)) return false;
  // Of a directory nothing else is replicated, and its times move with every child.
  if (now.type == FileType::kDirectory) return true;
  // Device numbers change from boot to boot: the root's identity guards against another disk.
  return then.inode == now.inode && then.size == now.size && then.mtime == now.mtime &&
         then.ctime == now.ctime;
}

bool is_unchanged_since(DiskState then, const DiskState& now) {
  then.racy = false;
  return is_unchanged(then, now);
}

}  // namespace dagsync
