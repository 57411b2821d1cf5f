// What lies in a blob's file, and what of it is noticed: keys, places, ends, and the files of
// before.
#include <gtest/gtest.h>

#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/sim/faulty_disk.h"
#include "wolke/sim/manual_clock.h"
#include "wolke/sim/seeded_random.h"
#include "wolke/store/blob_format.h"
#include "wolke/store/engines_for_test.h"
#include "wolke/store/file_blobs.h"

namespace wolke::store {
namespace {

using blob_format::chunk_bytes;
constexpr std::size_t begin = blob_format::data_begin(blob_format::key_account);

class BlobEncryption : public testing::Test {
 protected:
  BlobEncryption() { EXPECT_TRUE(blobs_.open_directory()); }

  BlobRef put(std::string_view content, const KeyChoice& key) {
    auto writer = *blobs_.create(key);
    EXPECT_TRUE(writer->write(content));
    return writer->seal().value();
  }
  BlobRef put(std::string_view content) { return put(content, {.account = "111122223333"}); }
  Result<std::string> read(const BlobRef& ref, std::string_view customer_key = {}) {
    TRY(auto reader, blobs_.open(ref, customer_key));
    return reader->read(0, ref.size);
  }
  std::string code(const BlobRef& ref, std::string_view customer_key = {}) {
    const Result<std::string> out = read(ref, customer_key);
    return out ? "read" : out.error().code;
  }
  static std::string path(const BlobRef& ref) {
    return "/data/blobs/" + ref.id.substr(0, 2) + "/" + ref.id.substr(2);
  }
  std::string file_of(const BlobRef& ref) {
    std::string bytes(disk_.size_of(path(ref)), '\0');
    auto file = *disk_.open(path(ref), OpenMode::read);
    EXPECT_EQ(file->read_at(0, bytes).value(), bytes.size());
    return bytes;
  }
  void write_file(const BlobRef& ref, const std::string& bytes) {
    auto file = *disk_.open(path(ref), OpenMode::create_or_open);
    EXPECT_TRUE(file->truncate(0));
    EXPECT_TRUE(file->write_at(0, bytes));
    EXPECT_TRUE(file->sync());
  }

