// The rows of an index, read as a whole and written one by one. One thread at a time.
#pragma once

#include "dagsync/ports/store.h"
#include "store/authors.h"
#include "store/database.h"

namespace dagsync {

// Everything that is stored; kCorrupt where a row cannot be what was written.
[[nodiscard]] Result<FolderImage> read_image(Database& database, const Authors& authors);

// Within a transaction.
[[nodiscard]] Status apply(Database& database, Authors& authors, const Transaction::Write& write);

}  // namespace dagsync
