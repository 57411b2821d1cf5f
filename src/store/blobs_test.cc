#include "wolke/store/blobs.h"

#include <gtest/gtest.h>

#include "wolke/sim/faulty_disk.h"
#include "wolke/sim/manual_clock.h"
#include "wolke/sim/seeded_random.h"
#include "wolke/store/blob_format.h"
#include "wolke/store/engines.h"
#include "wolke/store/engines_for_test.h"
#include "wolke/store/file_blobs.h"
#include "wolke/store/tx.h"

namespace wolke::store {
namespace {

constexpr Millis grace{60'000};

class Blobs : public testing::Test {
 protected:
  Blobs() { EXPECT_TRUE(blobs_.open_directory()); }

  std::string bytes(std::size_t size) {
    std::string out(size, '\0');
    random_.fill(std::as_writable_bytes(std::span(out)));
    return out;
  }
  BlobRef put(std::string_view content, std::size_t piece = 100'000) {
    auto writer = *blobs_.create(key_);
    for (std::size_t at = 0; at < content.size(); at += piece) {
      EXPECT_TRUE(writer->write(content.substr(at, piece)));
    }
    auto ref = writer->seal();
    EXPECT_TRUE(ref);
    return *ref;
  }
  Result<std::string> read(const BlobRef& ref, std::uint64_t offset, std::size_t length) {
    TRY(auto reader, blobs_.open(ref));
    return reader->read(offset, length);
  }
  static std::string path(const BlobRef& ref) {
    return "/data/blobs/" + ref.id.substr(0, 2) + "/" + ref.id.substr(2);
  }
  void refer(const BlobRef& ref, std::string_view owner, bool released = false) {
    auto snapshot = *store_->snapshot();
    Tx tx(*snapshot);
    if (released) {
      tx.release(ref, owner);
    } else {
      tx.refer(ref, owner);
    }
    ASSERT_EQ(commit_and_wait(*store_, tx.take_batch()).status, CommitStatus::committed);
  }
  std::size_t collect() { return blobs_.collect(*store_, clock_.wall(), grace).value(); }

  sim::FaultyDisk disk_{1};
  sim::ManualClock clock_;
  sim::SeededRandom random_{2};
  Env env_{clock_, random_, disk_};
  const KeyChoice key_{.account = "111122223333", .customer_key = {}};
  FileBlobs blobs_{env_, "/data/blobs", keys_for_test(), {}};
  std::unique_ptr<Store> store_ = open_memory_store();
};

TEST_F(Blobs, EveryRangeReadsBackWhateverThePiecesWere) {
  const std::size_t chunk = blob_format::chunk_bytes;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, chunk - 1, chunk, chunk + 1, 5 * chunk + 17}) {
    const std::string content = bytes(size);
    for (const std::size_t piece : {std::size_t{1'000'000}, std::size_t{70'001}, chunk}) {
      const BlobRef ref = put(content, piece);
      EXPECT_EQ(ref.size, size);
      EXPECT_EQ(read(ref, 0, size).value(), content);
      for (int i = 0; i < 20 && size > 0; ++i) {
        const std::size_t offset = random_.below(size);
        const std::size_t length = random_.below(size - offset + 1);
        EXPECT_EQ(read(ref, offset, length).value(), content.substr(offset, length));
      }
    }
  }
}

TEST_F(Blobs, ReadingBeyondTheEndIsAnError) {
  const BlobRef ref = put("0123456789");
  EXPECT_FALSE(read(ref, 5, 6));
  EXPECT_FALSE(read(ref, 11, 0));
  EXPECT_FALSE(read(ref, 1, SIZE_MAX));
}

TEST_F(Blobs, AnyFlippedBitIsNoticed) {
  const std::string content = bytes(200);
  const BlobRef ref = put(content);
  const std::uint64_t file_bytes = disk_.size_of(path(ref));
  for (std::uint64_t byte = 0; byte < file_bytes; ++byte) {
    const auto mask = static_cast<unsigned char>(1U << random_.below(8));
    ASSERT_TRUE(disk_.flip(path(ref), byte, mask));
    const auto out = read(ref, 0, content.size());
    EXPECT_FALSE(out) << byte;
    if (!out) EXPECT_EQ(out.error().code, "Corrupt");
    disk_.flip(path(ref), byte, mask);
  }
  EXPECT_TRUE(read(ref, 0, content.size()));
}

TEST_F(Blobs, AnotherBlobsFileUnderThisNameIsNoticed) {
  const BlobRef one = put("one");
  const BlobRef two = put("two");
  ASSERT_TRUE(disk_.rename(path(two), path(one)));
  EXPECT_EQ(read(one, 0, 3).error().code, "Corrupt");
  EXPECT_EQ(read(two, 0, 3).error().code, "Corrupt");
}

TEST_F(Blobs, AnIdThatIsNoIdIsRefused) {
  for (const char* id : {"", "../../etc/passwd", "0011223344556677889900112233445X"}) {
    EXPECT_EQ(read({.id = id, .size = 1}, 0, 1).error().code, "Corrupt");
  }
}

TEST_F(Blobs, ASealedBlobSurvivesAPowerCut) {
  for (int i = 0; i < 20; ++i) {
    const std::string content = bytes(100'000);
    const BlobRef ref = put(content);
    disk_.power_cut();
    EXPECT_EQ(read(ref, 0, content.size()).value(), content);
  }
}

TEST_F(Blobs, AnUnsealedBlobIsDiscarded) {
  auto writer = *blobs_.create(key_);
  ASSERT_TRUE(writer->write(bytes(300'000)));
  const std::uint64_t free_before = disk_.free_bytes("/").value();
  writer.reset();
  EXPECT_GT(disk_.free_bytes("/").value(), free_before);
}

TEST_F(Blobs, AfterAFailedSyncNothingIsSealed) {
  auto first = *blobs_.create(key_);
  auto second = *blobs_.create(key_);
  disk_.fail_call(1, sim::Fault::io_error, sim::Call::sync);
  EXPECT_EQ(first->seal().error().code, "DiskError");
  EXPECT_EQ(second->seal().error().code, "DiskError");
  EXPECT_EQ(blobs_.create(key_).error().code, "DiskError");
}

TEST_F(Blobs, AFailedDirectorySyncPoisonsToo) {
  auto writer = *blobs_.create(key_);
  disk_.fail_call(1, sim::Fault::io_error, sim::Call::sync_directory);
  EXPECT_FALSE(writer->seal());
  EXPECT_FALSE(blobs_.create(key_));
}

TEST_F(Blobs, AFullDiskIsAnErrorAndTheNextBlobIsFine) {
  auto writer = *blobs_.create(key_);
  disk_.fail_call(1, sim::Fault::disk_full, sim::Call::write);
  EXPECT_EQ(writer->write(bytes(400'000)).error().code, "DiskFull");
  writer.reset();
  EXPECT_EQ(read(put("fine"), 0, 4).value(), "fine");
}

TEST_F(Blobs, CollectRemovesWhatNobodyRefersTo) {
  const BlobRef kept = put("kept");
  const BlobRef gone = put("gone");
  refer(kept, "owner");
  refer(gone, "owner");
  refer(gone, "other owner");
  clock_.advance(grace + Millis(1));
  EXPECT_EQ(collect(), 0U);
  refer(gone, "owner", true);
  EXPECT_EQ(collect(), 0U) << "it has another owner";
  refer(gone, "other owner", true);
  EXPECT_EQ(collect(), 1U);
  EXPECT_TRUE(read(kept, 0, 4));
  EXPECT_FALSE(read(gone, 0, 4));
}

TEST_F(Blobs, CollectingAtOnceTakesWhatIsNoLongerReferredToHoweverYoung) {
  const BlobRef kept = put("kept");
  const BlobRef gone = put("gone");
  refer(kept, "owner");
  refer(gone, "owner");
  EXPECT_EQ(blobs_.collect_at_once(*store_).value(), 0U);
  refer(gone, "owner", true);
  EXPECT_EQ(blobs_.collect_at_once(*store_).value(), 1U);
  EXPECT_TRUE(read(kept, 0, 4));
  EXPECT_FALSE(read(gone, 0, 4));
}

TEST_F(Blobs, CollectingAtOnceTakesWhatWasDeletedBeforeAnyCollectionLooked) {
  const BlobRef gone = put("gone");
  const BlobRef kept = put("kept");
  refer(gone, "owner");
  refer(kept, "owner");
  blobs_.settle(gone);
  blobs_.settle(kept);
  refer(gone, "owner", true);
  EXPECT_EQ(blobs_.collect_at_once(*store_).value(), 1U);
  EXPECT_TRUE(read(kept, 0, 4));
  EXPECT_FALSE(read(gone, 0, 4));
}

TEST_F(Blobs, CollectingAtOnceTakesWhatASettledOperationNeverReferredTo) {
  const BlobRef given_up = put("given up");
  EXPECT_EQ(blobs_.collect_at_once(*store_).value(), 0U);
  blobs_.settle(given_up);
  EXPECT_EQ(blobs_.collect_at_once(*store_).value(), 1U);
}

TEST_F(Blobs, CollectingAtOnceLeavesWhatMayBeOnItsWayIntoACommit) {
  auto writer = *blobs_.create(key_);
  ASSERT_TRUE(writer->write("x"));
  EXPECT_EQ(blobs_.collect_at_once(*store_).value(), 0U) << "a writer has it";
  const BlobRef ref = *writer->seal();
  clock_.advance(grace * 1000);
  EXPECT_EQ(blobs_.collect_at_once(*store_).value(), 0U) << "nobody has referred to it yet";
  refer(ref, "owner");
  EXPECT_EQ(blobs_.collect_at_once(*store_).value(), 0U);
  EXPECT_TRUE(read(ref, 0, 1));
}

TEST_F(Blobs, ABodyIsRefusedBeforeItEatsIntoTheReserve) {
  constexpr std::uint64_t reserve = 4 * 1024 * 1024;
  FileBlobs careful(env_, "/data/blobs", keys_for_test(), {}, reserve);
  disk_.set_capacity(3 * reserve);
  auto writer = *careful.create(key_);
  Result<void> written;
  for (int i = 0; i < 1000 && written; ++i) written = writer->write(bytes(100'000));
  EXPECT_EQ(written.error().code, "DiskFull");
  EXPECT_GE(disk_.free_bytes("/").value() + 1024 * 1024, reserve);
  disk_.set_capacity(reserve);
  EXPECT_EQ(careful.create(key_).error().code, "DiskFull");
  disk_.set_capacity(~0ULL);
  EXPECT_TRUE(careful.create(key_));
}

TEST_F(Blobs, CollectLeavesWhatMayBeOnItsWayIntoACommit) {
  auto slow = *blobs_.create(key_);
  ASSERT_TRUE(slow->write("x"));
  clock_.advance(grace * 10);
  EXPECT_EQ(collect(), 0U) << "a writer has it";
  const BlobRef ref = *slow->seal();
  clock_.advance(grace);
  EXPECT_EQ(collect(), 0U) << "sealed within the grace time, however long it took to write";
  clock_.advance(Millis(1));
  EXPECT_EQ(collect(), 1U);
  EXPECT_FALSE(read(ref, 0, 1));
}

TEST_F(Blobs, CollectRemovesWhatAnEarlierServerLeft) {
  auto writer = *blobs_.create(key_);
  ASSERT_TRUE(writer->write(bytes(300'000)));
  const BlobRef sealed = put("sealed but never committed");
  FileBlobs next(env_, "/data/blobs", keys_for_test(), {});
  EXPECT_EQ(next.collect(*store_, clock_.wall(), grace).value(), 0U);
  clock_.advance(grace + Millis(1));
  EXPECT_EQ(next.collect(*store_, clock_.wall(), grace).value(), 2U);
  EXPECT_FALSE(next.open(sealed));
}

TEST_F(Blobs, ReadBodyJoinsRangesAndRefusesWhatIsTooLarge) {
  const BlobRef one = put("hello world");
  const BlobRef two = put("0123456789");
  Body body;
  body.blobs = {{.blob = one, .offset = 6, .length = 5}, {.blob = two, .offset = 0, .length = 3}};
  EXPECT_EQ(read_body(blobs_, body, 8).value(), "world012");
  EXPECT_EQ(read_body(blobs_, body, 7).error().code, "EntityTooLarge");
  EXPECT_EQ(read_body(blobs_, {.inline_bytes = "abc"}, 3).value(), "abc");
  EXPECT_EQ(read_body(blobs_, {.inline_bytes = "abc"}, 2).error().code, "EntityTooLarge");
}

}  // namespace
}  // namespace wolke::store
