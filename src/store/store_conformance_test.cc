// What both engines promise, run against each.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>

#include "wolke/store/counter.h"
#include "wolke/store/engines.h"
#include "wolke/store/engines_for_test.h"
#include "wolke/store/keys.h"
#include "wolke/store/tx.h"

namespace wolke::store {
namespace {

class Conformance : public testing::TestWithParam<TestEngine> {
 protected:
  Conformance() : opened_(GetParam().open()), store_(*opened_->store) {}

  CommitResult commit(Batch batch) { return commit_and_wait(store_, std::move(batch)); }
  Version must_commit(Batch batch) {
    const CommitResult result = commit(std::move(batch));
    EXPECT_EQ(result.status, CommitStatus::committed) << result.error.code << result.error.message;
    return result.version;
  }
  Version put(std::string key, std::string value, Shard shard = 0) {
    return must_commit({.puts = {{.key = {shard, std::move(key)}, .value = std::move(value)}}});
  }
  std::unique_ptr<Snapshot> snapshot() {
    auto snapshot = store_.snapshot();
    EXPECT_TRUE(snapshot);
    return *std::move(snapshot);
  }
  std::optional<Record> get(std::string key, Shard shard = 0) {
    auto record = snapshot()->get({shard, std::move(key)});
    EXPECT_TRUE(record);
    return *record;
  }
  Page scan(const Scan& scan) {
    auto page = snapshot()->scan(scan);
    EXPECT_TRUE(page);
    return *std::move(page);
  }
  static std::string keys_of(const Page& page) {
    std::string keys;
    for (const Record& record : page.records) keys += record.key + " ";
    return keys;
  }

  std::unique_ptr<OpenedStore> opened_;
  Store& store_;
};

TEST_P(Conformance, ACommittedRecordIsRead) {
  const Version version = put("k", "v");
  const auto record = get("k");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->key, "k");
  EXPECT_EQ(record->value, "v");
  EXPECT_EQ(record->version, version);
  EXPECT_FALSE(get("other"));
  EXPECT_FALSE(get("k", 1));
}

TEST_P(Conformance, VersionsGrowByOnePerBatch) {
  const Version first = put("a", "1");
  EXPECT_EQ(put("b", "2"), first + 1);
  EXPECT_EQ(must_commit({.deletes = {{0, "nothing"}}}), first + 2);
}

TEST_P(Conformance, EmptyKeysValuesAndAllBytesAreFine) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  put(all, all);
  put("", "");
  EXPECT_EQ(get(all)->value, all);
  EXPECT_EQ(get("")->value, "");
  EXPECT_EQ(scan({}).records.size(), 2U);
}

TEST_P(Conformance, ADeletedRecordIsGone) {
  put("k", "v");
  must_commit({.deletes = {{0, "k"}}});
  EXPECT_FALSE(get("k"));
  EXPECT_TRUE(scan({}).records.empty());
}

TEST_P(Conformance, ACheckOfAnOldVersionIsAConflictAndWritesNothing) {
  const Version first = put("k", "1");
  const Version second = put("k", "2");
  const CommitResult result =
      commit({.checks = {{{0, "k"}, first}}, .puts = {{{0, "k"}, "3"}, {{0, "x"}, "x"}}});
  EXPECT_EQ(result.status, CommitStatus::conflict);
  EXPECT_EQ(get("k")->value, "2");
  EXPECT_FALSE(get("x"));
  EXPECT_EQ(must_commit({.checks = {{{0, "k"}, second}}, .puts = {{{0, "k"}, "3"}}}), second + 1);
}

TEST_P(Conformance, ACheckOfVersionZeroMeansNoSuchRecord) {
  EXPECT_EQ(commit({.checks = {{{0, "k"}, 0}}, .puts = {{{0, "k"}, "1"}}}).status,
            CommitStatus::committed);
  EXPECT_EQ(commit({.checks = {{{0, "k"}, 0}}, .puts = {{{0, "k"}, "2"}}}).status,
            CommitStatus::conflict);
  must_commit({.deletes = {{0, "k"}}});
  EXPECT_EQ(commit({.checks = {{{0, "k"}, 0}}, .puts = {{{0, "k"}, "3"}}}).status,
            CommitStatus::committed);
}

