// The steps of src/posix/replace.cc, remove.cc and put_back.cc, where staging and kept versions are
// beside the folder.
#include "dagsync/base/log.h"
#include "sim_disk_parts.h"

namespace dagsync::sim {
namespace {

const Published kChanged{PublishOutcome::kChanged, {}, false};
const Published kBusy{PublishOutcome::kBusy, {}, false};

NameIn swap_name(const Disks& disks, const KeptId& id, Inode staged) {
  return {disks.staging(), id.value + "." + std::to_string(staged)};
}

void note_published(const Publishing& job, Inode old, Inode now) {
  if (job.disks.hooks.published) job.disks.hooks.published(job.path, old, now);
}

Published published(const Publishing& job, StagedName& staged) {
  staged.published = true;
  return {PublishOutcome::kDone, job.disks.files.state(staged.inode), false};
}

// How the old content becomes a kept version: moved, or copied where another name goes on changing
// it.
class Keeping {
 public:
  explicit Keeping(const Publishing& job) : job_(job), disks_(job.disks) {}
  Keeping(const Keeping&) = delete;
  Keeping& operator=(const Keeping&) = delete;
  ~Keeping() {
    if (!disks_.life->alive) return;
    if (copied_) disks_.files.unlink({disks_.versions(), job_.keep->value});
    if (labelled_) disks_.remove_label(*job_.keep);
  }

  Result<bool> prepare(Inode old) {
    if (!job_.keep) return true;
    if (!is_kept_id(job_.keep->value)) return fail_no_id(*job_.keep);
    if (disks_.files.find(disks_.versions(), job_.keep->value) != 0)
      return fail(ErrorCode::kExists, "keep " + display(job_.path) + ": there is one already");
    disks_.label(*job_.keep, job_.path);
    labelled_ = true;
    const DiskState state = disks_.files.state(old);
    if (state.type != FileType::kFile || state.links == 1) return true;
    copy(old);
    return matches(state, disks_.files.state(old));
  }
  bool accepts(Inode old) const {
    const Stored& stored = disks_.files.at(old);
    if (stored.type != FileType::kFile || !job_.keep) return true;
    if (!copied_) return stored.links == 1;
    const Inode kept = disks_.files.find(disks_.versions(), job_.keep->value);
    return *disks_.files.at(kept).bytes == *stored.bytes;
  }
  bool finish(const NameIn& came_out) {
    labelled_ = false;
    if (job_.keep && !copied_ && !disks_.faults.keeps_nothing) {
      disks_.files.rename(came_out, {disks_.versions(), job_.keep->value});
      disks_.unsynced.push_back(*job_.keep);
      return true;
    }
    disks_.discard(came_out);
    copied_ = false;
    return job_.keep.has_value();
  }

 private:
  void copy(Inode old) {
    const NameIn half{disks_.versions(), job_.keep->value + ".copy"};
    const Inode made = disks_.files.make(half, FileType::kFile, 0600);
    disks_.files.write(made, *disks_.files.at(old).bytes);
    disks_.files.set_mode(made, disks_.files.at(old).mode & 0777);
    disks_.files.set_mtime(made, disks_.files.at(old).mtime);
    disks_.files.rename(half, {disks_.versions(), job_.keep->value});
    disks_.unsynced.push_back(*job_.keep);
    copied_ = true;
  }

