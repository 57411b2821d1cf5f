// kill -9 of a process that writes as fast as it can, on the real disk: what it was told is durable
// is there, and nothing is there in part. WOLKE_KILLS sets how often.
#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "wolke/base/fd.h"
#include "wolke/store/blobs.h"
#include "wolke/store/counter.h"
#include "wolke/store/engines_for_test.h"
#include "wolke/store/keys.h"
#include "wolke/store/tx.h"

namespace wolke::store {
namespace {

constexpr std::uint64_t clients = 4;
constexpr std::uint64_t blob_every = 16;  // commits

/// What the writing process says over the pipe after each acknowledgement.
struct Acknowledged {
  std::uint64_t client = 0;
  std::uint64_t sequence = 0;
};

Key item_key(std::uint64_t client, std::uint64_t sequence) {
  return {0, KeyBuilder("item").number(client).number(sequence).build()};
}
Key counter_key(std::uint64_t client) {
  return {1, KeyBuilder("count").number(client).build()};
}
std::string log_prefix(std::uint64_t client) {
  return KeyBuilder("log").number(client).build();
}

std::string blob_content(std::uint64_t client, std::uint64_t sequence) {
  std::string out;
  while (out.size() < 100'000) out += fmt::format("{}/{} ", client, sequence);
  return out;
}

struct Opened {
  std::unique_ptr<Store> store;
  std::unique_ptr<BlobStore> blobs;
};

Opened open(const std::string& directory) {
  auto store = open_sqlite_store(system_env(), {.directory = directory, .lock_note = "kill test"});
  auto blobs = open_file_blobs(system_env(), directory + "/blobs", keys_for_test());
  ASSERT(store && blobs);
  return {*std::move(store), *std::move(blobs)};
}

/// One client of the process that will be killed.
void write_for_ever(Opened& opened, std::uint64_t client, std::uint64_t sequence, int pipe) {
  for (;; ++sequence) {
    auto snapshot = *opened.store->snapshot();
    Tx tx(*snapshot);
    std::string value = fmt::format("value {}", sequence);
    if (sequence % blob_every == 0) {
      auto writer = *opened.blobs->create({.account = "111122223333"});
      ASSERT(writer->write(blob_content(client, sequence)));
      const BlobRef ref = *writer->seal();
      tx.refer(ref, item_key(client, sequence).bytes);
      value = ref.id;
    }
    tx.put_bytes(item_key(client, sequence), std::move(value));
    tx.add(counter_key(client), 1);
    tx.append_bytes(2, log_prefix(client), "entry");
    ASSERT(commit_and_wait(*opened.store, tx.take_batch()).status == CommitStatus::committed);
    const Acknowledged told{client, sequence};
    ASSERT(::write(pipe, &told, sizeof told) == sizeof told);
  }
}

[[noreturn]] void be_the_writer(const std::string& directory,
                                const std::vector<std::uint64_t>& next, int pipe) {
  Opened opened = open(directory);
  std::vector<std::thread> threads;
  for (std::uint64_t client = 0; client < clients; ++client) {
    threads.emplace_back([&, client] { write_for_ever(opened, client, next[client], pipe); });
  }
  for (;;) ::pause();
}

std::size_t count(Store& store, Shard shard, const std::string& prefix, std::uint64_t blobs_of,
                  BlobStore* blobs) {
  std::size_t found = 0;
  Scan scan{.shard = shard, .begin = prefix, .end = prefix_end(prefix)};
  for (bool more = true; more;) {
    auto snapshot = *store.snapshot();
    const Page page = snapshot->scan(scan).value();
    for (const Record& record : page.records) {
      scan.begin = record.key + '\0';
      if (blobs != nullptr && found % blob_every == 0) {
        const std::string content = blob_content(blobs_of, found);
        auto reader = blobs->open({.id = record.value, .size = content.size()});
        EXPECT_TRUE(reader) << "blob of item " << found;
        if (reader) EXPECT_EQ((*reader)->read(0, content.size()), content);
      } else if (blobs != nullptr) {
        EXPECT_EQ(record.value, fmt::format("value {}", found));
      }
      ++found;
    }
    more = page.more;
  }
  return found;
}

TEST(StoreKill, WhatWasAcknowledgedBeforeKill9IsThere) {
  const char* text = std::getenv("WOLKE_KILLS");
  const int kills = text ? std::stoi(text) : 10;
  const TemporaryDirectory directory;
  const std::string data = directory.path() + "/data";
  Random& random = system_env().random;
  std::vector<std::uint64_t> next(clients, 0);
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < kills; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    Fd from(ends[0]);
    Fd to(ends[1]);
    const pid_t pid = ::fork();
    if (pid == 0) be_the_writer(data, next, to.get());
    to.reset();
    std::vector<std::uint64_t> told(next);  // one behind the last acknowledged
    const std::uint64_t enough = random.below(300);
    Acknowledged one;
    for (std::uint64_t heard = 0; ::read(from.get(), &one, sizeof one) == sizeof one; ++heard) {
      told[one.client] = one.sequence + 1;
      ++acknowledged;
      if (heard == enough) ::kill(pid, SIGKILL);
    }
    ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
    Opened opened = open(data);
    for (std::uint64_t client = 0; client < clients; ++client) {
      const std::string items = KeyBuilder("item").number(client).build();
      const std::size_t found = count(*opened.store, 0, items, client, opened.blobs.get());
      EXPECT_GE(found, told[client]) << "acknowledged and lost";
      EXPECT_LE(found, told[client] + 1) << "each client has one commit in flight";
      auto snapshot = *opened.store->snapshot();
      const auto counter = snapshot->get(counter_key(client)).value();
      EXPECT_EQ(counter ? read_counter(counter->value) : 0, static_cast<std::int64_t>(found));
      EXPECT_EQ(count(*opened.store, 2, log_prefix(client), 0, nullptr), found);
      next[client] = found;
    }
    if (HasFailure()) return;
  }
  fmt::print("store kill: {} kills, {} batches acknowledged, 0 lost\n", kills, acknowledged);
}

}  // namespace
}  // namespace wolke::store
