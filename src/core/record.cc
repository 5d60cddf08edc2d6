#include "dagsync/core/record.h"

namespace dagsync {

bool same_bytes(const Content& a, const Content& b) {
  return a.kind == b.kind && a.size == b.size && a.digest == b.digest && a.target == b.target;
}

DiskState seen_gone(UnixNanos moment) {
  DiskState gone;
  gone.ctime = moment;
  return gone;
}

bool is_unchanged(const DiskState& then, const DiskState& now) {
  if (then.racy || then.type != now.type || then.mode != now.mode) return false;
  // Of a directory nothing else is replicated, and its times move with every child.
  if (now.type == FileType::kDirectory) return true;
  // Device numbers change from boot to boot: the root's identity guards against another disk.
  return then.inode == now.inode && then.size == now.size && then.mtime == now.mtime &&
         then.ctime == now.ctime;
}

}  // namespace dagsync
