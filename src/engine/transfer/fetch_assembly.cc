#include "fetch_assembly.h"

#include <utility>

#include "dagsync/wire/framing.h"

namespace dagsync {

Status Assembly::take(std::string_view piece) {
  size += piece.size();
  if (size > most) return fail(ErrorCode::kCorrupt, "more came than was announced");
  digest.update(piece);
  return staged->append(piece);
}

std::function<Status(std::string_view)> Assembly::sink() {
  return [this](std::string_view piece) { return take(piece); };
}

Status digest_pieces(Assembly& assembly, const std::vector<Chunk>& pieces) {
  for (const Chunk& piece : pieces) {
    std::string plain;
    if (piece.compressed) {
      auto decompressed = decompress_chunk(piece.bytes);
      if (!decompressed) return Unexpected(decompressed.error());
      plain = std::move(*decompressed);
    }
    const std::string_view bytes = piece.compressed ? plain : piece.bytes;
    const Status taken =
        assembly.patcher ? assembly.patcher->update(bytes, assembly.sink()) : assembly.take(bytes);
    if (!taken) return taken;
  }
  return {};
}

Result<std::unique_ptr<Staged>> complete(Assembly& assembly, const Content& content) {
  if (assembly.patcher) {
    if (const Status done = assembly.patcher->finish(assembly.sink()); !done) {
      return Unexpected(done.error());
    }
  }
  if (assembly.size != content.size || assembly.digest.finish() != content.digest) {
    return fail(ErrorCode::kCorrupt, "what came is not what was announced");
  }
  if (const Status done = assembly.staged->finish(attributes_of(content)); !done) {
    return Unexpected(done.error());
  }
  return std::unique_ptr<Staged>(std::move(assembly.staged));
}

}  // namespace dagsync