  const Publishing& job_;
  Disks& disks_;
  bool copied_ = false;
  bool labelled_ = false;
};

// Whether what came out is what was looked at, untouched.
PublishOutcome judge(const Publishing& job, const DiskState& old, Inode came_out,
                     const Keeping& keeping) {
  FileSystem& files = job.disks.files;
  if (job.disks.faults.expects_nothing) return PublishOutcome::kDone;
  if (came_out != old.inode) return PublishOutcome::kChanged;
  if (job.disks.has_writer(came_out)) return PublishOutcome::kBusy;
  if (!matches_but_for_ctime(old, files.state(came_out))) return PublishOutcome::kChanged;
  return keeping.accepts(came_out) ? PublishOutcome::kDone : PublishOutcome::kChanged;
}

void keep_aside(const Publishing& job, const NameIn& at) {
  const KeptId id = job.disks.fresh_id();
  job.disks.label(id, job.path);
  job.disks.files.rename(at, {job.disks.versions(), id.value});
  job.disks.unsynced.push_back(id);
  job.disks.rescued.push_back({job.path, id});
}

// Whether it is what we put there, and nobody has a part in it.
bool is_untouched(const Publishing& job, const DiskState& placed, Inode came_out) {
  if (came_out != placed.inode) return false;
  if (placed.type == FileType::kDirectory) return true;
  return !job.disks.has_writer(came_out) &&
         matches_but_for_ctime(placed, job.disks.files.state(came_out));
}

// What came out last is the youngest, so it goes in again, until what comes out is what we put in.
void put_back_exchanged(const Publishing& job, const NameIn& out, StagedName& staged) {
  FileSystem& files = job.disks.files;
  DiskState placed = staged.made;
  for (int round = 0; round < 64; ++round) {
    if (!job.disks.life->step()) return;
    if (files.find(job.place.directory, job.place.name) == 0) break;
    const DiskState going_in = files.state(files.find(out.directory, out.name));
    files.exchange(out, job.place);
    const Inode came = files.find(out.directory, out.name);
    if (is_untouched(job, placed, came)) {
      if (came != staged.inode) break;
      if (files.at(came).names.empty()) return files.unlink(out);
    }
    placed = going_in;
  }
  keep_aside(job, out);
}

void put_back_moved(const Publishing& job, const NameIn& out) {
  FileSystem& files = job.disks.files;
  if (!job.disks.life->step()) return;
  if (files.find(job.place.directory, job.place.name) == 0) {
    files.rename(out, job.place);
  } else {
    keep_aside(job, out);
  }
}

Result<Published> publish_new(const Publishing& job, StagedName& staged) {
  if (const Status step = job.disks.step("publish"); !step) return Unexpected(step.error());
  FileSystem& files = job.disks.files;
  // Nothing can be made in a directory that was removed meanwhile.
  if (!files.is_directory(job.place.directory) || files.at(job.place.directory).links == 0)
    return fail(ErrorCode::kNotFound, "publish " + display(job.path));
  if (files.find(job.place.directory, job.place.name) != 0) return kChanged;
  files.rename(staged.at, job.place);
  note_published(job, 0, staged.inode);
  return published(job, staged);
}

void ready_to_swap(const Publishing& job, StagedName& staged, const NameIn& swap) {
  job.disks.files.rename(staged.at, swap);
  staged.at = swap;
}

Result<Published> replace_file(const Publishing& job, const DiskState& old, StagedName& staged) {
  Disks& disks = job.disks;
  if (disks.has_writer(old.inode)) return kBusy;
  if (const Status step = disks.step("keep"); !step) return Unexpected(step.error());
  Keeping keeping(job);
  const auto prepared = keeping.prepare(old.inode);
  if (!prepared) return Unexpected(prepared.error());
  if (!*prepared) return kChanged;
  const NameIn swap = swap_name(disks, job.keep ? *job.keep : disks.fresh_id(), staged.inode);
  ready_to_swap(job, staged, swap);
  if (const Status step = disks.step("exchange"); !step) return Unexpected(step.error());
  if (disks.files.find(job.place.directory, job.place.name) == 0) return kChanged;
  disks.files.exchange(swap, job.place);
  staged.published = true;  // its name is another's now
  const Inode came_out = disks.files.find(swap.directory, swap.name);
  note_published(job, came_out, staged.inode);
  if (!disks.life->step()) return fail(ErrorCode::kIo, "the machine is off");
  const PublishOutcome outcome = judge(job, old, came_out, keeping);
  if (outcome != PublishOutcome::kDone) {
    put_back_exchanged(job, swap, staged);
    return Published{outcome, {}, false};
  }
  Published done = published(job, staged);
  if (!disks.life->step()) return fail(ErrorCode::kIo, "the machine is off");
  done.kept = keeping.finish(swap);
  return done;
}

Unexpected fail_not_empty(const RelPath& path, const std::string& name) {
  return fail(ErrorCode::kExists,
              display(path) + " holds \"" + name + "\", which is not replicated: move it away");
}

Status check_disposable(Disks& disks, const RelPath& path, Inode directory,
                        const Disk::Disposable& disposable) {
  for (const auto& [name, inode] : disks.files.at(directory).names) {
    const auto below = path.child(name);
    if (!below || !disposable(*below, disks.files.at(inode).type))
      return fail_not_empty(path, name);
    if (!disks.files.is_directory(inode)) continue;
    if (const Status checked = check_disposable(disks, *below, inode, disposable); !checked)
      return checked;
  }
  return {};
}

Status remove_disposable(Disks& disks, const RelPath& path, Inode directory,
                         const Disk::Disposable& disposable) {
  const auto names = disks.files.at(directory).names;
  for (const auto& [name, inode] : names) {
    if (const Status step = disks.step("remove"); !step) return step;
    if (disks.files.find(directory, name) != inode) continue;
    const auto below = path.child(name);
    if (!below || !disposable(*below, disks.files.at(inode).type))
      return fail_not_empty(path, name);
    if (disks.files.is_directory(inode)) {
      if (const Status done = remove_disposable(disks, *below, inode, disposable); !done)
        return done;
      if (!disks.files.at(inode).names.empty()) return fail_not_empty(*below, "something new");
    }
    disks.files.unlink({directory, name});
  }
  return {};
}

Result<Published> replace_directory(const Publishing& job, const DiskState& old, StagedName& staged,
                                    const Disk::Disposable& disposable) {
  Disks& disks = job.disks;
  if (const Status checked = check_disposable(disks, job.path, old.inode, disposable); !checked)
    return Unexpected(checked.error());
  if (const Status done = remove_disposable(disks, job.path, old.inode, disposable); !done)
    return Unexpected(done.error());
  if (const Status step = disks.step("make durable"); !step) return Unexpected(step.error());
  disks.files.sync(old.inode);
  const NameIn swap = swap_name(disks, disks.fresh_id(), staged.inode);
  ready_to_swap(job, staged, swap);
  if (const Status step = disks.step("exchange"); !step) return Unexpected(step.error());
  if (disks.files.find(job.place.directory, job.place.name) == 0) return kChanged;
  disks.files.exchange(swap, job.place);
  staged.published = true;
  const Inode out = disks.files.find(swap.directory, swap.name);
  note_published(job, out, staged.inode);
  if (!disks.life->step()) return fail(ErrorCode::kIo, "the machine is off");
  if (out != old.inode) {
    put_back_exchanged(job, swap, staged);
    return kChanged;
  }
  if (!disks.files.at(out).names.empty()) {
    put_back_exchanged(job, swap, staged);
    return fail_not_empty(job.path, "something new");
  }
  disks.files.unlink(swap);
  return published(job, staged);
}

}  // namespace

Result<Published> publish_staged(const Publishing& job, const Disk::Expected& expected,
                                 StagedName& staged, const Disk::Disposable& disposable) {
  FileSystem& files = job.disks.files;
  const Inode inode = files.find(job.place.directory, job.place.name);
  const bool heedless = job.disks.faults.expects_nothing;
  if (staged.linked && job.disks.has_writer(staged.inode)) return kBusy;
  if (staged.linked && !matches_but_for_ctime(staged.made, files.state(staged.inode)))
    return kChanged;
  if (!heedless && (inode != 0) != expected.has_value()) return kChanged;
  if (inode == 0) return publish_new(job, staged);
  const DiskState old = files.state(inode);
  if (!heedless && !matches(*expected, old)) return kChanged;
  if (old.type == FileType::kSpecial) return fail(ErrorCode::kExists, "never replaced");
  if (old.type != FileType::kDirectory) return replace_file(job, old, staged);
  if (files.at(staged.inode).type != FileType::kDirectory)
    return replace_directory(job, old, staged, disposable);
  job.disks.give(inode, staged.owner);
  files.set_mode(inode, files.at(staged.inode).mode);
  return Published{PublishOutcome::kDone, files.state(inode), false};
}

Result<Published> remove_file(const Publishing& job, const DiskState& expected) {
  Disks& disks = job.disks;
  FileSystem& files = disks.files;
  const Inode inode = files.find(job.place.directory, job.place.name);
  if (inode == 0) return kChanged;
  const DiskState old = files.state(inode);
  if (!disks.faults.expects_nothing && !matches(expected, old)) return kChanged;
  if (old.type == FileType::kDirectory || old.type == FileType::kSpecial)
    return fail(ErrorCode::kInvalid, "remove " + display(job.path) + ": neither file nor symlink");
  if (disks.has_writer(inode)) return kBusy;
  Keeping keeping(job);
  const auto prepared = keeping.prepare(inode);
  if (!prepared) return Unexpected(prepared.error());
  if (!*prepared) return kChanged;
  if (const Status step = disks.step("move out"); !step) return Unexpected(step.error());
  const NameIn out = swap_name(disks, job.keep ? *job.keep : disks.fresh_id(), 0);
  const Inode came_out = files.find(job.place.directory, job.place.name);
  if (came_out == 0) return kChanged;
  files.rename(job.place, out);
  note_published(job, came_out, 0);
  if (!disks.life->step()) return fail(ErrorCode::kIo, "the machine is off");
  const PublishOutcome outcome = judge(job, old, came_out, keeping);
  if (outcome != PublishOutcome::kDone) {
    put_back_moved(job, out);
    return Published{outcome, {}, false};
  }
  if (!disks.life->step()) return fail(ErrorCode::kIo, "the machine is off");
  return Published{PublishOutcome::kDone, {}, keeping.finish(out)};
}

Result<Published> remove_tree(Disks& disks, const RelPath& path, const NameIn& place,
                              const Disk::Disposable& disposable) {
  const Inode inode = disks.files.find(place.directory, place.name);
  if (inode == 0 || !disks.files.is_directory(inode)) return kChanged;
  if (const Status checked = check_disposable(disks, path, inode, disposable); !checked)
    return Unexpected(checked.error());
  if (const Status done = remove_disposable(disks, path, inode, disposable); !done)
    return Unexpected(done.error());
  if (const Status step = disks.step("remove the directory"); !step)
    return Unexpected(step.error());
  if (disks.files.find(place.directory, place.name) != inode) return kChanged;
  if (!disks.files.at(inode).names.empty()) return fail_not_empty(path, "something new");
  disks.files.unlink(place);
  return Published{PublishOutcome::kDone, {}, false};
}

void clear_staging(Disks& disks) {
  FileSystem& files = disks.files;
  const Inode staging = disks.staging();
  const auto names = files.at(staging).names;
  for (const auto& [name, inode] : names) {
    const NameIn at{staging, name};
    if (!files.at(inode).names.empty()) continue;  // stays, with a warning
    const bool is_swap = name.size() > kKeptIdBytes + 1 && name[kKeptIdBytes] == '.';
    if (!is_swap || files.is_directory(inode) ||
        name.substr(kKeptIdBytes + 1) == std::to_string(inode)) {
      files.unlink(at);
      continue;
    }
    KeptId id{name.substr(0, kKeptIdBytes)};
    const Stored& stored = files.at(inode);
    const bool was_to_go = files.find(disks.versions(), id.value + std::string(kLabel)) == 0;
    if (stored.links > 1 || (stored.type == FileType::kSymlink && was_to_go)) {
      files.unlink(at);
      continue;
    }
    const Inode kept = files.find(disks.versions(), id.value);
    if (kept != 0 && *files.at(kept).bytes == *files.at(inode).bytes) {
      files.unlink(at);
      continue;
    }
    if (kept != 0) id = disks.fresh_id();
    files.rename(at, {disks.versions(), id.value});
  }
  const auto kept = files.at(disks.versions()).names;
  for (const auto& [name, inode] : kept) {
    const bool is_stray =
        name.ends_with(kLabel) && !kept.contains(name.substr(0, name.size() - kLabel.size()));
    if (name.ends_with(".copy") || is_stray) files.unlink({disks.versions(), name});
  }
}

}  // namespace dagsync::sim
