#include "wolke/identity/use.h"

#include <gtest/gtest.h>

#include "wolke/store/engines.h"

namespace wolke::identity {
namespace {

constexpr const char* account = "111111111111";
const Timestamp noon(Millis(1'795'435'200'000));

Principal user() {
  Principal out;
  out.kind = PrincipalKind::user;
  out.account = account;
  out.unique_id = "AIDAEXAMPLE";
  out.access_key_id = "AKIAEXAMPLE";
  return out;
}

Principal session() {
  Principal out;
  out.kind = PrincipalKind::assumed_role;
  out.account = account;
  out.unique_id = "AROAEXAMPLE:job";
  out.access_key_id = "ASIAEXAMPLE";
  return out;
}

TEST(UseLog, WhatWasNotedWithinTheHourIsNotNotedAgain) {
  UseLog log;
  log.note(user(), "s3", "us-east-1", noon);
  log.note(user(), "s3", "eu-west-1", noon + std::chrono::minutes(59));
  log.note(user(), "iam", "us-east-1", noon);
  EXPECT_EQ(log.take()[account].size(), 2U);
  log.note(user(), "s3", "us-east-1", noon + std::chrono::minutes(59));
  EXPECT_TRUE(log.empty());
  log.note(user(), "s3", "us-east-1", noon + std::chrono::minutes(60));
  EXPECT_FALSE(log.empty());
}

TEST(UseLog, ManySessionsOfARoleAreOneUse) {
  UseLog log;
  Principal one = session();
  for (const char* name : {"AROAEXAMPLE:a", "AROAEXAMPLE:b", "AROAEXAMPLE:c"}) {
    one.unique_id = name;
    one.access_key_id = std::string("ASIA") + name;
    log.note(one, "s3", "us-east-1", noon);
  }
  const auto uses = log.take()[account];
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].entity_id, "AROAEXAMPLE");
  EXPECT_EQ(uses[0].access_key_id, "");
}

TEST(UseLog, NobodyAndServicesHaveNoRecords) {
  UseLog log;
  Principal service;
  service.kind = PrincipalKind::service;
  log.note(service, "lambda", "us-east-1", noon);
  log.note(Principal(), "s3", "us-east-1", noon);
  EXPECT_TRUE(log.empty());
}

TEST(UseLog, RecordsTellTheLastUseOfEachService) {
  const auto store = store::open_memory_store();
  auto record = [&store](Principal who, const char* service, Timestamp at) {
    UseLog log;
    log.note(who, service, "us-east-1", at);
    auto snapshot = store->snapshot();
    ASSERT_TRUE(snapshot);
    store::Tx tx(**snapshot);
    ASSERT_TRUE(record_uses(tx, log.take()[account]));
    ASSERT_EQ(store::commit_and_wait(*store, tx.take_batch()).status,
              store::CommitStatus::committed);
  };
  record(user(), "s3", noon);
  record(user(), "iam", noon + std::chrono::hours(2));
  record(user(), "iam", noon + std::chrono::hours(1));  // comes late, and changes nothing
  auto snapshot = store->snapshot();
  ASSERT_TRUE(snapshot);
  store::Tx tx(**snapshot);
  const auto entity = tx.get<EntityUseRecord>(keys::entity_use(account, "AIDAEXAMPLE"));
  ASSERT_TRUE(entity && *entity);
  EXPECT_EQ((*entity)->services.at("s3"), noon);
  EXPECT_EQ((*entity)->last_service(), "iam");
  const auto key = tx.get<KeyUseRecord>(keys::key_use(account, "AKIAEXAMPLE"));
  ASSERT_TRUE(key && *key);
  EXPECT_EQ((*key)->service, "iam");
  EXPECT_EQ((*key)->at, noon + std::chrono::hours(2));
}

TEST(AccessJobs, TheNewestOfTheLastDayAreKept) {
  const auto engine = store::open_memory_store();
  AccessJobRecord job;
  job.arn = "arn:aws:iam::111111111111:user/ann";
  const auto add = [&](const std::string& id, Timestamp at) {
    const auto snapshot = *engine->snapshot();
    store::Tx tx(*snapshot);
    job.created = at;
    ASSERT_TRUE(add_access_job(tx, account, id, job));
    ASSERT_EQ(store::commit_and_wait(*engine, tx.take_batch()).status,
              store::CommitStatus::committed);
  };
  const auto found = [&](const std::string& id, Timestamp at) {
    const auto snapshot = *engine->snapshot();
    store::Tx tx(*snapshot);
    return find_access_job(tx, account, id, at)->has_value();
  };
  for (std::size_t i = 0; i <= access_jobs_max; ++i) {
    add(std::to_string(i), noon + std::chrono::seconds(i));
  }
  EXPECT_FALSE(found("0", noon));
  EXPECT_TRUE(found("1", noon));
  EXPECT_TRUE(found("1000", noon + access_job_lifetime));
  EXPECT_FALSE(found("1000", noon + access_job_lifetime + std::chrono::seconds(1000)));
  add("new", noon + access_job_lifetime + std::chrono::seconds(500));
  EXPECT_FALSE(found("500", noon));
  EXPECT_TRUE(found("501", noon));
}

}  // namespace
}  // namespace wolke::identity