TEST_P(Conformance, AnEmptyCheckConflictsWhenTheRangeHasARecord) {
  put("b", "1");
  const auto try_range = [&](std::string begin, std::string end, Shard shard = 0) {
    return commit({.empty_checks = {{shard, std::move(begin), std::move(end)}},
                   .puts = {{{0, "done"}, ""}}})
        .status;
  };
  EXPECT_EQ(try_range("a", "c"), CommitStatus::conflict);
  EXPECT_EQ(try_range("b", "c"), CommitStatus::conflict);
  EXPECT_EQ(try_range("a", ""), CommitStatus::conflict);
  EXPECT_FALSE(get("done"));
  EXPECT_EQ(try_range("a", "b"), CommitStatus::committed);
  EXPECT_EQ(try_range("a", "c", 1), CommitStatus::committed);
}

TEST_P(Conformance, AddsCountAndNeverConflict) {
  const Key counter{3, "hits"};
  must_commit({.adds = {{counter, 5}, {counter, -7}}});
  must_commit({.adds = {{counter, 10}}});
  auto view = snapshot();
  Tx tx(*view);
  EXPECT_EQ(tx.counter(counter).value(), 8);
  tx.add(counter, 2);
  EXPECT_EQ(tx.counter(counter).value(), 10);
  EXPECT_EQ(tx.counter({3, "never"}).value(), 0);
  EXPECT_TRUE(tx.take_batch().checks.empty());
}

TEST_P(Conformance, AnAddToWhatIsNoCounterFailsAndWritesNothing) {
  put("k", "text");
  const CommitResult result = commit({.puts = {{{0, "x"}, "x"}}, .adds = {{{0, "k"}, 1}}});
  EXPECT_EQ(result.status, CommitStatus::failed);
  EXPECT_EQ(result.error.code, "Corrupt");
  EXPECT_EQ(get("k")->value, "text");
  EXPECT_FALSE(get("x"));
}

TEST_P(Conformance, AppendsKeepCommitOrder) {
  const auto append = [&](std::string prefix, std::vector<std::string> values) {
    Batch batch;
    for (std::string& value : values) batch.appends.push_back({0, prefix, std::move(value)});
    return must_commit(std::move(batch));
  };
  append("log/", {"1", "2"});
  append("other/", {"x"});
  const Version third = append("log/", {"3"});
  const Page page = scan({.begin = "log/", .end = prefix_end("log/")});
  ASSERT_EQ(page.records.size(), 3U);
  EXPECT_EQ(page.records[0].value + page.records[1].value + page.records[2].value, "123");
  KeyReader reader(std::string_view(page.records[2].key).substr(4));
  EXPECT_EQ(reader.number(), third);
  EXPECT_EQ(page.records[2].version, third);
}

TEST_P(Conformance, ScansAreOrderedAndHalfOpen) {
  for (const char* key : {"d", "b", "a", "c"}) put(key, key);
  put("b", "elsewhere", 9);
  EXPECT_EQ(keys_of(scan({})), "a b c d ");
  EXPECT_EQ(keys_of(scan({.begin = "b", .end = "d"})), "b c ");
  EXPECT_EQ(keys_of(scan({.begin = "b"})), "b c d ");
  EXPECT_EQ(keys_of(scan({.begin = "d", .end = "b"})), "");
  EXPECT_EQ(keys_of(scan({.begin = "a", .end = "d", .reverse = true})), "c b a ");
  EXPECT_EQ(keys_of(scan({.reverse = true})), "d c b a ");
}

TEST_P(Conformance, PagesFitTogether) {
  for (int i = 0; i < 10; ++i) put(std::string(1, static_cast<char>('a' + i)), "v");
  Page page = scan({.records_max = 4});
  EXPECT_EQ(keys_of(page), "a b c d ");
  EXPECT_TRUE(page.more);
  page = scan({.begin = page.records.back().key + '\0', .records_max = 6});
  EXPECT_EQ(keys_of(page), "e f g h i j ");
  EXPECT_FALSE(page.more);
  page = scan({.reverse = true, .records_max = 3});
  EXPECT_EQ(keys_of(page), "j i h ");
  EXPECT_TRUE(page.more);
  page = scan({.end = page.records.back().key, .reverse = true});
  EXPECT_EQ(keys_of(page), "g f e d c b a ");
  EXPECT_FALSE(page.more);
}

TEST_P(Conformance, APageEndsAtItsByteLimitButHoldsAtLeastOne) {
  for (const char* key : {"a", "b", "c"}) put(key, std::string(100, 'x'));
  EXPECT_EQ(keys_of(scan({.bytes_max = 150})), "a b ");
  const Page page = scan({.bytes_max = 1});
  EXPECT_EQ(keys_of(page), "a ");
  EXPECT_TRUE(page.more);
}

