#include "dagsync/engine/publish/bytecode.h"

#include <array>
#include <cstring>
#include <string>

namespace dagsync {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
// PEP 552: magic, flags, then the source's time and size, or its hash; little-endian.
constexpr std::size_t kHeaderBytes = 16;

std::uint32_t word_at(const std::array<char, kHeaderBytes>& header, std::size_t offset) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(header[offset + i]);
  return value;
}

}  // namespace

void StaleBytecode::drop(const RelPath& path, const Content& content,
                         const std::optional<Content>& old) {
  if (content.kind != Kind::kFile || !path.name().ends_with(".py")) return;
  // Mostly time or size tell it from what stood there, and nobody has to look. Where nothing stood
  // there, something may have before that.
  const bool was_file = old && old->kind == Kind::kFile;
  const bool looks_other =
      was_file &&
      (old->size != content.size || old->mtime.value / kSecond != content.mtime.value / kSecond);
  const auto cache = path.parent().child("__pycache__");
  if (looks_other || !cache) return;
  const std::string_view name = path.name();
  const std::string stem(name.substr(0, name.size() - 2));  // with its dot
  for (const Disk::Listed& entry : listing(*cache)) {
    const bool is_compiled = entry.state.type == FileType::kFile && entry.name.starts_with(stem) &&
                             entry.name.ends_with(".pyc");
    const auto compiled = is_compiled ? cache->child(entry.name) : Result<RelPath>(RelPath());
    if (!compiled || compiled->is_root() || !claims(*compiled, content)) continue;
    (void)disk_.remove(*compiled, entry.state, std::nullopt);
  }
}

const std::vector<Disk::Listed>& StaleBytecode::listing(const RelPath& cache) {
  const auto [it, is_new] = listings_.try_emplace(cache);
  if (is_new) {
    if (auto listed = disk_.list(cache)) it->second = std::move(*listed);
  }
  return it->second;
}

// Whether Python would take it for what it made of this content.
bool StaleBytecode::claims(const RelPath& compiled, const Content& content) {
  auto file = disk_.open(compiled);
  if (!file) return false;
  std::array<char, kHeaderBytes> header{};
  const auto got = (*file)->read(0, header);
  if (!got || *got != header.size()) return false;
  const bool by_hash = word_at(header, 4) != 0;
  const auto seconds = static_cast<std::uint32_t>(content.mtime.value / kSecond);
  return !by_hash && word_at(header, 8) == seconds &&
         word_at(header, 12) == static_cast<std::uint32_t>(content.size);
}

}  // namespace dagsync
