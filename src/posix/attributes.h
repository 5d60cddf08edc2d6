// Sets what of a thing is no content, in place.
#pragma once

#include "posix/owners.h"
#include "posix/publishing.h"

namespace dagsync {

// As Disk::set_attributes.
[[nodiscard]] Result<Published> set_attributes_at(const RelPath& path, const Place& place,
                                                  const DiskState& expected,
                                                  const Attributes& attributes, Owners& owners);

}  // namespace dagsync
