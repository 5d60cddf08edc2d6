#include "dagsync/engine/transfer/local_content.h"

#include "dagsync/delta/delta.h"

namespace dagsync {
namespace {

// Hashed as it is copied: the source may have changed since the index saw it.
Result<std::unique_ptr<StagedFile>> copy_of(Disk& disk, const LocalSource& source,
                                            const Content& content) {
  auto file = disk.open(source.path);
  if (!file) return Unexpected(file.error());
  auto staged = disk.stage_file(content.size);
  if (!staged) return staged;
  DigestStream digest;
  std::uint64_t size = 0;
  const auto copied = (*file)->read_all([&](std::string_view piece) -> Status {
    digest.update(piece);
    size += piece.size();
    if (size > content.size) return fail(ErrorCode::kUnavailable, "the file has grown");
    return (*staged)->append(piece);
  });
  if (!copied) return Unexpected(copied.error());
  if (size != content.size || digest.finish() != content.digest) {
    return fail(ErrorCode::kUnavailable, display(source.path) + " has changed meanwhile");
  }
  if (const Status done = (*staged)->finish(attributes_of(content)); !done) {
    return Unexpected(done.error());
  }
  return staged;
}

bool is_no_space(const Error& error) {
  return error.code == ErrorCode::kNoSpace;
}

}  // namespace

Result<LocalContent> copy_local(Disk& disk, const std::vector<LocalSource>& sources,
                                const Content& content) {
  for (const LocalSource& source : sources) {
    const bool same_attributes = source.state.mode == content.mode &&
                                 source.state.mtime == content.mtime &&
                                 source.owner == content.owner;
    if (!source.may_link || !same_attributes || source.state.links != 1) continue;
    auto staged = disk.stage_link(source.path, source.state);
    if (staged) return LocalContent{std::move(*staged), source.path};
  }
  for (const LocalSource& source : sources) {
    auto staged = copy_of(disk, source, content);
    if (staged) return LocalContent{std::move(*staged), std::nullopt};
    if (is_no_space(staged.error())) return Unexpected(staged.error());
  }
  return LocalContent{};
}

Result<std::unique_ptr<StagedFile>> patch_local(Disk& disk, const std::vector<LocalSource>& bases,
                                                std::string_view delta, const Content& content) {
  for (const LocalSource& basis : bases) {
    auto file = disk.open(basis.path);
    if (!file) continue;
    auto staged = disk.stage_file(content.size);
    if (!staged) return staged;
    DigestStream digest;
    const auto out = [&](std::string_view piece) -> Status {
      digest.update(piece);
      return (*staged)->append(piece);
    };
    Patcher patcher(
        [&](std::uint64_t offset, std::span<char> buffer) { return (*file)->read(offset, buffer); },
        content.size);
    Status patched = patcher.update(delta, out);
    if (patched) patched = patcher.finish(out);
    if (!patched) {
      if (is_no_space(patched.error())) return Unexpected(patched.error());
      continue;
    }
    if (digest.finish() != content.digest) continue;
    if (const Status done = (*staged)->finish(attributes_of(content)); !done) {
      return Unexpected(done.error());
    }
    return staged;
  }
  return fail(ErrorCode::kNotFound, "no file here is the basis of the delta");
}

Result<std::string> signature_of(Disk& disk, const RelPath& path) {
  auto file = disk.open(path);
  if (!file) return Unexpected(file.error());
  const auto state = (*file)->state();
  if (!state) return Unexpected(state.error());
  if (state->size < kWholeBelow) return std::string();
  SignatureBuilder builder(choose_shape(state->size));
  const auto read =
      (*file)->read_all([&](std::string_view piece) { return builder.update(piece); });
  if (!read) return Unexpected(read.error());
  return builder.finish();
}

}  // namespace dagsync
