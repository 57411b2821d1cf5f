// What is particular to the SQLite engine: durability, faults, formats, groups.
#include "wolke/store/sqlite_store.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "wolke/base/text.h"
#include "wolke/sim/faulty_disk.h"
#include "wolke/sim/manual_clock.h"
#include "wolke/store/counter.h"
#include "wolke/store/engines_for_test.h"
#include "wolke/store/keys.h"

namespace wolke::store {
namespace {

constexpr const char* database = "/data/store/records.db";
constexpr const char* log = "/data/store/records.db-wal";

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteStoreTest() { open(); }

  Result<void> try_open() {
    store_.reset();
    TRY(store_,
        SqliteStore::open(
            env_, {.directory = "/data/store", .lock_note = "", .reserve_bytes = reserve_bytes_},
            testing_));
    return {};
  }
  void open() {
    const auto opened = try_open();
    ASSERT_TRUE(opened) << opened.error().code << " " << opened.error().message;
  }
  CommitResult put(std::string key, std::string value) {
    return commit_and_wait(*store_, {.puts = {{{0, std::move(key)}, std::move(value)}}});
  }
  std::string get(std::string key) {
    auto snapshot = store_->snapshot();
    if (!snapshot) return snapshot.error().code;
    auto record = (*snapshot)->get({0, std::move(key)});
    if (!record) return record.error().code;
    return *record ? (*record)->value : "(none)";
  }

  sim::FaultyDisk disk_{7};
  sim::ManualClock clock_;
  sim::SeededRandom random_{8};
  Env env_{clock_, random_, disk_};
  SqliteTesting testing_{
      .pace = WriterPace::in_caller, .locking = DirectoryLocking::none, .bugs = {}};
  std::uint64_t reserve_bytes_ = 0;
  std::unique_ptr<SqliteStore> store_;
};

TEST_F(SqliteStoreTest, AcknowledgedRecordsSurvivePowerCuts) {
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(put(std::to_string(i), "v").status, CommitStatus::committed);
    if (i % 5 == 0) {
      disk_.power_cut();
      open();
    }
  }
  for (int i = 0; i < 50; ++i) EXPECT_EQ(get(std::to_string(i)), "v");
}

TEST_F(SqliteStoreTest, VersionsGoOnAfterARestart) {
  const Version before = put("a", "1").version;
  open();
  EXPECT_EQ(put("b", "2").version, before + 1);
}

TEST_F(SqliteStoreTest, AGroupSharesOneSync) {
  int committed = 0;
  store_->hold();
  for (int i = 0; i < 50; ++i) {
    store_->commit({.puts = {{{0, std::to_string(i)}, "v"}}},
                   [&](CommitResult r) { committed += r.status == CommitStatus::committed; });
  }
  const std::uint64_t before = disk_.syncs();
  store_->release();
  EXPECT_EQ(committed, 50);
  EXPECT_EQ(disk_.syncs() - before, 1U);
}

TEST_F(SqliteStoreTest, AConflictInAGroupDropsOnlyItsOwnBatch) {
  std::vector<CommitStatus> statuses;
  const auto note = [&](CommitResult r) { statuses.push_back(r.status); };
  store_->hold();
  store_->commit({.checks = {{{0, "k"}, 0}}, .puts = {{{0, "k"}, "first"}}}, note);
  store_->commit({.checks = {{{0, "k"}, 0}}, .puts = {{{0, "k"}, "second"}}}, note);
  store_->commit({.puts = {{{0, "other"}, "third"}}}, note);
  store_->release();
  EXPECT_EQ(statuses, (std::vector{CommitStatus::committed, CommitStatus::conflict,
                                   CommitStatus::committed}));
  EXPECT_EQ(get("k"), "first");
  EXPECT_EQ(get("other"), "third");
}

TEST_F(SqliteStoreTest, ARefusedBatchDoesNotComeBackWithAGroupThatFailed) {
  int refused = 0;
  for (std::uint64_t round = 0; round < 200; ++round) {
    const std::string k = fmt::format("k{}", round);
    const std::string b = fmt::format("b{}", round);
    const Version before = put("x", "x").version;
    std::vector<CommitResult> results;
    const auto note = [&](CommitResult r) { results.push_back(std::move(r)); };
    // The group's last write fails though it happened; so does the next one, of the first batch
    // alone.
    const std::uint64_t n = 1 + round % 8;
    disk_.fail_call(n, sim::Fault::io_error, sim::Call::write);
    disk_.fail_call(n + 1, sim::Fault::io_error, sim::Call::write);
    store_->hold();
    store_->commit({.puts = {{{0, k}, "v"}}}, note);
    store_->commit({.checks = {{{0, k}, before + 1}}, .puts = {{{0, b}, "v"}}}, note);
    store_->release();
    ASSERT_EQ(results.size(), 2U);
    disk_.kill();
    open();
    if (results[1].status != CommitStatus::conflict) continue;
    ++refused;
    EXPECT_EQ(get(b), "(none)") << round;
  }
  EXPECT_LT(refused, 200);
}

