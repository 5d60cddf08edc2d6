// The words that stand in rows for enumerations.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "dagsync/ports/store.h"

namespace dagsync {

inline constexpr int kDiskColumns = 9;  // from disk_type to disk_racy

template <typename E>
struct Named {
  E value;
  std::string_view name;
};

inline constexpr std::array<Named<Kind>, 4> kKindNames = {{{Kind::kTombstone, "deleted"},
                                                           {Kind::kDirectory, "directory"},
                                                           {Kind::kFile, "file"},
                                                           {Kind::kSymlink, "symlink"}}};
inline constexpr std::array<Named<FileType>, 4> kFileTypeNames = {
    {{FileType::kDirectory, "directory"},
     {FileType::kFile, "file"},
     {FileType::kSymlink, "symlink"},
     {FileType::kSpecial, "special"}}};
inline constexpr std::array<Named<KeptVersion::Reason>, 3> kReasonNames = {
    {{KeptVersion::Reason::kConflict, "conflict"},
     {KeptVersion::Reason::kReplaced, "replaced"},
     {KeptVersion::Reason::kDeleted, "deleted"}}};

template <typename E, std::size_t n>
[[nodiscard]] constexpr std::string_view name_of(const std::array<Named<E>, n>& names, E value) {
  for (const auto& named : names)
    if (named.value == value) return named.name;
  return {};
}

template <typename E, std::size_t n>
[[nodiscard]] constexpr std::optional<E> value_of(const std::array<Named<E>, n>& names,
                                                  std::string_view name) {
  for (const auto& named : names)
    if (named.name == name) return named.value;
  return std::nullopt;
}

}  // namespace dagsync
