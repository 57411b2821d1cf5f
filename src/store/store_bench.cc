// Durable small records beside a plain write+fdatasync loop of the same run, and what reading and
// encoding cost.
//
//   store_bench [--smoke] [directory]
//
// Each row of the table is one boundary: commit() until `done`, one record of 200 bytes, by 1, 8
// and 64 clients. The loop beside it overwrites a preallocated file: the cheapest way to make 200
// bytes durable one at a time.
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "wolke/store/blobs.h"
#include "wolke/store/engines.h"
#include "wolke/store/engines_for_test.h"
#include "wolke/store/keys.h"
#include "wolke/store/tx.h"

namespace wolke::store {
namespace {

using Clock = std::chrono::steady_clock;

double cpu_micros() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto micros = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  };
  return micros(usage.ru_utime) + micros(usage.ru_stime);
}

struct Row {
  double per_second = 0;
  double cpu_micros_each = 0;
  double p50_micros = 0;
  double p99_micros = 0;
};

/// Runs `one(client, round)` on `clients` threads for `seconds`.
template <class One>
Row measure(int clients, double seconds, One one) {
  std::atomic<bool> stop = false;
  std::vector<std::vector<double>> latencies(static_cast<std::size_t>(clients));
  const double cpu_before = cpu_micros();
  const auto start = Clock::now();
  std::vector<std::thread> threads;
  for (int client = 0; client < clients; ++client) {
    threads.emplace_back([&, client] {
      auto& mine = latencies[static_cast<std::size_t>(client)];
      for (std::uint64_t round = 0; !stop; ++round) {
        const auto before = Clock::now();
        one(client, round);
        mine.push_back(std::chrono::duration<double, std::micro>(Clock::now() - before).count());
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  std::vector<double> all;
  for (const auto& mine : latencies) all.insert(all.end(), mine.begin(), mine.end());
  std::ranges::sort(all);
  const auto count = static_cast<double>(all.size());
  return {.per_second = count / elapsed,
          .cpu_micros_each = (cpu_micros() - cpu_before) / count,
          .p50_micros = all[all.size() / 2],
          .p99_micros = all[all.size() * 99 / 100]};
}

void print(const char* what, int clients, const Row& row) {
  fmt::print("{:<34} {:>3} {:>10.0f}/s {:>8.1f} us CPU {:>8.0f} us p50 {:>8.0f} us p99\n", what,
             clients, row.per_second, row.cpu_micros_each, row.p50_micros, row.p99_micros);
}

Row plain_loop(const std::string& directory, double seconds, std::size_t bytes) {
  auto file = *system_env().disk.open(directory + "/plain", OpenMode::create_or_open);
  constexpr std::uint64_t file_bytes = 16 << 20;
  ASSERT(file->write_at(0, std::string(file_bytes, '\0')));
  ASSERT(file->sync());
  const std::string record(bytes, 'r');
  std::uint64_t offset = 0;
  return measure(1, seconds, [&](int, std::uint64_t) {
    ASSERT(file->write_at(offset, record));
    ASSERT(file->sync());
    offset = (offset + record.size()) % (file_bytes - record.size());
  });
}

Key random_key(int client, std::uint64_t round) {
  const auto mixed =
      (static_cast<std::uint64_t>(client) * 1'000'003 + round) * 0x9E3779B97F4A7C15ULL;
  return {0, KeyBuilder("object").number(mixed).build()};
}

void must(const CommitResult& result) {
  ASSERT(result.status == CommitStatus::committed);
}

void commits(Store& store, double seconds) {
  const std::string value(200, 'v');
  for (const int clients : {1, 8, 64}) {
    print("append, 200 B", clients, measure(clients, seconds, [&](int, std::uint64_t) {
            must(commit_and_wait(store, {.appends = {{0, "log/", value}}}));
          }));
  }
  for (const int clients : {1, 8, 64}) {
    print("random key with a check, 200 B", clients,
          measure(clients, seconds, [&](int client, std::uint64_t round) {
            const Key key = random_key(client + 1000 * clients, round);
            must(commit_and_wait(store, {.checks = {{key, 0}}, .puts = {{key, value}}}));
          }));
  }
  const std::string body(4096, 'b');
  print("random key with a check, 4 KiB", 64,
        measure(64, seconds, [&](int client, std::uint64_t round) {
          const Key key = random_key(client + 1'000'000, round);
          must(commit_and_wait(store, {.checks = {{key, 0}}, .puts = {{key, body}}}));
        }));
  print("counter add", 64, measure(64, seconds, [&](int, std::uint64_t) {
          must(commit_and_wait(store, {.adds = {{{1, "counter"}, 1}}}));
        }));
}

void reads(Store& store, double seconds) {
  for (int i = 0; i < 1000; ++i) {
    must(commit_and_wait(
        store,
        {.puts = {{{2, KeyBuilder("r").number(static_cast<std::uint64_t>(i)).build()}, "v"}}}));
  }
  print("snapshot, one get, tx dropped", 2, measure(2, seconds, [&](int, std::uint64_t round) {
          auto snapshot = *store.snapshot();
          Tx tx(*snapshot);
          ASSERT(tx.get_bytes({2, KeyBuilder("r").number(round % 1000).build()}).value());
        }));
  auto snapshot = *store.snapshot();
  Tx tx(*snapshot);
  print("one more get of a snapshot", 1,
        measure(1, std::min(seconds, 2.0), [&](int, std::uint64_t round) {
          ASSERT(tx.peek_bytes({2, KeyBuilder("r").number(round % 1000).build()}).value());
        }));
}

struct Object : Fields {
  std::string name = "photos/2026/photo.jpg";
  std::string etag = std::string(16, 'e');
  Timestamp modified;
  std::map<std::string, std::string> metadata = {{"content-type", "image/jpeg"}, {"author", "me"}};
  Body body;
  static constexpr int format = 1;
  void visit(auto&& v) { v(1, name), v(2, etag), v(3, modified), v(4, metadata), v(5, body); }
};

void codec(double seconds) {
  Object object;
  object.body.inline_bytes = std::string(200, 'b');
  const std::string key = KeyBuilder("object").text("photos").text(object.name).build();
  const std::string value = encode(object, key);
  constexpr int at_once = 100;  // so that reading the clock does not count
  const auto print_each = [](const char* what, Row row) {
    fmt::print("{:<34} {:>18.2f} us CPU\n", what, row.cpu_micros_each / at_once);
  };
  print_each("encode an object record", measure(1, seconds, [&](int, std::uint64_t) {
               for (int i = 0; i < at_once; ++i) ASSERT(!encode(object, key).empty());
             }));
  print_each("decode an object record", measure(1, seconds, [&](int, std::uint64_t) {
               for (int i = 0; i < at_once; ++i) ASSERT(decode<Object>(value, key));
             }));
}

void blobs(const std::string& directory, double seconds) {
  auto store = *open_file_blobs(system_env(), directory + "/blobs", keys_for_test());
  const KeyChoice key{.account = "111122223333", .customer_key = {}};
  const std::string content(1 << 20, 'c');
  print("blob of 1 MiB, sealed", 4, measure(4, seconds, [&](int, std::uint64_t) {
          auto writer = *store->create(key);
          ASSERT(writer->write(content));
          ASSERT(writer->seal());
        }));
  auto writer = *store->create(key);
  ASSERT(writer->write(content));
  auto reader = *store->open(*writer->seal());
  print("read and verify 1 MiB", 1,
        measure(1, seconds, [&](int, std::uint64_t) { ASSERT(reader->read(0, 1 << 20)); }));
}

void cipher(double seconds) {
  const Keyring keys = keys_for_test();
  const std::string account = "111122223333";
  Random& random = system_env().random;
  const std::string plain(4096, 'p');
  const std::string sealed = seal_small(keys, account, random, plain);
  constexpr int at_once = 100;
  const auto print_each = [](const char* what, Row row) {
    fmt::print("{:<34} {:>18.2f} us CPU\n", what, row.cpu_micros_each / at_once);
  };
  print_each("encrypt a small body of 4 KiB", measure(1, seconds, [&](int, std::uint64_t) {
               for (int i = 0; i < at_once; ++i) {
                 ASSERT(!seal_small(keys, account, random, plain).empty());
               }
             }));
  print_each("decrypt a small body of 4 KiB", measure(1, seconds, [&](int, std::uint64_t) {
               for (int i = 0; i < at_once; ++i) ASSERT(open_small(keys, account, sealed));
             }));
}

void starts(const std::string& directory) {
  const auto start = Clock::now();
  auto store =
      open_sqlite_store(system_env(), {.directory = directory + "/store", .lock_note = ""});
  ASSERT(store);
  auto snapshot = *(*store)->snapshot();
  ASSERT(snapshot->get({0, "k"}));
  fmt::print("start of an existing store: {:.1f} ms\n",
             std::chrono::duration<double, std::milli>(Clock::now() - start).count());
}

int run(bool smoke, const std::string& directory) {
  const double seconds = smoke ? 0.05 : 3;
  {
    auto store =
        *open_sqlite_store(system_env(), {.directory = directory + "/store", .lock_note = ""});
    print("plain write + fdatasync, 200 B", 1, plain_loop(directory, seconds, 200));
    print("plain write + fdatasync, 4 KiB", 1, plain_loop(directory, seconds, 4096));
    commits(*store, seconds);
    reads(*store, seconds);
  }
  codec(seconds / 3);
  cipher(seconds / 3);
  blobs(directory, seconds);
  starts(directory);
  return 0;
}

}  // namespace
}  // namespace wolke::store

int main(int argc, char** argv) {
  bool smoke = false;
  std::string directory;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--smoke") == 0) {
      smoke = true;
    } else {
      directory = argv[i];
    }
  }
  if (!directory.empty()) return wolke::store::run(smoke, directory);
  const wolke::store::TemporaryDirectory temporary;
  return wolke::store::run(smoke, temporary.path());
}
