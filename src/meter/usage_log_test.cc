#include "wolke/meter/usage_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include "wolke/sim/seeded_random.h"

namespace wolke::meter {
namespace {

constexpr std::size_t slots = 16;
constexpr std::size_t small = UsageLog::header_bytes + slots * UsageLog::slot_bytes;

class UsageLogTest : public testing::Test {
 protected:
  UsageLogTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wolke-meter-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    path_ = directory_ + "/usage.log";
  }
  ~UsageLogTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  std::unique_ptr<UsageLog> open(const Watermark& drained = {}) {
    auto log = UsageLog::open(path_, drained, small);
    EXPECT_TRUE(log) << log.error().message;
    return *std::move(log);
  }
  void poke(std::uint64_t offset, char byte) {
    Fd file(::open(path_.c_str(), O_RDWR));
    ASSERT_EQ(::pwrite(file.get(), &byte, 1, static_cast<off_t>(offset)), 1);
  }
  static std::uint64_t offset_of(std::uint64_t sequence) {
    return UsageLog::header_bytes + sequence % slots * UsageLog::slot_bytes;
  }
  std::string directory_;
  std::string path_;
};

UsageRecord invocation(std::uint64_t billed_ms) {
  return {.account = "000000000001",
          .resource = "arn:aws:lambda:eu-central-1:000000000001:function:thumbnail",
          .qualifier = "7",
          .request_id = "6c0a9a0e-0000-4000-8000-000000000000",
          .at = from_millis(1'767'225'600'123),
          .billed_ms = billed_ms,
          .memory_mb = 512,
          .duration_us = 1234,
          .bytes_in = 10,
          .bytes_out = 20,
          .status = 200,
          .cold = true,
          .error = false};
}

TEST_F(UsageLogTest, ReadsBackWhatWasAppended) {
  auto log = open();
  ASSERT_EQ(log->append(invocation(3)), Appended::stored);
  const auto read = log->read(log->pending().first);
  ASSERT_EQ(read.found, UsageLog::Found::record);
  EXPECT_EQ(read.record.account, "000000000001");
  EXPECT_EQ(read.record.resource, "arn:aws:lambda:eu-central-1:000000000001:function:thumbnail:7");
  EXPECT_EQ(read.record.request_id, "6c0a9a0e-0000-4000-8000-000000000000");
  EXPECT_EQ(to_millis(read.record.at), 1'767'225'600'123);
  EXPECT_EQ(read.record.billed_ms, 3u);
  EXPECT_EQ(read.record.memory_mb, 512u);
  EXPECT_EQ(read.record.duration_us, 1234u);
  EXPECT_EQ(read.record.bytes_in, 10u);
  EXPECT_EQ(read.record.bytes_out, 20u);
  EXPECT_EQ(read.record.status, 200);
  EXPECT_TRUE(read.record.cold);
  EXPECT_FALSE(read.record.error);
}

TEST_F(UsageLogTest, GoesOnAfterReopeningWhereItWas) {
  for (std::uint64_t i = 1; i <= 5; ++i) open()->append(invocation(i));
  auto log = open();
  EXPECT_EQ(log->pending().first, 1u);
  ASSERT_EQ(log->pending().last, 6u);
  for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_EQ(log->read(i).record.billed_ms, i);
}

TEST_F(UsageLogTest, StartsAtTheWatermarkWhenTheFileIsNew) {
  auto log = open({.next = 100, .overflowed = 7});
  EXPECT_EQ(log->pending().first, 100u);
  EXPECT_EQ(log->pending().last, 100u);
  EXPECT_EQ(log->overflowed(), 7u);
  log->append(invocation(1));
  EXPECT_EQ(log->read(100).found, UsageLog::Found::record);
}

TEST_F(UsageLogTest, WrapsAroundOnceReleased) {
  auto log = open();
  for (std::uint64_t i = 1; i <= 10 * slots; ++i) {
    ASSERT_NE(log->append(invocation(i)), Appended::dropped) << i;
    ASSERT_EQ(log->read(i).record.billed_ms, i);
    log->release(i + 1);
  }
  log.reset();
  EXPECT_EQ(open({.next = 10 * slots - 2})->pending().last, 10 * slots + 1);
}

TEST_F(UsageLogTest, OneThreadAppendsWhileAnotherReads) {
  auto log = open();
  constexpr std::uint64_t records = 50'000;
  std::thread reader([&log] {
    for (std::uint64_t next = 1; next <= records;) {
      const UsageLog::Pending pending = log->pending();
      for (; next < pending.last; ++next) ASSERT_EQ(log->read(next).record.billed_ms, next);
      log->release(next);
      ::sched_yield();
    }
  });
  for (std::uint64_t i = 1; i <= records;) {
    log->append(invocation(i)) == Appended::dropped ? void(::sched_yield()) : void(++i);
  }
  reader.join();
}

TEST_F(UsageLogTest, SaysWhenHalfFullAndCountsWhatDoesNotFit) {
  {
    auto log = open();
    for (std::uint64_t i = 1; i < slots / 2; ++i) {
      ASSERT_EQ(log->append(invocation(i)), Appended::stored);
    }
    for (std::uint64_t i = slots / 2; i <= slots; ++i) {
      ASSERT_EQ(log->append(invocation(i)), Appended::nearly_full);
    }
    EXPECT_EQ(log->append(invocation(99)), Appended::dropped);
    EXPECT_EQ(log->append(invocation(99)), Appended::dropped);
    for (std::uint64_t i = 1; i <= slots; ++i) EXPECT_EQ(log->read(i).record.billed_ms, i);
  }
  EXPECT_EQ(open()->overflowed(), 2u) << "the count is in the file";
}

TEST_F(UsageLogTest, ARecordWithAnAccountTooLongIsCountedAsDropped) {
  auto log = open();
  const std::string account(UsageLog::account_bytes_max + 1, '1');
  UsageRecord record = invocation(1);
  record.account = account;
  EXPECT_EQ(log->append(record), Appended::dropped);
  EXPECT_EQ(log->overflowed(), 1u);
}

TEST_F(UsageLogTest, ALongResourceIsShortenedAndStaysDistinct) {
  auto log = open();
  const std::string resource(300, 'r');
  UsageRecord record = invocation(1);
  record.resource = resource;
  record.qualifier = "1";
  log->append(record);
  record.qualifier = "2";
  log->append(record);
  ASSERT_EQ(log->read(1).found, UsageLog::Found::record);
  EXPECT_EQ(log->read(1).record.account, "000000000001");
  EXPECT_NE(log->read(1).record.resource, log->read(2).record.resource);
  EXPECT_TRUE(log->read(1).record.resource.starts_with("rrrr"));
}

TEST_F(UsageLogTest, ATornRecordIsNoticed) {
  {
    auto log = open();
    for (std::uint64_t i = 1; i <= 3; ++i) log->append(invocation(i));
  }
  poke(offset_of(2) + 40, 0x7F);
  auto log = open();
  EXPECT_EQ(log->read(1).found, UsageLog::Found::record);
  EXPECT_EQ(log->read(2).found, UsageLog::Found::torn);
  EXPECT_EQ(log->read(3).found, UsageLog::Found::record);
}

TEST_F(UsageLogTest, ARecordTornByAKillTakesItsPlaceInTheOrder) {
  {
    open()->append(invocation(1));
  }
  poke(offset_of(2) + 8, 2);  // its sequence, and nothing more, was written
  auto log = open();
  ASSERT_EQ(log->pending().last, 3u);
  EXPECT_EQ(log->read(2).found, UsageLog::Found::torn);
  log->append(invocation(3));
  EXPECT_EQ(log->read(3).record.billed_ms, 3u);
}

TEST_F(UsageLogTest, RecordsTornByTwoKillsInARowBothTakeTheirPlace) {
  {
    open()->append(invocation(1));
  }
  poke(offset_of(2) + 8, 2);
  open().reset();
  poke(offset_of(3) + 8, 3);
  EXPECT_EQ(open()->pending().last, 4u);
}

TEST_F(UsageLogTest, ASequenceThatIsNotThereIsMissing) {
  {
    open()->append(invocation(1));
  }
  {
    open()->append(invocation(2));
  }
  poke(offset_of(1) + 8, 0);
  EXPECT_EQ(open()->read(1).found, UsageLog::Found::missing);
}

TEST_F(UsageLogTest, ADamagedHeaderIsRefused) {
  open().reset();
  poke(17, 9);
  const auto log = UsageLog::open(path_, {}, small);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, "Corrupt");
}