TEST_P(Conformance, ASnapshotDoesNotSeeLaterCommits) {
  put("k", "old");
  auto before = snapshot();
  ASSERT_EQ(before->get({0, "k"}).value()->value, "old");
  put("k", "new");
  put("added", "x");
  for (int i = 0; i < 3; ++i) put("k", "newer");
  must_commit({.deletes = {{0, "k"}}});
  EXPECT_EQ(before->get({0, "k"}).value()->value, "old");
  EXPECT_EQ(keys_of(before->scan({}).value()), "k ");
  before.reset();
  EXPECT_FALSE(get("k"));
  EXPECT_EQ(keys_of(scan({})), "added ");
}

TEST_P(Conformance, TwoTransactionsOverOneRecordConflict) {
  const Key key{0, "k"};
  auto one = snapshot();
  auto two = snapshot();
  Tx first(*one);
  Tx second(*two);
  EXPECT_FALSE(first.get_bytes(key).value());
  EXPECT_FALSE(second.get_bytes(key).value());
  first.put_bytes(key, "first");
  second.put_bytes(key, "second");
  EXPECT_EQ(commit(first.take_batch()).status, CommitStatus::committed);
  EXPECT_EQ(commit(second.take_batch()).status, CommitStatus::conflict);
  EXPECT_EQ(get("k")->value, "first");
}

TEST_P(Conformance, ABatchOfChecksAloneIsJudgedAndTakesNoVersion) {
  const Version version = put("k", "v");
  const CommitResult good = commit({.checks = {{{0, "k"}, version}}});
  EXPECT_EQ(good.status, CommitStatus::committed);
  EXPECT_EQ(good.version, version);
  EXPECT_EQ(commit({.checks = {{{0, "k"}, version + 1}}}).status, CommitStatus::conflict);
  EXPECT_EQ(put("k", "w"), version + 1);
}

TEST_P(Conformance, ABodyOf64KiBLiesInOneRecord) {
  const std::string body(64 * 1024, 'b');
  put("k", body);
  EXPECT_EQ(get("k")->value, body);
}

TEST_P(Conformance, WhatIsBeyondALimitIsRefused) {
  EXPECT_EQ(
      commit({.puts = {{{0, "k"}, std::string(limits::record_bytes_max + 1, 'x')}}}).error.code,
      "RecordTooLarge");
  EXPECT_EQ(commit({.puts = {{{0, std::string(5000, 'k')}, "x"}}}).error.code, "KeyTooLong");
  Batch large;
  for (int i = 0; i < 17; ++i)
    large.puts.push_back({{0, std::to_string(i)}, std::string(1 << 20, 'x')});
  EXPECT_EQ(commit(std::move(large)).error.code, "BatchTooLarge");
  EXPECT_EQ(commit({.epochs = {{0, 4}}, .puts = {{{0, "k"}, "x"}}}).error.code, "FencedOff");
  EXPECT_TRUE(scan({}).records.empty());
}

TEST_P(Conformance, AWatcherIsHintedAfterItsPrefixWasTouched) {
  int hints = 0;
  int others = 0;
  const auto token = store_.watch("queue/", [&] { ++hints; });
  const auto other = store_.watch("topic/", [&] { ++others; });
  put("queue/1", "x");
  must_commit({.deletes = {{0, "queue/1"}}});
  must_commit({.adds = {{{0, "queue/n"}, 1}}});
  must_commit({.appends = {{0, "queue/", "x"}}});
  opened_->settle();
  EXPECT_EQ(hints, 4);
  EXPECT_EQ(others, 0);
  store_.unwatch(token);
  put("queue/2", "x");
  opened_->settle();
  EXPECT_EQ(hints, 4);
  store_.unwatch(other);
}

TEST_P(Conformance, AWatcherIsHintedBeforeTheCommitIsAcknowledged) {
  std::atomic<int> hints = 0;
  const auto token = store_.watch("k", [&] { ++hints; });
  std::promise<int> hints_when_acknowledged;
  store_.commit({.puts = {{{0, "k"}, "v"}}},
                [&](CommitResult) { hints_when_acknowledged.set_value(hints); });
  EXPECT_EQ(hints_when_acknowledged.get_future().get(), 1);
  store_.unwatch(token);
}

TEST_P(Conformance, AConflictHintsNobody) {
  int hints = 0;
  const auto token = store_.watch("", [&] { ++hints; });
  EXPECT_EQ(commit({.checks = {{{0, "k"}, 7}}, .puts = {{{0, "k"}, "x"}}}).status,
            CommitStatus::conflict);
  opened_->settle();
  EXPECT_EQ(hints, 0);
  store_.unwatch(token);
}

INSTANTIATE_TEST_SUITE_P(Engines, Conformance, testing::ValuesIn(test_engines()),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace wolke::store
