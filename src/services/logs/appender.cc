#include <fmt/core.h>

#include <map>
#include <tuple>
#include <vector>

#include "wolke/observe/log.h"
#include "wolke/services/logs/logs.h"

namespace wolke::logs {
namespace {

constexpr std::size_t portion_events_max = 1000;
constexpr std::size_t portion_bytes_max = 512 * 1024;
constexpr auto retry_delay = std::chrono::seconds(1);

using StreamKey = std::tuple<std::string, std::string, std::string, std::string>;

StreamName name_of(const StreamKey& key) {
  return {{std::get<0>(key), std::get<1>(key), std::get<2>(key)}, std::get<3>(key)};
}

std::size_t cost_of(const NewEvent& event) {
  return event.message.size() + event_overhead_bytes;
}

/// Lines longer than an event may be become several events.
std::vector<NewEvent> events_of(Timestamp at, std::string line, const std::string& lineage) {
  std::string text = valid_text(line);
  if (text.empty()) text = "\n";
  std::vector<NewEvent> out;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = std::min(text.size(), begin + event_bytes_max);
    // Not within a character: its later bytes are 10xxxxxx.
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
    out.push_back({to_millis(at), text.substr(begin, end - begin), lineage});
    begin = end;
  }
  return out;
}

}  // namespace

struct Appender::Buffer {
  struct Pending {
    std::vector<NewEvent> events;
    std::uint64_t lost = 0;
  };
  std::map<StreamKey, Pending> streams;
  std::size_t bytes = 0;
  std::uint64_t lost_total = 0;
};

/// What one commit takes.
struct Appender::Portion {
  struct Part {
    StreamName name;
    std::vector<NewEvent> events;
  };
  std::vector<Part> parts;
  std::size_t bytes = 0;  // of buffered events, to give back
};

Appender::Appender(Env env, operation::Runner runner, AppenderOptions options)
    : env_(env),
      runner_(runner),
      options_(options),
      wake_(runner.loop),
      closing_(runner.loop),
      buffer_(std::make_unique<Guarded<Buffer>>()) {}

Appender::~Appender() = default;

void Appender::append(const std::string& account, const std::string& region,
                      const std::string& group, const std::string& stream, Timestamp at,
                      std::string line, std::string lineage) {
  std::vector<NewEvent> events = events_of(at, std::move(line), lineage);
  bool first = false;
  {
    auto buffer = buffer_->lock();
    first = buffer->streams.empty();
    auto& pending = buffer->streams[{account, region, group, stream}];
    for (NewEvent& event : events) {
      if (buffer->bytes + cost_of(event) > options_.buffered_bytes_max) {
        ++pending.lost;
        ++buffer->lost_total;
        continue;
      }
      buffer->bytes += cost_of(event);
      pending.events.push_back(std::move(event));
    }
  }
  if (first) {
    runner_.loop.post([this] { wake_.set(); });
  }
}

std::uint64_t Appender::lost() const {
  return buffer_->lock()->lost_total;
}

void Appender::start() {
  runner_.loop.spawn(run(gate_.enter()));
}

async::Task<void> Appender::stop() {
  closing_.set();
  wake_.set();
  co_await gate_.close();
}

async::Task<void> Appender::run(async::Gate::Holder holder) {
  if (!holder) co_return;
  while (true) {
    const bool ending = closing_.is_set() || runner_.loop.stopping();
    wake_.reset();
    while (co_await flush()) {
    }
    if (ending) co_return;
    if (closing_.is_set()) continue;
    // A hint that came during the flush has set the event again, so nothing waits for the next
    // line.
    co_await wake_.wait(runner_.loop.now() + std::chrono::seconds(5));
    if (!closing_.is_set()) co_await closing_.wait(runner_.loop.now() + options_.linger);
  }
}

namespace {

/// Events to write for a stream, with the line that owns up to a loss.
std::vector<NewEvent> with_loss(std::vector<NewEvent> events, std::uint64_t lost, Timestamp now) {
  if (lost == 0) return events;
  const std::int64_t at = events.empty() ? to_millis(now) : events.back().timestamp_ms;
  events.push_back(
      {at,
       fmt::format("[wolke] {} log lines were lost: they came faster than they could be stored\n",
                   lost),
       events.empty() ? std::string() : events.back().lineage});
  return events;
}

}  // namespace

/// Commits one portion; true when there is more.
async::Task<bool> Appender::flush() {
  Portion portion;
  const Timestamp now = env_.clock.wall();
  bool more = false;
  {
    auto buffer = buffer_->lock();
    std::size_t count = 0;
    for (auto it = buffer->streams.begin(); it != buffer->streams.end();) {
      if (count >= portion_events_max || portion.bytes >= portion_bytes_max) break;
      auto& pending = it->second;
      std::size_t take = 0;
      while (take < pending.events.size() && count < portion_events_max &&
             portion.bytes < portion_bytes_max) {
        portion.bytes += cost_of(pending.events[take]);
        ++take;
        ++count;
      }
      const bool all = take == pending.events.size();
      const auto end = pending.events.begin() + static_cast<long>(take);
      std::vector<NewEvent> events(std::make_move_iterator(pending.events.begin()),
                                   std::make_move_iterator(end));
      portion.parts.push_back(
          {name_of(it->first), with_loss(std::move(events), all ? pending.lost : 0, now)});
      if (all) {
        it = buffer->streams.erase(it);
      } else {
        pending.events.erase(pending.events.begin(), end);
      }
    }
    more = !buffer->streams.empty();
  }
  if (portion.parts.empty()) co_return false;

  while (true) {
    std::function<Result<bool>(store::Tx&)> write = [&](store::Tx& tx) -> Result<bool> {
      for (const Portion::Part& part : portion.parts) {
        TRY(append_events(tx, part.name, part.events, now, env_.random));
      }
      return true;
    };
    Result<bool> done = co_await operation::transact<bool>(runner_, std::move(write));
    if (done) break;
    observe::log(observe::Level::error, "logs", "log lines could not be stored; trying again",
                 {{"error", done.error().message}});
    const async::Wake wake = co_await closing_.wait(runner_.loop.now() + retry_delay);
    if (wake == async::Wake::timed_out) continue;
    // Ending with a store that refuses: the loss is said once, in the server's own log.
    auto buffer = buffer_->lock();
    for (const Portion::Part& part : portion.parts) buffer->lost_total += part.events.size();
    break;
  }
  auto buffer = buffer_->lock();
  buffer->bytes -= std::min(buffer->bytes, portion.bytes);
  co_return more;
}

}  // namespace wolke::logs