TEST_F(UsageLogTest, ASecondOneOnTheSameFileIsRefused) {
  auto log = open();
  const auto second = UsageLog::open(path_, {}, small);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "AlreadyRunning");
}

TEST_F(UsageLogTest, AFileWithoutHeaderIsMadeAnew) {
  Fd(::open(path_.c_str(), O_RDWR | O_CREAT, 0600));
  ASSERT_EQ(::truncate(path_.c_str(), 700), 0);
  auto log = open();
  EXPECT_EQ(log->capacity(), slots);
  EXPECT_EQ(log->append(invocation(1)), Appended::stored);
}

/// Appends until killed; what append() returned for is noted in `acknowledged`.
[[noreturn]] void append_forever(const std::string& path,
                                 std::atomic<std::uint64_t>& acknowledged) {
  auto log = UsageLog::open(path, {}, UsageLog::bytes_default);
  if (!log) ::_exit(1);
  for (std::uint64_t i = 1;; ++i) {
    if ((*log)->append(invocation(i)) == Appended::dropped) ::pause();
    acknowledged.store(i, std::memory_order_relaxed);
  }
}

TEST_F(UsageLogTest, NothingAppendedIsLostByKillingTheProcess) {
  void* shared = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto& acknowledged = *new (shared) std::atomic<std::uint64_t>(0);
  sim::SeededRandom random(1);
  for (int round = 0; round < 20; ++round) {
    std::filesystem::remove(path_);
    acknowledged = 0;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) append_forever(path_, acknowledged);
    const std::uint64_t wanted = 1 + random.below(40'000);
    while (acknowledged.load() < wanted) ::sched_yield();
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);

    auto log = UsageLog::open(path_, {});
    ASSERT_TRUE(log);
    const UsageLog::Pending pending = (*log)->pending();
    ASSERT_EQ(pending.first, 1u);
    ASSERT_GT(pending.last, acknowledged.load());
    ASSERT_LE(pending.last, acknowledged.load() + 2);
    for (std::uint64_t i = 1; i <= acknowledged.load(); ++i) {
      const auto read = (*log)->read(i);
      ASSERT_EQ(read.found, UsageLog::Found::record) << i;
      ASSERT_EQ(read.record.billed_ms, i);
    }
  }
  ::munmap(shared, 4096);
}

}  // namespace
}  // namespace wolke::meter
