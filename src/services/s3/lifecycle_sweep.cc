#include "wolke/services/s3/lifecycle_sweep.h"

#include "wolke/observe/log.h"
#include "wolke/operation/runner.h"
#include "wolke/services/s3/configuration.h"
#include "wolke/services/s3/lifecycle.h"
#include "wolke/services/s3/lock.h"
#include "wolke/services/s3/versions.h"

namespace wolke::s3 {
namespace {

using store::Tx;

class Sweep {
 public:
  Sweep(store::Store& store, Random& random, Timestamp now, std::string bucket,
        LifecycleRules rules)
      : store_(store), now_(now), bucket_(std::move(bucket)), rules_(std::move(rules)) {
    context_.random = &random;
    context_.now = now;
  }

  Result<std::size_t> run() {
    TRY(each_record(objects_range(bucket_, ""), [this](const store::Record& record) {
      std::string key = last_text(record.key);
      return change([&](Tx& tx) { return judge_key(tx, key); });
    }));
    TRY(each_record(uploads_range(bucket_, ""), [this](const store::Record& record) {
      UploadName name = upload_name(record.key);
      return change([&](Tx& tx) { return judge_upload(tx, name); });
    }));
    return changed_;
  }

 private:
  template <class Visit>
  Result<void> each_record(KeyRange range, Visit visit) {
    bool more = true;
    while (more) {
      TRY(std::unique_ptr<store::Snapshot> snapshot, store_.snapshot());
      TRY(store::Page page,
          snapshot->scan(
              {.shard = range.shard, .begin = range.begin, .end = range.end, .records_max = 1000}));
      for (const store::Record& record : page.records) {
        TRY(visit(record));
      }
      more = page.more && !page.records.empty();
      if (more) range.begin = page.records.back().key + '\0';
    }
    return {};
  }

  /// `judge` tells how much it changed; a transaction that changes nothing costs no commit.
  template <class Judge>
  Result<void> change(Judge judge) {
    std::size_t count = 0;
    TRY(operation::transact_blocking(store_, [&](Tx& tx) -> Result<void> {
      TRY(count, judge(tx));
      return {};
    }));
    changed_ += count;
    return {};
  }

  Result<std::size_t> judge_key(Tx& tx, const std::string& key) {
    TRY(std::optional<Bucket> bucket, tx.get<Bucket>(bucket_key(bucket_)));
    TRY(std::optional<Object> current, current_version(tx, bucket_, key));
    if (!bucket || !current) return 0U;
    TRY(std::size_t older, judge_older(tx, key, *current));
    if (current->delete_marker) {
      TRY(std::size_t marker, judge_marker(tx, key));
      return older + marker;
    }
    if (is_expired(rules_, key, *current, now_)) {
      TRY(expire(tx, *bucket, key, *current));
      return older + 1;
    }
    if (std::optional<std::string> due = due_storage_class(rules_, key, *current, now_)) {
      // What became of older versions may have changed the record.
      TRY(current, current_version(tx, bucket_, key));
      current->storage_class = *due;
      tx.put(object_key(bucket_, key), *current);
      return older + 1;
    }
    return older;
  }

  Result<void> expire(Tx& tx, const Bucket& bucket, const std::string& key, const Object& current) {
    if (bucket.versioning.empty()) {
      return remove_version(tx, bucket_, key, {current, object_key(bucket_, key), true});
    }
    Object marker;
    marker.delete_marker = true;
    marker.modified = std::chrono::floor<std::chrono::seconds>(now_);
    TRY(std::optional<Object> latest, current_version(tx, bucket_, key));
    TRY(add_version(tx, context_, bucket, key, latest, std::move(marker), Content{}));
    return {};
  }

