// Version vectors and knowledge as text: "3:17,4:2" and "3:1-17,19-20 4:1-2", where 3 and 4 are
// numbers of authors. Readable for an admin, and half as long as the names would be.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dagsync/core/knowledge.h"
#include "dagsync/core/version_vector.h"
#include "store/authors.h"

namespace dagsync {

[[nodiscard]] Result<std::string> to_text(const VersionVector& vector, Authors& authors);
[[nodiscard]] Result<std::string> to_text(const Knowledge& knowledge, Authors& authors);

// None: not what to_text() wrote. Authors of whom nothing is known are not in the text.
[[nodiscard]] std::optional<VersionVector> vector_from_text(std::string_view text,
                                                            const Authors& authors);
[[nodiscard]] std::optional<Knowledge> knowledge_from_text(std::string_view text,
                                                           const Authors& authors);

}  // namespace dagsync