  sim::FaultyDisk disk_{1};
  sim::ManualClock clock_;
  sim::SeededRandom random_{2};
  Env env_{clock_, random_, disk_};
  FileBlobs blobs_{env_, "/data/blobs", keys_for_test(), {}};
};

TEST_F(BlobEncryption, NothingOfTheContentIsInTheFile) {
  const std::string content(3 * chunk_bytes + 5, 'A');
  const std::string file = file_of(put(content));
  EXPECT_EQ(file.find("AAAAAAAA"), std::string::npos);
}

TEST_F(BlobEncryption, NoTwoChunksOfOneContentAreEncryptedAlike) {
  const std::string content(4 * chunk_bytes, 'A');
  const std::string one = file_of(put(content));
  const std::string two = file_of(put(content));
  for (std::size_t chunk = 0; chunk < 4; ++chunk) {
    const std::string sealed = one.substr(begin + chunk * chunk_bytes, chunk_bytes);
    for (std::size_t other = 0; other < 4; ++other) {
      EXPECT_NE(sealed, two.substr(begin + other * chunk_bytes, chunk_bytes));
      if (other != chunk) EXPECT_NE(sealed, one.substr(begin + other * chunk_bytes, chunk_bytes));
    }
  }
}

TEST_F(BlobEncryption, SwappedChunksAreNoticedEvenWithTheirTags) {
  const BlobRef ref = put(std::string(chunk_bytes, 'A') + std::string(2 * chunk_bytes, 'B'));
  std::string file = file_of(ref);
  std::swap_ranges(file.begin() + begin, file.begin() + begin + chunk_bytes,
                   file.begin() + begin + chunk_bytes);
  const std::size_t tags = begin + 3 * chunk_bytes;
  const auto tag = file.begin() + static_cast<std::ptrdiff_t>(tags);
  std::swap_ranges(tag, tag + blob_format::tag_bytes, tag + blob_format::tag_bytes);
  const std::string table = file.substr(tags, 3 * blob_format::tag_bytes);
  file.resize(tags + table.size());
  file += blob_format::encode_trailer(*from_hex(ref.id), table, ref.size);
  write_file(ref, file);
  EXPECT_EQ(code(ref), "Corrupt");
}

TEST_F(BlobEncryption, ABlobCutAtAChunkIsNoticedEvenWithATrailerThatFits) {
  const BlobRef ref = put(std::string(3 * chunk_bytes, 'A'));
  const std::string file = file_of(ref);
  const std::string table = file.substr(begin + 3 * chunk_bytes, 2 * blob_format::tag_bytes);
  const BlobRef shorter{.id = ref.id, .size = 2 * chunk_bytes};
  write_file(ref, file.substr(0, begin + shorter.size) + table +
                      blob_format::encode_trailer(*from_hex(ref.id), table, shorter.size));
  EXPECT_EQ(code(shorter), "Corrupt");
}

TEST_F(BlobEncryption, ChunksOfAnotherBlobAreNoticedUnderThisOnesHeader) {
  const BlobRef one = put("one");
  const BlobRef two = put("two");
  std::string file = file_of(two);
  const std::string table = file.substr(begin + 3, blob_format::tag_bytes);
  write_file(one, file_of(one).substr(0, begin) + file.substr(begin, 3) + table +
                      blob_format::encode_trailer(*from_hex(one.id), table, 3));
  EXPECT_EQ(code(one), "Corrupt");
}

TEST_F(BlobEncryption, AnotherInstallationsKeyIsSaidToBeWrong) {
  const BlobRef ref = put("content");
  FileBlobs other(env_, "/data/blobs", keys_for_test('x'), {});
  EXPECT_EQ(other.open(ref).error().code, "WrongKey");
}

TEST_F(BlobEncryption, ACustomersKeyIsNeededAndNoOtherOneDoes) {
  const std::string key(cipher_key_bytes, 'c');
  const BlobRef ref = put("content", {.account = "111122223333", .customer_key = key});
  EXPECT_EQ(read(ref, key).value(), "content");
  EXPECT_EQ(code(ref), "WrongKey");
  EXPECT_EQ(code(ref, std::string(cipher_key_bytes, 'd')), "WrongKey");
  EXPECT_EQ(file_of(ref).find(key), std::string::npos);
}

TEST_F(BlobEncryption, ARangeReadsTheChunksThatItTouchesOnly) {
  const std::string content(8 * chunk_bytes, 'A');
  const BlobRef ref = put(content);
  auto reader = *blobs_.open(ref);
  ASSERT_TRUE(disk_.flip(path(ref), begin + 7 * chunk_bytes, 1));
  EXPECT_EQ(reader->read(2 * chunk_bytes + 9, chunk_bytes).value(), std::string(chunk_bytes, 'A'));
  EXPECT_EQ(reader->read(7 * chunk_bytes, 1).error().code, "Corrupt");
}

TEST_F(BlobEncryption, BlobsOfBeforeEncryptionAreReadAndStillVerified) {
  const std::string raw_id(blob_format::id_bytes, '\x17');
  const std::string content(chunk_bytes + 100, 'A');
  const BlobRef ref{.id = to_hex(raw_id), .size = content.size()};
  std::string table;
  for (std::size_t chunk = 0; chunk < 2; ++chunk) {
    blob_format::append_checksum(table, crc32c(content.substr(chunk * chunk_bytes, chunk_bytes),
                                               blob_format::chunk_seed(raw_id, chunk)));
  }
  ASSERT_TRUE(disk_.make_directory("/data/blobs/17"));
  write_file(ref, blob_format::encode_header({.version = blob_format::version_plain,
                                              .key = blob_format::key_none,
                                              .created = clock_.wall(),
                                              .id = raw_id}) +
                      content + table + blob_format::encode_trailer(raw_id, table, content.size()));
  EXPECT_EQ(read(ref).value(), content);
  ASSERT_TRUE(disk_.flip(path(ref), blob_format::header_bytes + chunk_bytes, 1));
  EXPECT_EQ(code(ref), "Corrupt");
}

TEST_F(BlobEncryption, AfterAFailedWriteNothingOfTheBlobIsSealed) {
  auto writer = *blobs_.create({.account = "111122223333"});
  disk_.fail_call(1, sim::Fault::disk_full, sim::Call::write);
  ASSERT_FALSE(writer->write(std::string(10 * chunk_bytes, 'A')));
  EXPECT_FALSE(writer->write("more"));
  EXPECT_FALSE(writer->seal());
}

TEST(SmallBodies, OpenForTheirAccountOnlyAndNotWhenTheyWereChanged) {
  sim::SeededRandom random{3};
  const Keyring keys = keys_for_test();
  const std::string account = "111122223333";
  for (const std::string& plain : {std::string(), std::string("x"), std::string(5000, 'A')}) {
    std::string sealed = seal_small(keys, account, random, plain);
    EXPECT_EQ(sealed.size(), plain.size() + sealed_small_overhead);
    EXPECT_EQ(open_small(keys, account, sealed), plain);
    EXPECT_NE(seal_small(keys, account, random, plain), sealed);
    EXPECT_FALSE(open_small(keys, "444455556666", sealed));
    EXPECT_FALSE(open_small(keys_for_test('x'), account, sealed));
    for (std::size_t byte = 0; byte < sealed.size(); byte += 1 + sealed.size() / 50) {
      sealed[byte] = static_cast<char>(sealed[byte] ^ 1);
      EXPECT_FALSE(open_small(keys, account, sealed));
      sealed[byte] = static_cast<char>(sealed[byte] ^ 1);
    }
    EXPECT_FALSE(open_small(keys, account, sealed.substr(0, sealed.size() - 1)));
  }
}

}  // namespace
}  // namespace wolke::store
