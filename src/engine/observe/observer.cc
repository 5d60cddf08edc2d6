#include "dagsync/engine/observe/observer.h"

#include <algorithm>
#include <utility>

#include "dagsync/delta/delta.h"
#include "dagsync/engine/transfer/signature_cache.h"

namespace dagsync {
namespace {

constexpr std::size_t kPathsPerJob = 64;
constexpr int kAttempts = 3;

bool same_file(const DiskState& a, const DiskState& b) {
  return a.inode == b.inode && a.size == b.size && a.mtime == b.mtime && a.ctime == b.ctime;
}

LookResult failed(const RelPath& path, const Error& error) {
  LookResult look;
  look.outcome = LookResult::Outcome::kFailed;
  look.seen.path = path;
  look.error = error.message;
  return look;
}

// What is made of a large file in the one pass that hashes it: its signature, and the delta from
// what it was before. Neither is needed: where one fails, or gets long, it is left out.
class LargeFilePass {
 public:
  LargeFilePass(const LookAt& at, std::uint64_t size) {
    if (size <= kMaxInlineBytes) return;
    if (size > SignatureCache::kLargestFile) {
      compare_.emplace(at.blocks.get(), size);
      has_basis_ = at.blocks != nullptr;
      return;
    }
    if (at.sign) signature_.emplace(choose_shape(size));
    if (at.signature == nullptr) return;
    auto parsed = Signature::parse(*at.signature);
    if (!parsed) return;
    basis_ = std::make_unique<Signature>(std::move(*parsed));
    delta_.emplace(*basis_);
  }

  void update(std::string_view piece) {
    if (signature_ && !signature_->update(piece)) signature_.reset();
    if (delta_ && !delta_->update(piece, sink())) delta_.reset();
    if (compare_) compare_->update(piece);
  }

  // Reads what is new in `file` once more: whether it has moved meanwhile is asked after this.
  void finish(ReadFile& file, LookResult& look) {
    if (compare_) {
      look.blocks = std::make_shared<const BlockSums>(compare_->finish());
      if (has_basis_) look.delta = delta_of_runs(file);
    }
    if (signature_) {
      if (auto made = signature_->finish()) look.signature = std::move(*made);
    }
    if (delta_ && delta_->finish(sink())) look.delta = std::move(bytes_);
  }

 private:
  // "" where it gets long.
  std::string delta_of_runs(ReadFile& file) const {
    const std::vector<BlockCompare::Run> runs = compare_->runs();
    std::uint64_t length = kDeltaOverhead * (runs.size() + 1);
    for (const BlockCompare::Run& run : runs)
      length += run.basis ? 0 : run.length;
    if (length > kMaxInlineDelta) return {};
    DeltaWriter delta;
    for (const BlockCompare::Run& run : runs) {
      if (run.basis) {
        delta.copy(*run.basis, run.length);
        continue;
      }
      const auto bytes = read_range(file, run.offset, run.length);
      if (!bytes) return {};
      delta.literal(*bytes);
    }
    return std::move(delta).finish();
  }

  static Result<std::string> read_range(ReadFile& file, std::uint64_t offset,
                                        std::uint64_t length) {
    std::string bytes(static_cast<std::size_t>(length), '\0');
    for (std::size_t done = 0; done < bytes.size();) {
      const auto got = file.read(offset + done, std::span(bytes).subspan(done));
      if (!got) return Unexpected(got.error());
      if (*got == 0) return fail(ErrorCode::kUnavailable, "the file became shorter");
      done += *got;
    }
    return bytes;
  }

  static constexpr std::uint64_t kDeltaOverhead = 17;  // of a run, at most

  WriteBytes sink() {
    return [this](std::string_view bytes) -> Status {
      if (bytes_.size() + bytes.size() > kMaxInlineDelta) {
        return fail(ErrorCode::kUnsupported, "too long to travel with the announcement");
      }
      bytes_.append(bytes);
      return {};
    };
  }

