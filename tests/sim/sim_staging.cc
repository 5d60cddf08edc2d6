// Files that are read, and things that are made ready outside the folder.
#include <algorithm>

#include "sim_disk_parts.h"

namespace dagsync::sim {
namespace {

constexpr double kShortReads = 0.1;

UnixNanos rounded(UnixNanos time) {
  return {time.value / 1000 * 1000};
}

}  // namespace

StagedName::~StagedName() {
  if (published || inode == 0 || !life->alive) return;
  if (files->find(at.directory, at.name) == inode) files->unlink(at);
}

SimStagedFile::SimStagedFile(Disks& disks) : disks_(disks) {
  thing.life = disks.life;
  thing.files = &disks.files;
  thing.at = {disks.staging(), disks.fresh_name()};
  thing.inode = disks.files.make(thing.at, FileType::kFile, 0600);
}

Status SimStagedFile::append(std::string_view bytes) {
  if (const Status step = disks_.step("write a staged file"); !step) return step;
  if (disks_.faults.no_space && !bytes.empty())
    return fail(ErrorCode::kNoSpace,
                "write a staged file: no space left on device: free space on that file system");
  bytes_.append(bytes);
  return {};
}

Status SimStagedFile::append_from(ReadFile& source, std::uint64_t offset, std::uint64_t length) {
  std::string buffer(4096, '\0');
  while (length > 0) {
    const std::size_t most = std::min<std::size_t>(buffer.size(), length);
    const auto got = source.read(offset, std::span(buffer.data(), most));
    if (!got) return Unexpected(got.error());
    if (*got == 0) return fail(ErrorCode::kUnavailable, "a file became shorter");
    if (const Status done = append({buffer.data(), *got}); !done) return done;
    offset += *got;
    length -= *got;
  }
  return {};
}

Status SimStagedFile::finish(const Attributes& attributes) {
  if (const Status step = disks_.step("finish a staged file"); !step) return step;
  if (disks_.faults.corrupts_staged && !bytes_.empty()) bytes_[bytes_.size() / 2] ^= 1;
  disks_.files.write(thing.inode, std::move(bytes_));
  disks_.give(thing.inode, attributes.owner);
  disks_.files.set_mode(thing.inode, attributes.mode & 0777);
  if (const auto mtime = attributes.mtime)
    disks_.files.set_mtime(thing.inode, disks_.faults.rounds_mtimes ? rounded(*mtime) : *mtime);
  thing.made = disks_.files.state(thing.inode);
  return {};
}

Result<DiskState> SimReadFile::state() {
  if (const Status step = disks_.step("look at an open file"); !step)
    return Unexpected(step.error());
  return disks_.files.state(inode_);
}

Result<std::size_t> SimReadFile::read(std::uint64_t offset, std::span<char> buffer) {
  if (const Status step = disks_.step("read"); !step) return Unexpected(step.error());
  bytes_ = disks_.files.at(inode_).bytes;
  if (offset >= bytes_->size() || buffer.empty()) return 0;
  std::size_t most = std::min<std::size_t>(buffer.size(), bytes_->size() - offset);
  if (most > 1 && disks_.seeded.chance(kShortReads)) most = 1 + disks_.seeded.index(most);
  std::copy_n(bytes_->data() + offset, most, buffer.data());
  return most;
}

WriterCheck SimReadFile::check_writer() {
  if (!disks_.life->step()) return WriterCheck::kNone;
  return disks_.has_writer(inode_) ? WriterCheck::kWriter : WriterCheck::kNone;
}

// -- making them ---------------------------------------------------------------------------------

Result<std::unique_ptr<StagedFile>> SimDisk::stage_file(std::uint64_t) {
  if (const Status step = disks_->step("stage a file"); !step) return Unexpected(step.error());
  if (const auto root = disks_->root(); !root) return Unexpected(root.error());
  return std::make_unique<SimStagedFile>(*disks_);
}

Result<std::unique_ptr<Staged>> SimDisk::stage_symlink(const std::string& target,
                                                       const Attributes& attributes) {
  if (const Status step = disks_->step("stage a symlink"); !step) return Unexpected(step.error());
  if (const auto root = disks_->root(); !root) return Unexpected(root.error());
  if (target.empty() || target.size() > kMaxPathBytes || target.find('\0') != std::string::npos)
    return fail(ErrorCode::kInvalid, "no symlink can point to that: it is empty or too long");
  auto staged = std::make_unique<SimStagedName>();
  StagedName& thing = staged->thing;
  thing.life = disks_->life;
  thing.files = &disks_->files;
  thing.at = {disks_->staging(), disks_->fresh_name()};
  thing.inode = disks_->files.make(thing.at, FileType::kSymlink, 0777, target);
  disks_->give(thing.inode, attributes.owner);
  if (attributes.mtime) disks_->files.set_mtime(thing.inode, *attributes.mtime);
  thing.made = disks_->files.state(thing.inode);
  return staged;
}

Result<std::unique_ptr<Staged>> SimDisk::stage_directory(const Attributes& attributes) {
  if (const Status step = disks_->step("stage a directory"); !step) return Unexpected(step.error());
  if (const auto root = disks_->root(); !root) return Unexpected(root.error());
  auto staged = std::make_unique<SimStagedName>();
  StagedName& thing = staged->thing;
  thing.life = disks_->life;
  thing.files = &disks_->files;
  thing.at = {disks_->staging(), disks_->fresh_name()};
  thing.inode = disks_->files.make(thing.at, FileType::kDirectory, attributes.mode & 03777);
  thing.owner = attributes.owner;
  disks_->give(thing.inode, attributes.owner);
  thing.made = disks_->files.state(thing.inode);
  return staged;
}

Result<std::unique_ptr<Staged>> SimDisk::stage_link(const RelPath& path,
                                                    const DiskState& expected) {
  if (const Status step = disks_->step("link"); !step) return Unexpected(step.error());
  if (const auto root = disks_->root(); !root) return Unexpected(root.error());
  const auto at = disks_->place(path, "link");
  const Inode inode = at ? disks_->files.find(at->directory, at->name) : 0;
  const bool as_expected = inode != 0 && expected.type == FileType::kFile &&
                           !disks_->has_writer(inode) &&
                           matches(expected, disks_->files.state(inode));
  if (!as_expected)
    return fail(ErrorCode::kUnavailable, display(path) + " changed before it could be linked");
  auto staged = std::make_unique<SimStagedName>();
  StagedName& thing = staged->thing;
  thing.life = disks_->life;
  thing.files = &disks_->files;
  thing.at = {disks_->staging(), disks_->fresh_name()};
  thing.inode = inode;
  thing.made = disks_->files.state(inode);
  thing.linked = true;
  disks_->files.link(inode, thing.at);
  return staged;
}

}  // namespace dagsync::sim
