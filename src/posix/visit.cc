#include "posix/visit.h"

#include "dagsync/base/assert.h"

namespace dagsync {
namespace {

thread_local PosixVisit* visiting = nullptr;

}  // namespace

PosixVisit::PosixVisit(const FolderRoot& root) : root_(root) {
  DAGSYNC_ASSERT(visiting == nullptr);
  visiting = this;
}

PosixVisit::~PosixVisit() {
  visiting = nullptr;
}

PosixVisit* PosixVisit::current(const FolderRoot& root) {
  return visiting != nullptr && &visiting->root_ == &root ? visiting : nullptr;
}

Result<FolderRoot::Opened> PosixVisit::open_root() {
  const Clock::time_point now = Clock::now();
  if (opened_ && now - opened_at_ < kLongest) return *opened_;
  directory_.reset();
  opened_.reset();
  auto opened = root_.open();
  if (!opened) return opened;
  opened_at_ = now;
  opened_ = *opened;
  return opened;
}

Sys<Place> PosixVisit::place_of(const FolderRoot::Opened& root, const RelPath& path) {
  RelPath parent = path.parent();
  if (directory_ && parent == path_) return Place{directory_, std::string(path.name())};
  auto place = dagsync::place_of(root.fd->get(), path);
  if (!place) return place;
  directory_ = place->directory;
  path_ = std::move(parent);
  return place;
}

}  // namespace dagsync
