// The speed of searching: a group of a function's lines in the SQLite store, read whole by
// FilterLogEvents and by a query, beside a plain search of such text in memory. CPU time of the
// process; `--smoke` searches little, a number is the megabytes to search.
#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <string_view>

#include "wolke/base/text.h"
#include "wolke/operation/runner.h"
#include "wolke/services/logs/append.h"
#include "wolke/services/logs/ops.h"
#include "wolke/store/engines.h"
#include "wolke/store/engines_for_test.h"

namespace wolke::logs {
namespace {

constexpr std::size_t streams = 8;
constexpr std::size_t batch_events = 2000;
constexpr std::size_t plain_bytes_max = 256'000'000;
constexpr const char* missing = "never-said-by-this-function";

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

std::string line_of(std::size_t number) {
  const std::string request = fmt::format("{:08x}-64c6-492f-afc6-{:012x}", number / 4, number / 4);
  switch (number % 4) {
    case 0:
      return fmt::format("START RequestId: {} Version: $LATEST\n", request);
    case 1:
      return fmt::format(
          "2026-11-23T19:31:06.551Z\t{}\tINFO\t{{\"level\":\"info\",\"bucket\":\"photos\",\"key\":"
          "\"2026/11/{}.jpg\",\"size\":{},\"message\":\"made a thumbnail of the picture\"}}\n",
          request, number, number * 7919 % 5'000'000);
    case 2:
      return fmt::format("END RequestId: {}\n", request);
    default:
      return fmt::format(
          "REPORT RequestId: {}\tDuration: {}.29 ms\tBilled Duration: {} ms\tMemory Size: 1024 "
          "MB\tMax Memory Used: 60 MB\t\n",
          request, number % 400, number % 400 + 1);
  }
}

class Bench {
 public:
  explicit Bench(const std::string& directory)
      : store_(*store::open_sqlite_store(system_env(),
                                         {.directory = directory + "/store", .lock_note = ""})) {}

  void fill(std::size_t bytes_wanted) {
    const Timestamp now = context_.now;
    for (std::size_t number = 0; bytes_ < bytes_wanted;) {
      std::vector<NewEvent> events;
      for (std::size_t i = 0; i < batch_events; ++i, ++number) {
        NewEvent& event = events.emplace_back();
        event.timestamp_ms = to_millis(now) - 3'600'000 + static_cast<std::int64_t>(number / 8);
        event.message = line_of(number);
        bytes_ += event.message.size();
        if (text_.size() < plain_bytes_max) text_ += event.message;
      }
      const StreamName stream{{context_.account, context_.region, "/aws/lambda/bench"},
                              fmt::format("stream-{}", number / batch_events % streams)};
      ASSERT(operation::transact_blocking(*store_, [&](Tx& tx) {
        return append_events(tx, stream, events, now, *context_.random);
      }));
    }
  }

  void filter() {
    std::size_t calls = 0;
    op::FilterLogEvents::Input input;
    input.log_group_name = "/aws/lambda/bench";
    input.filter_pattern = fmt::format("\"{}\"", missing);
    measure("FilterLogEvents, one term", [&] {
      do {
        ASSERT(operation::transact_blocking(*store_, [&](Tx& tx) -> Result<void> {
          TRY(auto out, filter_events(service_, tx, context_, input));
          ASSERT(out.events->empty());
          input.next_token = out.next_token;
          return {};
        }));
        ++calls;
      } while (input.next_token);
    });
    fmt::print("  calls: {}\n", calls);
  }

  void query(const char* what, const char* text) {
    op::StartQuery::Input start;
    start.log_group_name = "/aws/lambda/bench";
    start.query_string = text;
    start.start_time = to_millis(context_.now) / 1000 - 7200;
    start.end_time = to_millis(context_.now) / 1000 + 7200;
    op::GetQueryResults::Input input;
    ASSERT(operation::transact_blocking(*store_, [&](Tx& tx) -> Result<void> {
      TRY(auto out, start_query(service_, tx, context_, start));
      input.query_id = out.query_id;
      return {};
    }));
    std::size_t calls = 0;
    measure(what, [&] {
      for (std::string status = "Running"; status == "Running"; ++calls) {
        ASSERT(operation::transact_blocking(*store_, [&](Tx& tx) -> Result<void> {
          TRY(auto out, get_query_results(service_, tx, context_, input));
          status = *out.status;
          return {};
        }));
      }
    });
    fmt::print("  calls: {}\n", calls);
  }

  void plain() {
    measure(
        "plain search of such text", [&] { ASSERT(text_.find(missing) == text_.npos); },
        text_.size());
  }

 private:
  template <class Work>
  void measure(const char* what, Work work, std::size_t bytes = 0) {
    const double begin = cpu_seconds();
    work();
    const double seconds = cpu_seconds() - begin;
    fmt::print("{:<34} {:>8.0f} MB per CPU-second\n", what,
               static_cast<double>(bytes != 0 ? bytes : bytes_) * 1e-6 / seconds);
  }

  Env env_ = system_env();
  std::unique_ptr<store::Store> store_;
  Logs service_{Limits{}};
  operation::Context context_{.account = "000000000000",
                              .region = "us-east-1",
                              .now = from_millis(1'700'000'000'000),
                              .random = &env_.random};
  std::size_t bytes_ = 0;
  std::string text_;  // the first of them
};

}  // namespace
}  // namespace wolke::logs

int main(int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "256";
  const std::size_t megabytes = word == "--smoke" ? 1 : wolke::parse_u64(word).value_or(256);
  const wolke::store::TemporaryDirectory directory;
  wolke::logs::Bench bench(directory.path());
  bench.fill(megabytes * 1'000'000);
  bench.plain();
  bench.filter();
  bench.query("query: filter like, stats count",
              "filter @message like 'never-said' | stats count(*)");
  bench.query("query: stats avg(@duration) by bin",
              "filter @type = 'REPORT' | stats avg(@duration) by bin(5m)");
}
