#include "dagsync/core/record.h"

#include <doctest/doctest.h>

#include "core/record_samples.h"

using namespace dagsync;

TEST_CASE("the same bytes are the same kind with the same digest or target") {
  CHECK(same_bytes(file_content("a", 1), file_content("a", 2)));
  CHECK_FALSE(same_bytes(file_content("a", 1), file_content("b", 1)));
  CHECK(same_bytes(symlink_content("t", 1), symlink_content("t", 2)));
  CHECK_FALSE(same_bytes(symlink_content("t", 1), symlink_content("u", 1)));
  CHECK(same_bytes(directory_content(0700), directory_content(0755)));
  CHECK(same_bytes(Content{}, Content{}));
  Content owned = file_content("x", 1);
  owned.owner = "a:b";
  CHECK(same_bytes(owned, file_content("x", 1)));
  CHECK(owned != file_content("x", 1));
  CHECK_FALSE(same_bytes(Content{}, directory_content(0)));
}

TEST_CASE("a file is unchanged only where nothing that a write moves has moved") {
  DiskState then;
  then.device = 1;
  then.inode = 2;
  then.size = 3;
  then.mtime = {4};
  then.ctime = {5};
  then.mode = 0644;
  then.links = 1;
  CHECK(is_unchanged(then, then));
  const auto with = [&](auto change) {
    DiskState now = then;
    change(now);
    return now;
  };
  CHECK_FALSE(is_unchanged(then, with([](DiskState& now) { now.inode = 9; })));
  CHECK_FALSE(is_unchanged(then, with([](DiskState& now) { now.size = 9; })));
  CHECK_FALSE(is_unchanged(then, with([](DiskState& now) { now.mtime = {9}; })));
  CHECK_FALSE(is_unchanged(then, with([](DiskState& now) { now.ctime = {9}; })));
  CHECK_FALSE(is_unchanged(then, with([](DiskState& now) { now.mode = 0755; })));
  CHECK_FALSE(is_unchanged(then, with([](DiskState& now) { now.type = FileType::kSymlink; })));
  CHECK(is_unchanged(then, with([](DiskState& now) { now.device = 9; })));  // after a boot
}

TEST_CASE("another owner is a change, but where one of the two looks did not tell") {
  for (const FileType type : {FileType::kFile, FileType::kDirectory}) {
    DiskState then;
    then.type = type;
    DiskState now = then;
    now.user = 7;
    now.group = 8;
    CHECK(is_unchanged(then, now));
    CHECK(is_unchanged(now, then));
    then.user = 7;
    then.group = 9;
    CHECK_FALSE(is_unchanged(then, now));
    then.group = 8;
    CHECK(is_unchanged(then, now));
    then.user = 0;
    CHECK_FALSE(is_unchanged(then, now));
  }
}

TEST_CASE("an owner is two names of bounded length, divided by the only colon") {
  const std::string longest(256, 'x');
  for (const std::string& good :
       {std::string("a:b"), std::string("1000:0"), std::string("DOM\\user name:\xC3\xA4@d"),
        longest + ":" + longest})
    CHECK(is_owner(good));
  for (const std::string& bad :
       {std::string(), std::string("a"), std::string(":"), std::string("a:"), std::string(":b"),
        std::string("a:b:c"), std::string("a/b:c"), std::string("a:b/"), std::string("a\0:b", 4),
        longest + "x:b", "a:x" + longest})
    CHECK_FALSE(is_owner(bad));
}

TEST_CASE("a file that was looked at within the clock's tick of its mtime is read again") {
  DiskState then;
  then.racy = true;
  CHECK_FALSE(is_unchanged(then, then));
}

TEST_CASE("of a directory only the mode and the owner count") {
  DiskState then;
  then.type = FileType::kDirectory;
  then.mode = 0755;
  DiskState now = then;
  now.mtime = {7};
  now.ctime = {8};
  now.size = 9;
  CHECK(is_unchanged(then, now));
  now.mode = 0700;
  CHECK_FALSE(is_unchanged(then, now));
}

TEST_CASE("what has come back is older than its absence, or what stood there before it") {
  DiskState before;
  before.inode = 2;
  before.ctime = {500};
  const auto showing = [](std::uint64_t inode, std::int64_t ctime) {
    DiskState now;
    now.inode = inode;
    now.ctime = {ctime};
    return now;
  };
  CHECK(has_come_back(seen_gone({600}, before), before));
  CHECK(has_come_back(seen_gone({600}, {}), showing(9, 600)));
  CHECK_FALSE(has_come_back(seen_gone({600}, before), showing(9, 601)));
  // The clock was set back between the edit and the delete.
  CHECK(has_come_back(seen_gone({400}, before), before));
  CHECK_FALSE(has_come_back(seen_gone({400}, before), showing(2, 501)));  // renamed there since
  CHECK_FALSE(has_come_back(seen_gone({400}, before), showing(9, 500)));
  CHECK_FALSE(has_come_back(seen_gone({400}, {}), before));
}