  std::optional<BlockCompare> compare_;
  bool has_basis_ = false;
  std::optional<SignatureBuilder> signature_;
  std::unique_ptr<Signature> basis_;
  std::optional<DeltaBuilder> delta_;
  std::string bytes_;
};

// Reads and hashes what stat said is in `file`; the size is what was read, which may be less. One
// that has grown since shows it at the last look.
Status hash_content(ReadFile& file, std::uint64_t size, Content& content, std::string* keep,
                    LargeFilePass& large) {
  DigestStream digest;
  const auto bytes = file.read_all(size, [&](std::string_view piece) -> Status {
    digest.update(piece);
    large.update(piece);
    if (keep != nullptr) keep->append(piece);
    return {};
  });
  if (!bytes) return Unexpected(bytes.error());
  content.size = *bytes;
  content.digest = digest.finish();
  return {};
}

// What was moved is not cut into blocks again. That it was, its digest says, and nothing else.
Status read_content(ReadFile& file, const LookAt& at, const DiskState& before, const CutFiles& cut,
                    std::string* keep, LookResult& look) {
  Content& content = look.seen.content;
  const bool is_large = before.size > kMaxInlineBytes;
  if (const LookAt* from = is_large ? cut.find(before) : nullptr) {
    LargeFilePass nothing(at, 0);
    const Status hashed = hash_content(file, before.size, content, keep, nothing);
    if (!hashed) return hashed;
    if (content.digest == from->known.digest) {
      look.blocks = from->blocks;
      if (from->signature) look.signature = *from->signature;
      return {};
    }
  }
  LargeFilePass large(at, before.size);
  const Status hashed = hash_content(file, before.size, content, keep, large);
  if (hashed) large.finish(file, look);
  return hashed;
}

bool is_being_written(ReadFile& file, LookResult& look) {
  const WriterCheck writer = file.check_writer();
  look.asked = true;
  look.degraded = writer == WriterCheck::kUnknown;
  if (writer != WriterCheck::kWriter) return false;
  look.outcome = LookResult::Outcome::kOpen;
  return true;
}

LookResult look_at_file(Disk& disk, const LookAt& at, const CutFiles& cut, bool keep_bytes,
                        LookResult look) {
  auto file = disk.open(at.path);
  if (!file) return failed(at.path, file.error());
  const auto before = (*file)->state();
  if (!before) return failed(at.path, before.error());
  // So that a large one is not read in vain.
  if (before->size > kMaxInlineBytes && is_being_written(**file, look)) return look;
  const bool keep = keep_bytes && before->size <= kMaxInlineBytes;
  auto bytes = std::make_shared<std::string>();
  const Status read = read_content(**file, at, *before, cut, keep ? bytes.get() : nullptr, look);
  if (!read) return failed(at.path, read.error());
  // Not before, since a writer may come after the first byte was read; and not last, since what was
  // read must stand under the name after this.
  if (is_being_written(**file, look)) return look;
  const auto after = disk.stat(at.path);
  if (!after) return failed(at.path, after.error());
  if (!*after || !same_file(*before, **after) || look.seen.content.size != before->size) {
    look.outcome = LookResult::Outcome::kMoving;
    return look;
  }
  look.seen.disk = **after;
  if (keep) look.bytes = std::move(bytes);
  return look;
}

// Whether a power cut took what the index saw, or half of it: nothing stands there, or something of
// before, since every change moves the ctime on. Within one tick of the kernel's clock it counts as
// gone back, too: what stands there is kept.
bool went_back(const DiskState& known, const std::optional<DiskState>& now) {
  return !now || has_come_back(known, *now);
}

bool is_as_before(const LookAt& at, const std::optional<DiskState>& now) {
  if (!at.before || !now) return !at.before && !now;
  return is_unchanged_since(*at.before, *now);
}

LookResult look_once(Disk& disk, const LookAt& at, const CutFiles& cut, UnixNanos moment,
                     bool keep_bytes) {
  LookResult look;
  look.seen.path = at.path;
  look.seen.moment = moment;
  const auto state = disk.stat(at.path);
  if (!state) return failed(at.path, state.error());
  if (at.again && is_as_before(at, *state)) {
    look.outcome = LookResult::Outcome::kSame;
    return look;
  }
  look.seen.went_back = at.suspect && at.known_state && went_back(*at.known_state, *state);
  if (!*state) return look;  // nothing stands there
  look.seen.disk = **state;
  if ((*state)->type == FileType::kSpecial) {
    look.outcome = LookResult::Outcome::kSpecial;
    return look;
  }
  if (at.known_state && is_unchanged(*at.known_state, **state)) {
    look.seen.content = at.known;
    return look;
  }
  look.seen.content = content_of(**state);
  if ((*state)->type == FileType::kSymlink) {
    const auto target = disk.read_link(at.path);
    if (!target) return failed(at.path, target.error());
    look.seen.content.target = *target;
  } else if ((*state)->type == FileType::kFile) {
    look = look_at_file(disk, at, cut, keep_bytes, std::move(look));
    if (look.outcome == LookResult::Outcome::kSeen && look.seen.disk) {
      const Content fresh = content_of(*look.seen.disk);
      look.seen.content.mode = fresh.mode;
      look.seen.content.mtime = fresh.mtime;
    }
  }
  if (look.seen.disk) {
    look.seen.content.owner = disk.owner_of(at.path, *look.seen.disk, at.known.owner).owner;
    look.seen.disk->racy = look.seen.disk->mtime + kRacyWindow > moment;
  }
  return look;
}

}  // namespace

CutFiles::CutFiles(std::span<const LookAt> round) {
  for (const LookAt& at : round) {
    const bool is_cut = at.blocks != nullptr || at.signature != nullptr;
    if (is_cut && at.known_state) by_inode_.emplace(at.known_state->inode, &at);
  }
}

const LookAt* CutFiles::find(const DiskState& state) const {
  const auto it = by_inode_.find(state.inode);
  if (it == by_inode_.end()) return nullptr;
  const DiskState& known = *it->second->known_state;
  return known.size == state.size && known.mtime == state.mtime ? it->second : nullptr;
}

Content content_of(const DiskState& state) {
  Content content;
  content.mode = state.mode;
  if (state.type == FileType::kDirectory) {
    content.kind = Kind::kDirectory;
  } else {
    content.kind = state.type == FileType::kFile ? Kind::kFile : Kind::kSymlink;
    content.mtime = state.mtime;
  }
  // Never setuid or setgid of a file, and nothing of a symlink.
  if (content.kind == Kind::kFile) content.mode &= 0777;
  if (content.kind == Kind::kSymlink) content.mode = 0;
  return content;
}

LookResult look_at(Disk& disk, const LookAt& at, UnixNanos moment, bool keep_bytes,
                   const CutFiles& cut) {
  LookResult look;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    look = look_once(disk, at, cut, moment, keep_bytes);
    look.again = at.again;
    if (look.outcome != LookResult::Outcome::kMoving) return look;
  }
  return look;
}