  /// Each older version became one when the next newer was written.
  Result<std::size_t> judge_older(Tx& tx, const std::string& key, const Object& current) {
    if (current.ordinal == 0) return 0U;
    std::size_t removed = 0, newer = 0;
    Timestamp since = current.modified;
    KeyRange range = versions_of(bucket_, key);
    bool more = true;
    while (more) {
      TRY(store::Page page,
          tx.scan({.shard = range.shard, .begin = range.begin, .end = range.end}));
      for (const store::Record& record : page.records) {
        store::Key place{range.shard, record.key};
        TRY(std::optional<Object> object, tx.get<Object>(place));
        if (!object) continue;
        Timestamp modified = object->modified;
        if (is_older_expired(rules_, key, *object, since, newer, now_) &&
            check_unlocked(object->lock, now_, Bypass::no)) {
          TRY(remove_version(tx, bucket_, key, {*std::move(object), std::move(place), false}));
          ++removed;
        }
        since = modified;
        ++newer;
      }
      more = page.more && !page.records.empty();
      if (more) range.begin = page.records.back().key + '\0';
    }
    return removed;
  }

  Result<std::size_t> judge_marker(Tx& tx, const std::string& key) {
    TRY(std::optional<Object> marker, current_version(tx, bucket_, key));
    KeyRange range = versions_of(bucket_, key);
    TRY(store::Page page, tx.scan({.shard = range.shard, .begin = range.begin, .end = range.end}));
    for (const store::Record& record : page.records) {
      TRY(std::optional<Object> hidden, tx.get<Object>({range.shard, record.key}));
      if (hidden) return 0U;
    }
    if (page.more || !is_marker_expired(rules_, key, *marker, now_)) return 0U;
    TRY(remove_version(tx, bucket_, key, {*std::move(marker), object_key(bucket_, key), true}));
    return 1U;
  }

  Result<std::size_t> judge_upload(Tx& tx, const UploadName& name) {
    store::Key place = upload_key(bucket_, name.key, name.upload_id);
    TRY(std::optional<Upload> upload, tx.get<Upload>(place));
    if (!upload || !is_upload_expired(rules_, name.key, upload->initiated, now_)) return 0U;
    TRY(erase_upload(tx, bucket_, name.key, name.upload_id));
    return 1U;
  }

  store::Store& store_;
  Timestamp now_;
  std::string bucket_;
  LifecycleRules rules_;
  operation::Context context_;
  std::size_t changed_ = 0;
};

Result<LifecycleRules> rules_of(Tx& tx, const std::string& bucket) {
  TRY(auto configuration,
      read_configuration<model::s3::BucketLifecycleConfiguration>(tx, bucket, kind::lifecycle));
  if (!configuration || !configuration->rules) return LifecycleRules{};
  return *std::move(configuration->rules);
}

Result<std::size_t> sweep_bucket(store::Store& store, Random& random, Timestamp now, Tx& tx,
                                 const std::string& bucket) {
  TRY(LifecycleRules rules, rules_of(tx, bucket));
  return Sweep(store, random, now, bucket, std::move(rules)).run();
}

}  // namespace

Result<std::optional<std::size_t>> sweep_lifecycle(store::Store& store, Random& random,
                                                   Timestamp now) {
  std::string today = format_iso8601(
      std::chrono::time_point_cast<Millis>(std::chrono::floor<std::chrono::days>(now)));
  TRY(std::unique_ptr<store::Snapshot> snapshot, store.snapshot());
  Tx tx(*snapshot);
  KeyRange range = scheduled_range();
  bool more = true;
  while (more) {
    TRY(store::Page page, tx.scan({.shard = range.shard, .begin = range.begin, .end = range.end}));
    for (const store::Record& record : page.records) {
      if (record.value == today) continue;
      std::string bucket = last_text(record.key);
      // A bucket that cannot be swept does not stop the others: it is tried again tomorrow.
      Result<std::size_t> changed = sweep_bucket(store, random, now, tx, bucket);
      if (!changed) {
        observe::log(observe::Level::warning, "s3", "lifecycle: " + changed.error().message,
                     {{"bucket", bucket}});
      }
      TRY(operation::transact_blocking(store, [&](Tx& done) -> Result<void> {
        // Gone, or set anew meanwhile: then it is due again.
        TRY(std::optional<std::string> value, done.get_bytes(scheduled_key(bucket)));
        if (value && *value == record.value) done.put_bytes(scheduled_key(bucket), today);
        return {};
      }));
      return changed.value_or(0);
    }
    more = page.more && !page.records.empty();
    if (more) range.begin = page.records.back().key + '\0';
  }
  return std::nullopt;
}

}  // namespace wolke::s3
