#include "wolke/services/s3/access_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "wolke/services/s3/names.h"

namespace wolke::s3 {
namespace {

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Operations by what they are about, where the method does not say all. The rest is an object
/// where there is a key, else the bucket.
constexpr auto resources = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"PostObject", "OBJECT"},
    {"DeleteObjects", "MULTI_OBJECT_DELETE"},
    {"GetObjectAttributes", "OBJECT_ATTRIBUTES"},
    {"UploadPart", "PART"},
    {"UploadPartCopy", "PART"},
    {"CreateMultipartUpload", "UPLOADS"},
    {"ListMultipartUploads", "UPLOADS"},
    {"CompleteMultipartUpload", "UPLOAD"},
    {"AbortMultipartUpload", "UPLOAD"},
    {"ListParts", "UPLOAD"},
    {"ListObjectVersions", "BUCKETVERSIONS"},
    {"BucketVersioning", "VERSIONING"},
    {"BucketLocation", "LOCATION"},
    {"BucketLogging", "LOGGING_STATUS"},
    {"BucketPolicyStatus", "BUCKETPOLICYSTATUS"},
    {"BucketPolicy", "BUCKETPOLICY"},
    {"BucketAcl", "ACL"},
    {"ObjectAcl", "ACL"},
    {"BucketTagging", "TAGGING"},
    {"ObjectTagging", "OBJECT_TAGGING"},
    {"BucketCors", "CORS"},
    {"BucketLifecycleConfiguration", "LIFECYCLE"},
    {"BucketLifecycle", "LIFECYCLE"},
    {"BucketWebsite", "WEBSITE"},
    {"BucketNotificationConfiguration", "NOTIFICATION"},
    {"BucketRequestPayment", "REQUEST_PAYMENT"},
    {"BucketEncryption", "ENCRYPTION"},
    {"BucketReplication", "REPLICATION"},
    {"BucketAccelerateConfiguration", "ACCELERATE"},
    {"BucketOwnershipControls", "OWNERSHIP_CONTROLS"},
    {"PublicAccessBlock", "PUBLIC_ACCESS_BLOCK"},
    {"ObjectLockConfiguration", "OBJECT_LOCK"},
    {"ObjectRetention", "OBJECT_LOCK_RETENTION"},
    {"ObjectLegalHold", "OBJECT_LOCK_LEGALHOLD"},
});

std::string_view resource_of(std::string_view operation, bool has_key) {
  for (std::string_view verb : {"", "Get", "Put", "Delete"}) {
    if (!operation.starts_with(verb)) continue;
    std::string_view noun = operation.substr(verb.size());
    for (const auto& [name, resource] : resources) {
      if (noun == name) return resource;
    }
  }
  return has_key ? "OBJECT" : "BUCKET";
}

/// What a client wrote must not look like another field or line.
std::string escaped(std::string_view text, std::string_view also) {
  if (text.empty()) return "-";
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7E || also.find(c) != std::string_view::npos) {
      out += fmt::format("%{:02X}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

std::string word(std::string_view text) {
  return escaped(text, " \"");
}

std::string in_quotes(std::string_view text) {
  return '"' + escaped(text, "\"") + '"';
}

std::string number(std::uint64_t value) {
  return value == 0 ? "-" : std::to_string(value);
}

struct Civil {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::seconds> time;
};

Civil civil_of(Timestamp at) {
  auto day = std::chrono::floor<std::chrono::days>(at);
  return {std::chrono::year_month_day(day),
          std::chrono::hh_mm_ss(std::chrono::floor<std::chrono::seconds>(at - day))};
}

std::string log_time(Timestamp at) {
  Civil civil = civil_of(at);
  return fmt::format("[{:02}/{}/{:04}:{:02}:{:02}:{:02} +0000]", unsigned(civil.date.day()),
                     months.at(unsigned(civil.date.month()) - 1), int(civil.date.year()),
                     civil.time.hours().count(), civil.time.minutes().count(),
                     civil.time.seconds().count());
}

const model::s3::PartitionedPrefix* partition_of(const model::s3::LoggingEnabled& logging) {
  const auto& format = logging.target_object_key_format;
  return format && format->partitioned_prefix ? &*format->partitioned_prefix : nullptr;
}

}  // namespace

std::string access_operation(std::string_view method, std::string_view operation, bool has_key) {
  if (operation.empty() && method == "OPTIONS") return "REST.OPTIONS.PREFLIGHT";
  bool copy = operation == "CopyObject" || operation == "UploadPartCopy";
  return fmt::format("REST.{}.{}", copy ? "COPY" : method, resource_of(operation, has_key));
}

std::string line_middle(const AccessRecord& record) {
  auto turn_around =
      static_cast<std::uint64_t>(std::max<Millis::rep>(0, record.turn_around.count()));
  // What a request says, and how long it took, is told once, not again with each key of a batch.
  const bool whole = !record.request_uri.empty();
  auto quoted = [&](std::string_view text) { return whole ? in_quotes(text) : "-"; };
  // Cipher suite, TLS version, access point and whether a list was needed are not known here.
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} - {} {} - - -",
                     word(record.bucket), log_time(record.at), word(record.remote_ip),
                     word(record.requester), word(record.request_id), word(record.operation),
                     word(record.key), quoted(record.request_uri), record.status,
                     word(record.error_code), number(record.bytes_sent),
                     record.object_size ? std::to_string(*record.object_size) : "-",
                     whole ? std::to_string(record.total.count()) : "-", number(turn_around),
                     quoted(record.referer), quoted(record.user_agent), word(record.version_id),
                     word(record.host_id), word(record.signature_version),
                     word(record.authentication_type), word(record.host));
}

std::string log_line(const Bucket& source, std::string_view middle) {
  return fmt::format("{} {} {}\n", canonical_id(source.account), middle, source.region);
}

bool is_by_event_day(const model::s3::LoggingEnabled& logging) {
  const model::s3::PartitionedPrefix* partition = partition_of(logging);
  return partition != nullptr && partition->partition_date_source != "DeliveryTime";
}

std::string log_object_key(const model::s3::LoggingEnabled& logging, const Bucket& source,
                           Timestamp day, Timestamp delivered, std::string_view unique) {
  // By event time the day says when, and the rest of the time is zero.
  bool by_day = is_by_event_day(logging);
  Civil civil = civil_of(
      by_day ? std::chrono::time_point_cast<Millis>(std::chrono::floor<std::chrono::days>(day))
             : delivered);
  std::string date = fmt::format("{:04}-{:02}-{:02}", int(civil.date.year()),
                                 unsigned(civil.date.month()), unsigned(civil.date.day()));
  std::string name =
      fmt::format("{}-{:02}-{:02}-{:02}-{}", date, civil.time.hours().count(),
                  civil.time.minutes().count(), civil.time.seconds().count(), unique);
  std::string prefix = logging.target_prefix.value_or("");
  if (partition_of(logging) == nullptr) return prefix + name;
  std::ranges::replace(date, '-', '/');
  return fmt::format("{}{}/{}/{}/{}/{}", prefix, source.account, source.region, source.name, date,
                     name);
}

}  // namespace wolke::s3