TEST_F(SqliteStoreTest, AfterAFailedSyncNothingIsAcknowledgedButReadsGoOn) {
  ASSERT_EQ(put("before", "v").status, CommitStatus::committed);
  disk_.fail_call(1, sim::Fault::io_error, sim::Call::sync);
  for (int i = 0; i < 3; ++i) {
    const CommitResult result = put("after", "v");
    EXPECT_EQ(result.status, CommitStatus::failed);
    EXPECT_EQ(result.error.code, "DiskError");
  }
  EXPECT_EQ(get("before"), "v");
  EXPECT_EQ(get("after"), "(none)");
  open();
  EXPECT_EQ(put("after", "w").status, CommitStatus::committed);
}

TEST_F(SqliteStoreTest, WithoutRoomLargeValuesAreRefusedAndDeletesMakeRoomForThem) {
  const std::string large(60'000, 'x');
  reserve_bytes_ = 1024 * 1024;
  open();
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(put(std::to_string(i), large).status, CommitStatus::committed);
  }
  disk_.set_capacity(reserve_bytes_ / 2);  // less than the reserve is free: nothing is
  EXPECT_EQ(put("more", large).error.code, "DiskFull");
  disk_.set_capacity(~0ULL);
  const std::uint64_t used = ~0ULL - disk_.free_bytes("/").value();
  disk_.set_capacity(used + reserve_bytes_ / 2);
  EXPECT_EQ(put("more", large).error.code, "DiskFull");
  EXPECT_EQ(put("small", "event").status, CommitStatus::committed);
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(commit_and_wait(*store_, {.deletes = {{0, std::to_string(i)}}}).status,
              CommitStatus::committed);
  }
  EXPECT_EQ(put("more", large).status, CommitStatus::committed);
  EXPECT_EQ(get("more"), large);
}

