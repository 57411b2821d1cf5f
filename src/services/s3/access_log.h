#pragma once
// One line of a server access log, and the key of the object that it is written to. Pure functions.
// Source: S3 user guide, "Amazon S3 server access log format" and "Enabling Amazon S3 server access
// logging" (log object key format).

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/time.h"
#include "wolke/model/s3/types.h"
#include "wolke/services/s3/state.h"

namespace wolke::s3 {

/// A request, as the gate saw it. Texts of the client's are raw; empty ones become "-".
struct AccessRecord {
  Timestamp at{};
  std::string bucket;
  std::string remote_ip;
  std::string requester;  // a canonical user id or an ARN; empty: unsigned, or not believed
  std::string request_id;
  std::string operation;    // access_operation()
  std::string key;          // percent-encoded
  std::string request_uri;  // "GET /photos/cat.jpg HTTP/1.1"; empty: one key of a batch
  int status = 0;
  std::string error_code;
  std::uint64_t bytes_sent = 0;
  std::optional<std::uint64_t> object_size;
  std::chrono::milliseconds total{0};
  std::chrono::milliseconds turn_around{0};
  std::string referer;
  std::string user_agent;
  std::string version_id;  // that the request names
  std::string host_id;     // x-amz-id-2
  std::string signature_version;
  std::string authentication_type;
  std::string host;
};

/// "REST.GET.OBJECT", from the model's name of the operation; `operation` is empty for a preflight
/// and for what the model does not know.
std::string access_operation(std::string_view method, std::string_view operation, bool has_key);

/// The line without its first and last field, which the bucket's record knows: see log_line().
std::string line_middle(const AccessRecord& record);
/// The whole line, with its end.
std::string log_line(const Bucket& source, std::string_view middle);

/// The key of a log object. `day`: of the requests in it, for a prefix that is partitioned by event
/// time; `unique`: 16 characters.
std::string log_object_key(const model::s3::LoggingEnabled& logging, const Bucket& source,
                           Timestamp day, Timestamp delivered, std::string_view unique);
/// Whether requests of two days may not be in one object.
bool is_by_event_day(const model::s3::LoggingEnabled& logging);

}  // namespace wolke::s3
