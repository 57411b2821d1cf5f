#include "wolke/app/access_log.h"

#include <map>

#include "wolke/base/hash.h"
#include "wolke/base/uri.h"
#include "wolke/model/s3/operations.h"
#include "wolke/services/s3/names.h"

namespace wolke::app {
namespace {

using gateway::BucketAccess;

struct Place {
  std::string bucket;
  std::string key;  // encoded; empty: the bucket itself
};

Place place_of(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return {std::string(path), ""};
  return {std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

/// What is copied, when this is a copy.
std::optional<Place> source_of(const BucketAccess& access) {
  if (access.operation != "CopyObject" && access.operation != "UploadPartCopy") return std::nullopt;
  const std::string* header = net::find_header(access.head.headers, "x-amz-copy-source");
  if (header == nullptr) return std::nullopt;
  Result<s3::CopySource> source = s3::parse_copy_source(*header);
  if (!source) return std::nullopt;
  return Place{source->bucket, percent_encode(source->key, true)};
}

std::string header_of(const BucketAccess& access, std::string_view name) {
  const std::string* found = net::find_header(access.head.headers, name);
  return found == nullptr ? std::string() : *found;
}

/// A root is its account; others are told by their ARN.
std::string requester_of(const BucketAccess& access) {
  using identity::PrincipalKind;
  if (access.caller == nullptr || access.caller->kind == PrincipalKind::anonymous) return {};
  if (access.caller->kind == PrincipalKind::root) return s3::canonical_id(access.caller->account);
  return access.caller->arn;
}

std::string authentication_of(const BucketAccess& access) {
  if (access.authorization == nullptr) return {};
  switch (access.authorization->carrier) {
    case identity::Carrier::header:
      return "AuthHeader";
    case identity::Carrier::query:
      return "QueryString";
    case identity::Carrier::form:
      return "Form";
  }
  return {};
}

std::string signature_of(const BucketAccess& access) {
  if (access.authorization == nullptr) return {};
  return access.authorization->version == identity::SignatureVersion::v2 ? "SigV2" : "SigV4";
}

std::optional<std::uint64_t> object_size_of(const BucketAccess& access) {
  bool written = access.operation == "PutObject" || access.operation == "PostObject" ||
                 access.operation == "UploadPart";
  return written && access.status < 300 ? access.bytes_in : access.object_size;
}

s3::AccessRecord record_of(const BucketAccess& access, Place place) {
  using std::chrono::duration_cast;
  const std::string* version = find_query(access.query, "versionId");
  s3::AccessRecord record{.at = access.at, .bucket = std::move(place.bucket)};
  record.remote_ip = access.head.peer;
  record.requester = requester_of(access);
  record.request_id = access.request_id;
  record.operation = s3::access_operation(access.head.method, access.operation, !place.key.empty());
  record.key = std::move(place.key);
  record.request_uri = access.head.method + " " + access.head.target + " HTTP/1." +
                       std::to_string(access.head.minor_version);
  record.status = access.status;
  record.error_code = access.code;
  record.bytes_sent = access.bytes_out;
  record.object_size = object_size_of(access);
  record.total = duration_cast<Millis>(access.total);
  record.turn_around = duration_cast<Millis>(access.turn_around);
  record.referer = header_of(access, "referer");
  record.user_agent = header_of(access, "user-agent");
  record.version_id = version == nullptr ? "" : *version;
  record.host_id = to_base64(sha256(record.request_id));
  record.signature_version = signature_of(access);
  record.authentication_type = authentication_of(access);
  record.host = header_of(access, "host");
  return record;
}

/// A batch tells errors without their status.
int status_of_item(std::string_view code) {
  if (code == "AccessDenied") return 403;
  if (code == "NoSuchKey" || code == "NoSuchVersion") return 404;
  if (code == "PreconditionFailed") return 412;
  return 400;
}

/// A line for each key that a batch names, as after a DeleteObject of its own. Source: the format's
/// operation BATCH.DELETE.OBJECT, whose lines say nothing of the request as a whole.
void note_keys_of_batch(s3::AccessLogs& logs, const BucketAccess& access, s3::AccessRecord record) {
  using Delete = model::s3::op::DeleteObjects;
  if (access.input == nullptr || access.output == nullptr) return;
  const auto& in = access.input->as<Delete::Input>();
  const auto& out = access.output->as<Delete::Output>();
  if (!in.delete_ || !in.delete_->objects) return;
  using Item = std::pair<std::string, std::string>;  // key and version id
  std::map<Item, std::string> errors;
  if (out.errors) {
    for (const auto& error : *out.errors) {
      errors[{error.key.value_or(""), error.version_id.value_or("")}] = error.code.value_or("");
    }
  }
  record.operation = "BATCH.DELETE.OBJECT";
  record.request_uri.clear();
  record.bytes_sent = 0;
  record.object_size.reset();
  record.turn_around = Millis(0);
  for (const auto& item : *in.delete_->objects) {
    auto error = errors.find({item.key.value_or(""), item.version_id.value_or("")});
    const bool failed = error != errors.end();
    record.key = percent_encode(item.key.value_or(""), true);
    record.version_id = item.version_id.value_or("");
    record.error_code = failed ? error->second : "";
    record.status = failed ? status_of_item(error->second) : 204;
    logs.note(record);
  }
}

}  // namespace

s3::LogDeliveryAuthorizer deliverers_of_logs(identity::Directory& directory) {
  return [&directory](const std::string& source_arn, const std::string& source_account,
                      Timestamp now) {
    return directory.make_service_authorizer("logging.s3.amazonaws.com", source_arn, source_account,
                                             now);
  };
}

std::function<void(const BucketAccess&)> notes_of_access(s3::AccessLogs& logs) {
  return [&logs](const BucketAccess& access) {
    if (!logs.watches_any()) return;
    Place place = place_of(access.path);
    std::optional<Place> source = source_of(access);
    if (logs.watches(place.bucket)) {
      s3::AccessRecord record = record_of(access, std::move(place));
      logs.note(record);
      note_keys_of_batch(logs, access, std::move(record));
    }
    if (source && logs.watches(source->bucket)) {
      s3::AccessRecord record = record_of(access, *std::move(source));
      record.operation += "_GET";  // REST.COPY.OBJECT_GET
      logs.note(record);
    }
  };
}

}  // namespace wolke::app
