#include "wolke/store/tx.h"

#include <gtest/gtest.h>

#include "wolke/store/engines.h"

namespace wolke::store {
namespace {

struct Name : Fields {
  std::string text;
  static constexpr int format = 1;
  void visit(auto&& v) { v(1, text); }
};

class TxTest : public testing::Test {
 protected:
  Key key_{4, "k"};
  std::unique_ptr<Store> store_ = open_memory_store();
  std::unique_ptr<Snapshot> snapshot_ = *store_->snapshot();
  Tx tx_{*snapshot_};
};

TEST_F(TxTest, ReadsSeeItsOwnPutsAndDeletes) {
  tx_.put_bytes(key_, "v");
  EXPECT_EQ(tx_.get_bytes(key_).value(), "v");
  EXPECT_EQ(tx_.peek_bytes(key_).value(), "v");
  tx_.erase(key_);
  EXPECT_EQ(tx_.get_bytes(key_).value(), std::nullopt);
  const Batch batch = tx_.take_batch();
  EXPECT_TRUE(batch.checks.empty());
  EXPECT_TRUE(batch.puts.empty());
  EXPECT_EQ(batch.deletes.size(), 1U);
}

TEST_F(TxTest, GetChecksOnceAndPeekNever) {
  ASSERT_TRUE(tx_.peek_bytes(key_));
  ASSERT_TRUE(tx_.get_bytes(key_));
  ASSERT_TRUE(tx_.get_bytes(key_));
  const Batch batch = tx_.take_batch();
  ASSERT_EQ(batch.checks.size(), 1U);
  EXPECT_EQ(batch.checks[0].expected, 0U);
}

TEST_F(TxTest, ADecisionBeforeAnOwnWriteStaysChecked) {
  ASSERT_TRUE(tx_.get_bytes(key_));
  tx_.put_bytes(key_, "v");
  EXPECT_EQ(tx_.take_batch().checks.size(), 1U);
}

TEST_F(TxTest, TypedRecordsGoInAndOut) {
  Name name;
  name.text = "photos";
  tx_.put(key_, name);
  tx_.append(key_.shard, "log/", name);
  ASSERT_EQ(commit_and_wait(*store_, tx_.take_batch()).status, CommitStatus::committed);
  auto snapshot = *store_->snapshot();
  Tx tx(*snapshot);
  EXPECT_EQ(tx.get<Name>(key_).value()->text, "photos");
  EXPECT_EQ(tx.peek<Name>({4, "none"}).value().has_value(), false);
  const Page page = *tx.scan({.shard = 4, .begin = "log/", .end = "log0"});
  ASSERT_EQ(page.records.size(), 1U);
  EXPECT_EQ(decode<Name>(page.records[0].value, "log/")->text, "photos");
}

TEST_F(TxTest, ADamagedRecordIsAnErrorNotAnAbsence) {
  commit_and_wait(*store_, {.puts = {{key_, "garbage"}}});
  auto snapshot = *store_->snapshot();
  Tx tx(*snapshot);
  const auto record = tx.get<Name>(key_);
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().code, "Corrupt");
}

}  // namespace
}  // namespace wolke::store