TEST_F(SqliteStoreTest, AFullDiskIsAnErrorAndTheStoreGoesOn) {
  ASSERT_EQ(put("before", "v").status, CommitStatus::committed);
  disk_.set_capacity(0);
  EXPECT_EQ(put("large", std::string(500'000, 'x')).error.code, "DiskFull");
  EXPECT_EQ(get("before"), "v");
  disk_.set_capacity(~0ULL);
  EXPECT_EQ(put("large", "small").status, CommitStatus::committed);
  open();
  EXPECT_EQ(get("before"), "v");
  EXPECT_EQ(get("large"), "small");
}

TEST_F(SqliteStoreTest, EveryFailingCallLeavesAStoreThatOpensAndKeepsItsWord) {
  // Each changing call of a commit with a checkpoint, in turn, meets EIO or ENOSPC.
  for (const sim::Fault fault : {sim::Fault::io_error, sim::Fault::disk_full}) {
    for (std::uint64_t n = 1; n < 40; ++n) {
      const std::string key = std::to_string(n);
      disk_.fail_call(n, fault);
      const bool first = put(key, "v").status == CommitStatus::committed;
      const bool second = put(key + "+", std::string(9000, 'w')).status == CommitStatus::committed;
      disk_.clear_faults();
      open();
      if (first) EXPECT_EQ(get(key), "v");
      if (second) EXPECT_EQ(get(key + "+"), std::string(9000, 'w'));
      ASSERT_EQ(put("next", key).status, CommitStatus::committed);
    }
  }
}

TEST_F(SqliteStoreTest, AFlippedBitOfTheDatabaseIsNeverAWrongAnswer) {
  for (int i = 0; i < 100; ++i)
    put("key" + std::to_string(i), std::string(100, static_cast<char>('a' + i % 26)));
  store_.reset();  // closes with a checkpoint
  const std::uint64_t size = disk_.size_of(database);
  ASSERT_GT(size, 4 * page_bytes);
  int noticed = 0;
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t place = random_.below(size);
    const auto mask = static_cast<unsigned char>(1U << random_.below(8));
    ASSERT_TRUE(disk_.flip(database, place, mask));
    if (const auto opened = try_open(); !opened) {
      ++noticed;
    } else {
      for (int i = 0; i < 100; i += 9) {
        const std::string value = get("key" + std::to_string(i));
        if (value == "Corrupt") {
          ++noticed;
          break;
        }
        ASSERT_EQ(value, std::string(100, static_cast<char>('a' + i % 26))) << place;
      }
      store_.reset();
    }
    ASSERT_TRUE(disk_.flip(database, place, mask));
  }
  EXPECT_GT(noticed, 50);
}

TEST_F(SqliteStoreTest, AFlippedBitOfTheLogIsNoticedWhenRead) {
  ASSERT_EQ(put("k", std::string(3000, 'v')).status, CommitStatus::committed);
  // Every frame's middle: the page that holds the record is among them.
  for (std::uint64_t at = 32 + 24 + 2000; at < disk_.size_of(log); at += 24 + page_bytes)
    disk_.flip(log, at, 1);
  EXPECT_EQ(get("k"), "Corrupt");
}

TEST_F(SqliteStoreTest, AFlippedBitOfALogThatMustBeRecoveredIsNeverAWrongAnswer) {
  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    for (const char* key : {"a", "b", "c"}) {
      ASSERT_EQ(put(key, std::to_string(round)).status, CommitStatus::committed);
    }
    const std::uint64_t before_last = disk_.size_of(log);
    ASSERT_EQ(put("large", std::string(3000, 'x')).status, CommitStatus::committed);
    disk_.kill();
    // Damage in the last transaction looks like a torn write; in all before it, it must be noticed.
    const std::uint64_t place = random_.below(std::min(before_last, disk_.size_of(log)));
    const auto mask = static_cast<unsigned char>(1U << random_.below(8));
    ASSERT_TRUE(disk_.flip(log, place, mask));
    if (const auto opened = try_open(); !opened) {
      ASSERT_EQ(opened.error().code, "Corrupt");
      ++refused;
    } else {
      for (const char* key : {"a", "b", "c"}) ASSERT_EQ(get(key), std::to_string(round)) << place;
    }
    disk_.kill();
    ASSERT_TRUE(disk_.flip(log, place, mask));
    open();
  }
  EXPECT_GT(refused, 100);
}

TEST_F(SqliteStoreTest, ANewerFormatIsRefused) {
  put("k", "v");
  store_.reset();
  {
    Vfs vfs(env_, "/data/store", {});
    Connection connection;
    ASSERT_TRUE(connection.open(vfs, database, Connection::Access::read_write));
    ASSERT_TRUE(connection.run("UPDATE meta SET number=2 WHERE name='format'"));
  }
  const auto opened = try_open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, "NewerFormat");
}

