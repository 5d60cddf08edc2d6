// The tables of an index, their versions, and the settings of the connection to them.
#pragma once

#include <string>

#include "dagsync/base/result.h"
#include "store/database.h"

namespace dagsync {

// Takes the opened database for this process alone and brings its tables to the version that this
// program knows; an empty database gets them. kRefused: a newer version, or not dagsync's at all.
[[nodiscard]] Status set_up(Database& database, const std::string& file);

}  // namespace dagsync