void Observer::look(std::vector<LookAt> paths, UnixNanos moment, bool keep_bytes,
                    std::function<void(std::vector<LookResult>)> done) {
  struct Gathering {
    std::vector<LookAt> paths;
    CutFiles cut;
    std::vector<LookResult> looks;
    std::size_t jobs_left = 0;
    std::function<void(std::vector<LookResult>)> done;
  };
  auto all = std::make_shared<Gathering>();
  all->paths = std::move(paths);
  all->cut = CutFiles(all->paths);
  all->looks.resize(all->paths.size());
  all->done = std::move(done);
  all->jobs_left = std::max<std::size_t>(1, (all->paths.size() + kPathsPerJob - 1) / kPathsPerJob);
  const std::size_t jobs = all->jobs_left;
  for (std::size_t job = 0; job < jobs; ++job) {
    const std::size_t begin = job * kPathsPerJob;
    const std::size_t end = std::min(begin + kPathsPerJob, all->paths.size());
    worker_.run(
        kPool,
        [this, all, begin, end, moment, keep_bytes] {
          const auto visit = disk_.visit();
          for (std::size_t i = begin; i < end; ++i) {
            all->looks[i] = look_at(disk_, all->paths[i], moment, keep_bytes, all->cut);
          }
        },
        [all] {
          if (--all->jobs_left == 0) all->done(std::move(all->looks));
        });
  }
}

}  // namespace dagsync