TEST_F(SqliteStoreTest, AReaderOutwaitsAResetOfTheLogThatWaitsForAProcessor) {
  put("k", "v");
  store_.reset();
  Vfs vfs(env_, "/data/store", {});
  Connection reader;
  ASSERT_TRUE(reader.open(vfs, database, Connection::Access::read_only));
  Statement read = *reader.prepare("SELECT count(*) FROM records");
  constexpr unsigned first_read_slot = 3, read_slots = 5;  // of SQLite's WAL index
  DatabaseLocks::Holder reset;
  ASSERT_TRUE(vfs.locks().lock_slots(reset, first_read_slot, read_slots, true));
  std::thread other([&] {
    ::usleep(20'000);  // far longer than a hundred yields, far shorter than what a reader waits
    vfs.locks().unlock_slots(reset, first_read_slot, read_slots);
  });
  EXPECT_EQ(read.step(), SQLITE_ROW);
  other.join();
}

TEST_F(SqliteStoreTest, ASnapshotHeldForTooLongIsEnded) {
  put("k", "v");
  auto snapshot = *store_->snapshot();
  ASSERT_TRUE(snapshot->get({0, "k"}));
  clock_.advance(std::chrono::duration_cast<Millis>(snapshot_age_max) + Millis(1));
  EXPECT_EQ(snapshot->get({0, "k"}).error().code, "SnapshotTooOld");
  EXPECT_EQ(snapshot->scan({}).error().code, "SnapshotTooOld");
  snapshot.reset();
  EXPECT_EQ(get("k"), "v");
}

TEST_F(SqliteStoreTest, AHeldSnapshotDoesNotLetTheLogGrowForEver) {
  put("k", "v");
  auto held = *store_->snapshot();
  ASSERT_TRUE(held->get({0, "k"}));
  clock_.advance(std::chrono::duration_cast<Millis>(snapshot_age_max) + Millis(1));
  std::uint64_t largest = 0;
  for (int i = 0; i < 250; ++i) {
    ASSERT_EQ(put("large" + std::to_string(i % 4), std::string(500'000, 'x')).status,
              CommitStatus::committed);
    largest = disk_.size_of(log);
  }
  EXPECT_LT(largest, 90'000'000U) << "125 MB were written";
}

TEST_F(SqliteStoreTest, SnapshotsHaveACap) {
  std::vector<std::unique_ptr<Snapshot>> open;
  for (std::size_t i = 0; i < read_connections_max; ++i) open.push_back(*store_->snapshot());
  EXPECT_EQ(store_->snapshot().error().code, "TooManySnapshots");
  open.pop_back();
  EXPECT_TRUE(store_->snapshot());
}

TEST_F(SqliteStoreTest, TheQueueHasACap) {
  store_->hold();
  int refused = 0;
  int committed = 0;
  for (int i = 0; i < 80; ++i) {
    store_->commit({.puts = {{{0, std::to_string(i)}, std::string(limits::record_bytes_max, 'x')}}},
                   [&](CommitResult r) {
                     refused += r.error.code == "StoreOverloaded";
                     committed += r.status == CommitStatus::committed;
                   });
  }
  EXPECT_GT(refused, 10);
  store_->release();
  EXPECT_EQ(committed, 80 - refused);
}

TEST(SqliteStoreOnDisk, ASecondServerIsRefusedAndToldOfTheFirst) {
  const TemporaryDirectory directory;
  const auto open = [&](std::string note) {
    return open_sqlite_store(system_env(),
                             {.directory = directory.path(), .lock_note = std::move(note)});
  };
  const std::string note = "pid " + std::to_string(::getpid()) + ", http://127.0.0.1:4566";
  auto first = open(note);
  ASSERT_TRUE(first);
  const auto second = open("pid 18");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "AlreadyRunning");
  EXPECT_NE(second.error().message.find(note), std::string::npos);
  first->reset();
  EXPECT_TRUE(open("pid 18"));
}

TEST(SqliteStoreOnDisk, AServerThatIsJustDyingIsWaitedFor) {
  const TemporaryDirectory directory;
  // Two processes hold the lock, as two threads of a killed server do: the one that the note names
  // has ended, the other goes on until it may not.
  int pipe[2] = {-1, -1};
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t named = ::fork();
  if (named == 0) {
    auto store = open_sqlite_store(
        system_env(),
        {.directory = directory.path(), .lock_note = "pid " + std::to_string(::getpid())});
    if (!store) ::_exit(1);
    if (::fork() == 0) {
      char byte = 0;
      (void)!::read(pipe[0], &byte, 1);
    }
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(named, &status, 0), named);
  ASSERT_EQ(status, 0);
  const Fd held(::open((directory.path() + "/lock").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_NE(::flock(held.get(), LOCK_EX | LOCK_NB), 0);
  bool waited = true;
  std::thread second([&] {
    waited = open_sqlite_store(system_env(), {.directory = directory.path(), .lock_note = ""})
                 .has_value();
  });
  ASSERT_EQ(::write(pipe[1], "x", 1), 1);
  second.join();
  EXPECT_TRUE(waited);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST(SqliteStoreOnDisk, ManyThreadsCommitAndReadAtOnce) {
  const TemporaryDirectory directory;
  auto store = *open_sqlite_store(system_env(), {.directory = directory.path(), .lock_note = ""});
  constexpr int threads = 8;
  constexpr int rounds = 100;
  const Key shared{1, "shared"};
  std::atomic<int> hints = 0;
  std::atomic<int> wins = 0;
  const auto token = store->watch("", [&] { ++hints; });
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      for (int i = 0; i < rounds; ++i) {
        auto snapshot = *store->snapshot();
        Record before = snapshot->get(shared).value().value_or(Record{});
        Batch batch{.checks = {{shared, before.version}},
                    .puts = {{shared, std::to_string(parse_u64(before.value).value_or(0) + 1)}},
                    .adds = {{{2, "wins"}, 1}}};
        snapshot.reset();
        if (commit_and_wait(*store, std::move(batch)).status == CommitStatus::committed) ++wins;
        commit_and_wait(*store, {.puts = {{{3, std::to_string(t * rounds + i)}, "x"}}});
      }
    });
  }
  for (std::thread& thread : running) thread.join();
  store->unwatch(token);
  auto snapshot = *store->snapshot();
  EXPECT_EQ(snapshot->get(shared).value()->value, std::to_string(wins));
  EXPECT_EQ(read_counter(snapshot->get({2, "wins"}).value()->value), wins);
  EXPECT_EQ(snapshot->scan({.shard = 3}).value().records.size(), std::size_t{threads * rounds});
  EXPECT_GT(hints, 0);
}

}  // namespace
}  // namespace wolke::store
