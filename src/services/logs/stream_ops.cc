// Log streams.
#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/services/logs/errors.h"
#include "wolke/services/logs/ops.h"

namespace wolke::logs {
namespace {

constexpr std::int32_t streams_page_max = 50;

model::logs::LogStream describe(const GroupName& group, const Stream& stream) {
  model::logs::LogStream out;
  out.log_stream_name = stream.name;
  out.creation_time = to_millis(stream.created);
  out.arn = group.stream_arn(stream.name);
  out.stored_bytes = 0;  // AWS stopped reporting it for streams in 2019
  if (stream.empty()) return out;
  out.first_event_timestamp = stream.first_ms;
  out.last_event_timestamp = stream.last_ms;
  out.last_ingestion_time = stream.ingested_ms;
  out.upload_sequence_token = std::to_string(stream.next_sequence);
  return out;
}

/// Where a page ends: the last stream's place in the order.
struct Mark {
  std::int64_t last_ms = 0;
  std::string name;
};

bool before(const Mark& a, const Mark& b, bool by_time) {
  if (by_time && a.last_ms != b.last_ms) return a.last_ms < b.last_ms;
  return a.name < b.name;
}

std::string write_mark(const Mark& mark) {
  return to_base64(std::to_string(mark.last_ms) + "/" + mark.name);
}

Result<Mark> read_mark(const std::string& token) {
  const auto text = from_base64(token);
  const std::size_t slash = text ? text->find('/') : std::string::npos;
  const auto time = slash == std::string::npos ? std::nullopt : parse_i64(text->substr(0, slash));
  if (!time) return fail(invalid_parameter("The specified nextToken is invalid."));
  return Mark{*time, text->substr(slash + 1)};
}

}  // namespace

Result<op::CreateLogStream::Output> create_stream(Logs&, Tx& tx, const Context& context,
                                                  const op::CreateLogStream::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name));
  TRY(const Group group, get_group(tx, name));
  const store::Key key = stream_key(group.id, input.log_stream_name.value_or(""));
  TRY(const auto existing, tx.get<Stream>(key));
  if (existing) return fail(stream_exists());
  Stream stream;
  stream.name = input.log_stream_name.value_or("");
  stream.id = new_id(*context.random);
  stream.created = context.now;
  tx.put(key, stream);
  return op::CreateLogStream::Output{};
}

Result<op::DeleteLogStream::Output> delete_stream(Logs&, Tx& tx, const Context& context,
                                                  const op::DeleteLogStream::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name));
  TRY(const Group group, get_group(tx, name));
  TRY(const Stream stream, get_stream(tx, group, input.log_stream_name.value_or("")));
  tx.erase(stream_key(group.id, stream.name));
  tx.add(bytes_key(group.id), -static_cast<std::int64_t>(stream.bytes));
  tx.put_bytes(garbage_key(group.id, stream.id), {});
  return op::DeleteLogStream::Output{};
}

Result<op::DescribeLogStreams::Output> describe_streams(
    Logs&, Tx& tx, const Context& context, const op::DescribeLogStreams::Input& input) {
  TRY(const GroupName name, group_of(context, input.log_group_name, input.log_group_identifier));
  const bool by_time = input.order_by.value_or("LogStreamName") == "LastEventTime";
  if (by_time && input.log_stream_name_prefix) {
    return fail(invalid_parameter("Cannot order by LastEventTime with a logStreamNamePrefix."));
  }
  TRY(const Group group, get_group(tx, name));
  TRY(auto streams, list_streams(tx, group, input.log_stream_name_prefix.value_or("")));
  const bool descending = input.descending.value_or(false);
  const auto mark = [](const Stream& stream) { return Mark{stream.last_ms, stream.name}; };
  const auto comes_first = [&](const Mark& a, const Mark& b) {
    return descending ? before(b, a, by_time) : before(a, b, by_time);
  };
  std::sort(streams.begin(), streams.end(),
            [&](const Stream& a, const Stream& b) { return comes_first(mark(a), mark(b)); });
  auto begin = streams.begin();
  if (input.next_token) {
    TRY(const Mark last, read_mark(*input.next_token));
    begin = std::find_if(streams.begin(), streams.end(),
                         [&](const Stream& stream) { return comes_first(last, mark(stream)); });
  }
  const auto max = std::clamp(input.limit.value_or(streams_page_max), 1, streams_page_max);
  const auto end = begin + std::min<std::ptrdiff_t>(max, streams.end() - begin);
  op::DescribeLogStreams::Output out;
  out.log_streams.emplace();
  for (auto stream = begin; stream != end; ++stream)
    out.log_streams->push_back(describe(name, *stream));
  if (end != streams.end()) out.next_token = write_mark(mark(*std::prev(end)));
  return out;
}

}  // namespace wolke::logs
