#include "wolke/store/sqlite_store.h"

#include <algorithm>
#include <iterator>

#include "wolke/store/batch.h"
#include "wolke/store/disk_room.h"
#include "wolke/store/durable_directory.h"
#include "wolke/store/log_recovery.h"

namespace wolke::store {

namespace {

constexpr const char* database_name = "/records.db";
constexpr const char* log_name = "/records.db-wal";
// The log is moved into the database when there is nothing else to do, or at last when it is this
// long. A short log makes a start after a crash quick (it is read whole), a long one lets pages
// that change often be moved once.
constexpr int log_pages_when_idle = 256;
constexpr auto idle_time = std::chrono::milliseconds(20);
constexpr int log_pages_max = 4096;
// So long a log means that a reader kept it from being reset.
constexpr int log_pages_blocked = 4 * log_pages_max;

Error overloaded() {
  return {.code = "StoreOverloaded",
          .status = 503,
          .message = "Too many writes are waiting for the disk; please reduce your request rate."};
}

}  // namespace

SqliteStore::SqliteStore(Env env, const SqliteOptions& options, const SqliteTesting& testing)
    : env_(env),
      directory_(options.directory),
      reserve_bytes_(options.reserve_bytes),
      testing_(testing),
      vfs_(env, options.directory, testing.bugs),
      writer_(vfs_),
      readers_(vfs_, options.directory + database_name) {}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(Env env, SqliteOptions options,
                                                       SqliteTesting testing) {
  while (options.directory.size() > 1 && options.directory.ends_with('/')) {
    options.directory.pop_back();
  }
  TRY(make_durable_directory(env.disk, options.directory));
  std::unique_ptr<SqliteStore> store(new SqliteStore(env, options, testing));
  if (testing.locking == DirectoryLocking::exclusive) {
    TRY(store->lock_, DirectoryLock::take(options.directory, options.lock_note));
  }
  if (!testing.bugs.trust_old_log) {
    TRY(take_over_log(env.disk, store->directory_ + log_name));
  }
  TRY(store->writer_.open(store->directory_ + database_name));
  // The files' names: a server that was killed may have made them without getting to this line.
  TRY(store->vfs_.sync_directory());
  if (testing.pace == WriterPace::own_thread) {
    store->thread_ = std::thread([raw = store.get()] { raw->write_until_stopped(); });
  }
  return store;
}

SqliteStore::~SqliteStore() {
  if (thread_.joinable()) {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      work_.notify_one();
    }
    thread_.join();
  }
  writer_.checkpoint_for_close();
}

void SqliteStore::commit(Batch batch, std::function<void(CommitResult)> done) {
  if (auto refused = refuse_batch(batch)) return done(failed(*std::move(refused)));
  const std::size_t bytes = batch_bytes(batch);
  bool run_here = false;
  {
    std::lock_guard lock(mutex_);
    if (queued_bytes_ + bytes <= queue_bytes_max) {
      queue_.push_back({std::move(batch), std::move(done), bytes});
      queued_bytes_ += bytes;
      run_here = testing_.pace == WriterPace::in_caller && !held_;
      if (queue_.size() == 1) work_.notify_one();
      done = nullptr;
    }
  }
  if (done) return done(failed(overloaded()));
  if (run_here) drain();
}

void SqliteStore::hold() {
  std::lock_guard lock(mutex_);
  held_ = true;
}

void SqliteStore::release() {
  {
    std::lock_guard lock(mutex_);
    held_ = false;
    work_.notify_one();
  }
  if (testing_.pace == WriterPace::in_caller) drain();
}

std::vector<SqliteStore::Queued> SqliteStore::take_group() {
  std::size_t count = 0;
  std::size_t bytes = 0;
  while (count < queue_.size() && count < group_batches_max) {
    bytes += queue_[count].bytes;
    if (count > 0 && bytes > group_bytes_max) break;
    ++count;
  }
  std::vector<Queued> group;
  if (count == queue_.size()) {
    group.swap(queue_);
    queued_bytes_ = 0;
    return group;
  }
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
  group.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  for (const Queued& queued : group) queued_bytes_ -= queued.bytes;
  return group;
}

void SqliteStore::write_until_stopped() {
  std::unique_lock lock(mutex_);
  const auto ready = [&] { return stopping_ || (!queue_.empty() && !held_); };
  while (true) {
    if (writer_.log_pages() < log_pages_when_idle) {
      work_.wait(lock, ready);
    } else if (!work_.wait_for(lock, idle_time, ready)) {
      lock.unlock();
      checkpoint();
      lock.lock();
      work_.wait(lock, ready);
    }
    if (queue_.empty()) return;
    std::vector<Queued> group = take_group();
    lock.unlock();
    commit_group(std::move(group));
    if (writer_.log_pages() >= log_pages_max) checkpoint();
    lock.lock();
  }
}

void SqliteStore::drain() {
  std::unique_lock lock(mutex_);
  while (!queue_.empty() && !held_) {
    std::vector<Queued> group = take_group();
    lock.unlock();
    commit_group(std::move(group));
    if (writer_.log_pages() >= log_pages_when_idle) checkpoint();
    lock.lock();
  }
}

/// Pages that deletes left free in the database count: values that lie in the commit go there. What
/// the log holds is still to be moved, and may need as much again.
bool SqliteStore::is_short_of_room() {
  if (reserve_bytes_ == 0) return false;
  const std::uint64_t needed =
      reserve_bytes_ + static_cast<std::uint64_t>(writer_.log_pages()) * page_bytes;
  const Result<std::uint64_t> free = env_.disk.free_bytes(directory_);
  if (!free || *free >= needed) return false;
  return *free + writer_.free_bytes() < needed;
}

void SqliteStore::commit_group(std::vector<Queued> group) {
  if (is_short_of_room()) {
    const auto large = std::stable_partition(group.begin(), group.end(), [](const Queued& queued) {
      return value_bytes(queued.batch) <= small_values_bytes;
    });
    for (auto refused = large; refused != group.end(); ++refused) {
      refused->done(failed(disk_full()));
    }
    group.erase(large, group.end());
    if (group.empty()) return;
  }
  std::vector<GroupMember> members;
  members.reserve(group.size());
  for (Queued& queued : group) members.push_back({.batch = &queued.batch, .result = {}});
  writer_.commit(members);
  Watchers::Touched touched;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (members[i].result.status == CommitStatus::committed) {
      watchers_.touch(group[i].batch, touched);
    }
  }
  // What a hint makes stale is never used after the acknowledgement.
  Watchers::call(touched);
  for (std::size_t i = 0; i < group.size(); ++i) group[i].done(std::move(members[i].result));
}

void SqliteStore::checkpoint() {
  if (writer_.log_pages() >= log_pages_blocked) {
    readers_.end_old_snapshots(env_.clock.monotonic());
  }
  writer_.checkpoint();
}

Result<std::unique_ptr<Store>> open_sqlite_store(Env env, SqliteOptions options) {
  TRY(std::unique_ptr<SqliteStore> store, SqliteStore::open(env, std::move(options), {}));
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace wolke::store
