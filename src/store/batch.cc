#include "wolke/store/batch.h"

#include <fmt/core.h>

#include <condition_variable>
#include <mutex>

#include "wolke/store/keys.h"

namespace wolke::store {

namespace {

/// Bounds one key and its value, and sums up what the batch weighs.
struct Weigher {
  std::size_t bytes = 0;
  std::size_t entries = 0;
  bool key_too_long = false;
  bool record_too_large = false;

  void operator()(std::string_view key, std::size_t value_bytes) {
    entries += 1;
    bytes += key.size() + value_bytes;
    key_too_long |= key.size() > key_bytes_max;
    record_too_large |= value_bytes > limits::record_bytes_max;
  }
};

Weigher weigh(const Batch& batch) {
  Weigher weigher;
  for (const Check& check : batch.checks) weigher(check.key.bytes, 0);
  for (const EmptyCheck& check : batch.empty_checks) weigher(check.begin, 0);
  for (const Put& put : batch.puts) weigher(put.key.bytes, put.value.size());
  for (const Key& key : batch.deletes) weigher(key.bytes, 0);
  for (const Add& add : batch.adds) weigher(add.key.bytes, sizeof add.delta);
  for (const Append& append : batch.appends) weigher(append.prefix, append.value.size());
  return weigher;
}

}  // namespace

std::size_t batch_bytes(const Batch& batch) {
  return weigh(batch).bytes;
}

std::size_t value_bytes(const Batch& batch) {
  std::size_t bytes = 0;
  for (const Put& put : batch.puts) bytes += put.value.size();
  for (const Append& append : batch.appends) bytes += append.value.size();
  return bytes;
}

std::optional<Error> refuse_batch(const Batch& batch) {
  for (const ShardEpoch& epoch : batch.epochs) {
    if (epoch.epoch != 0) {
      return Error{
          .code = "FencedOff",
          .status = 503,
          .message = fmt::format("Shard {} is at epoch 0, not {}.", epoch.shard, epoch.epoch)};
    }
  }
  const Weigher weight = weigh(batch);
  if (weight.key_too_long) {
    return Error{.code = "KeyTooLong",
                 .status = 400,
                 .message = fmt::format("A key has more than {} bytes.", key_bytes_max)};
  }
  if (weight.record_too_large) {
    return Error{
        .code = "RecordTooLarge",
        .status = 400,
        .message = fmt::format("A record has more than {} bytes.", limits::record_bytes_max)};
  }
  if (weight.bytes > batch_bytes_max || weight.entries > batch_entries_max) {
    return Error{
        .code = "BatchTooLarge",
        .status = 400,
        .message = fmt::format("A batch has {} entries with {} bytes; the limits are {} and {}.",
                               weight.entries, weight.bytes, batch_entries_max, batch_bytes_max)};
  }
  return std::nullopt;
}

std::string append_key(std::string_view prefix, Version version, std::uint32_t index) {
  std::string key;
  key.reserve(prefix.size() + 12);
  key.append(prefix);
  for (int shift = 56; shift >= 0; shift -= 8)
    key.push_back(static_cast<char>((version >> shift) & 0xFF));
  for (int shift = 24; shift >= 0; shift -= 8)
    key.push_back(static_cast<char>((index >> shift) & 0xFF));
  return key;
}

Error not_a_counter() {
  return {.code = "Corrupt", .status = 500, .message = "A counter's record is damaged."};
}

CommitResult committed(Version version) {
  return {.status = CommitStatus::committed, .version = version, .error = {}};
}

CommitResult conflict() {
  return {.status = CommitStatus::conflict, .version = 0, .error = {}};
}

CommitResult failed(Error error) {
  return {.status = CommitStatus::failed, .version = 0, .error = std::move(error)};
}

CommitResult commit_and_wait(Store& store, Batch batch) {
  std::mutex mutex;
  std::condition_variable arrived;
  std::optional<CommitResult> result;
  store.commit(std::move(batch), [&](CommitResult outcome) {
    // Notified under the lock: the waiter cannot return, and destroy these, before we are out.
    std::lock_guard lock(mutex);
    result = std::move(outcome);
    arrived.notify_one();
  });
  std::unique_lock lock(mutex);
  arrived.wait(lock, [&] { return result.has_value(); });
  return *std::move(result);
}

}  // namespace wolke::store
