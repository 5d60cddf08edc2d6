// What survives: counted by the syncs that SQLite asks for, which this program sees because it
// defines fdatasync() itself, and tried by ending a process in the middle.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <cerrno>
#include <fstream>

#include "store/samples.h"

namespace {

int g_syncs = 0;
bool g_syncs_fail = false;

}  // namespace

extern "C" int fdatasync(int fd) {
  ++g_syncs;
  if (g_syncs_fail) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

namespace dagsync {
namespace {

// How often a commit waits for the disk.
int syncs_of(SqliteStore& store, const Transaction& transaction, Durability durability) {
  const int before = g_syncs;
  commit(store, transaction, durability);
  return g_syncs - before;
}

TEST_CASE("a durable commit waits for the disk, a lazy one does not") {
  const StateDirectory state;
  const auto store = state.open();
  commit(*store, many_entries(1), Durability::kDurable);  // the log's first sync has its header too
  CHECK(syncs_of(*store, many_entries(2), Durability::kLazy) == 0);
  CHECK(syncs_of(*store, many_entries(2), Durability::kDurable) == 1);
  CHECK(syncs_of(*store, many_entries(3), Durability::kLazy) == 0);
}

TEST_CASE("a durable commit of nothing new makes the lazy ones before it durable") {
  const StateDirectory state;
  const auto store = state.open();
  commit(*store, many_entries(1), Durability::kDurable);
  commit(*store, many_entries(5), Durability::kLazy);
  CHECK(syncs_of(*store, {}, Durability::kDurable) == 1);
  CHECK(syncs_of(*store, many_entries(5), Durability::kDurable) == 1);  // equal rows
  CHECK(syncs_of(*store, {{Transaction::DropEntry{rel("unknown")}}}, Durability::kDurable) == 1);
}

// 0: its last process stopped in order, and SQLite removed it.
std::uintmax_t log_size(const StateDirectory& state) {
  std::error_code none;
  const auto size = std::filesystem::file_size(state.path() / "index.db-wal", none);
  return none ? 0 : size;
}

// The same until a checkpoint after which the log begins anew
// (https://www.sqlite.org/fileformat2.html#walformat).
std::string salt_of_log(const StateDirectory& state) {
  std::ifstream log(state.path() / "index.db-wal", std::ios::binary);
  std::string head(24, '\0');
  log.read(head.data(), static_cast<std::streamsize>(head.size()));
  return head.substr(16);
}

TEST_CASE("commits find the log as long as they make it, also after a checkpoint") {
  const StateDirectory state;
  const auto store = state.open();
  const std::uintmax_t before = log_size(state);
  CHECK(before > 4 << 20);
  commit(*store, many_entries(1));
  const std::string first_round = salt_of_log(state);
  for (int i = 0; salt_of_log(state) == first_round && i < 10'000; ++i)
    commit(*store, many_entries(1 + i % 9), Durability::kLazy);
  CHECK(salt_of_log(state) != first_round);
  CHECK(log_size(state) == before);
}

// As its process left it, if that was killed then.
void copy_files(const StateDirectory& from, const StateDirectory& to) {
  std::filesystem::create_directories(to.path().parent_path());
  std::filesystem::copy(from.path(), to.path());
}

TEST_CASE("the log is read to its end, though zeroes follow, and lengthened again") {
  const StateDirectory state;
  const StateDirectory killed;
  const auto store = state.open();
  commit(*store, many_entries(7));
  copy_files(state, killed);
  // Cut behind the last commit, as a log without such zeroes is.
  const auto log = killed.path() / "index.db-wal";
  std::filesystem::resize_file(log, std::filesystem::file_size(log) / 2);
  {
    const auto again = killed.open();
    CHECK(log_size(killed) > 4 << 20);
    CHECK(again->load()->entries.size() == 7);
    commit(*again, many_entries(8));
  }
  CHECK(killed.load().entries.size() == 8);
}

TEST_CASE("after a sync that failed no commit succeeds until the index is opened again") {
  const StateDirectory state;
  {
    const auto store = state.open();
    commit(*store, many_entries(1), Durability::kDurable);
    g_syncs_fail = true;
    const Status failed = store->commit(many_entries(2), Durability::kDurable);
    g_syncs_fail = false;
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().code == ErrorCode::kIo);
    const Status next = store->commit(many_entries(3), Durability::kLazy);
    REQUIRE_FALSE(next.has_value());
    CHECK(next.error().code == ErrorCode::kIo);
  }
  commit(*state.open(), many_entries(3), Durability::kDurable);
  CHECK(state.load().entries.size() == 3);
}

TEST_CASE("a transaction that fails leaves nothing, and the next one is whole") {
  const StateDirectory state;
  auto store = state.open();
  commit(*store, many_entries(10));
  FolderMeta meta = sample_meta();  // brings authors that are new
  Transaction transaction = many_entries(3000);
  transaction.writes.insert(transaction.writes.begin(), Transaction::PutMeta{meta});

  // No file may grow over a limit: a stand-in for a full disk.
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{200'000, old.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
  const Status failed = store->commit(transaction, Durability::kLazy);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
  std::signal(SIGXFSZ, handler);

  REQUIRE_FALSE(failed.has_value());
  CHECK(store->load()->entries.size() == 10);
  CHECK(store->load()->meta == FolderMeta{});
  commit(*store, {{Transaction::PutMeta{meta}}});
  store.reset();
  store = state.open();
  CHECK(store->load()->meta == meta);
  commit(*store, transaction);
  CHECK(store->load()->entries.size() == 3000);
}

TEST_CASE("a process that is killed leaves whole transactions, and all that it knew to be done") {
  const StateDirectory state;
  int done[2];
  REQUIRE(::pipe(done) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto store = SqliteStore::open(state.path().string());
    for (Sequence i = 1; store; ++i) {
      const IndexEntry entry = sample_entry("x", i);
      const Transaction both{
          {Transaction::PutEntry{rel("a"), entry}, Transaction::PutEntry{rel("b"), entry}}};
      const auto durability = i % 8 == 0 ? Durability::kDurable : Durability::kLazy;
      if (!(*store)->commit(both, durability)) break;
      if (::write(done[1], &i, sizeof i) != sizeof i) break;
    }
    ::_exit(1);
  }
  ::close(done[1]);
  Sequence last = 0;
  while (last < 300)
    REQUIRE(::read(done[0], &last, sizeof last) == sizeof last);
  REQUIRE(::kill(child, SIGKILL) == 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  for (Sequence more = 0; ::read(done[0], &more, sizeof more) == sizeof more;)
    last = more;
  ::close(done[0]);

  const FolderImage image = state.load();
  CHECK(image.set_aside.empty());
  REQUIRE(image.entries.size() == 2);
  CHECK(image.entries[0].second == image.entries[1].second);
  CHECK(image.entries[0].second.id.sequence >= last);
}

}  // namespace
}  // namespace dagsync
