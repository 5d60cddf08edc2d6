// The log as systemd's journal has it: with priorities, and with fields to ask for.
#pragma once

#include <string>
#include <string_view>

#include "dagsync/base/log.h"

namespace dagsync {

// Whether `stream`, the value of JOURNAL_STREAM, says that `fd` leads into the journal.
[[nodiscard]] bool is_journal(std::string_view stream, int fd);

// Where standard error leads into the journal, lines go there with PRIORITY=, and FOLDER=, PATH=
// and PEER= of what they are about; `journalctl -u dagsync PEER=node2` finds them. At the start.
void log_to_journal();

}  // namespace dagsync
