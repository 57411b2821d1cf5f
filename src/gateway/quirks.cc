#include "wolke/gateway/quirks.h"

#include <fmt/format.h>

#include <algorithm>

#include "wolke/base/hash.h"
#include "wolke/base/limits.h"
#include "wolke/base/text.h"
#include "wolke/store/customer_key.h"

namespace wolke::gateway {

using net::find_header;

namespace {

/// What no header could have carried.
bool has_control(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
}

}  // namespace

std::string path_style(std::string_view bucket, std::string_view path) {
  std::string out;
  if (!bucket.empty()) {
    out += '/';
    out += bucket;
    if (path != "/") out += path;
    return out;
  }
  out = path;
  // "/bucket/" is the bucket itself; "/bucket//" is the key "/".
  if (out.size() > 1 && out.find('/', 1) == out.size() - 1) out.pop_back();
  return out;
}

identity::Dialect dialect_of(const shape::Service& service) {
  switch (service.protocol) {
    case shape::Protocol::rest_xml:
      return identity::Dialect::s3;
    case shape::Protocol::rest_json:
      return identity::Dialect::rest_json;
    case shape::Protocol::json10:
    case shape::Protocol::json11:
      return identity::Dialect::json;
    case shape::Protocol::query:
      return identity::Dialect::query;
  }
  return identity::Dialect::query;
}

bool needs_no_signature(const shape::Operation* operation) {
  return operation != nullptr && operation->name == "AssumeRoleWithWebIdentity";
}

std::size_t buffered_body_bytes_max(const shape::Operation* operation) {
  if (!operation) return 1024 * 1024;
  const std::string_view name = operation->name;
  if (name == "Invoke" || name == "InvokeAsync") return limits::invoke_payload_bytes_max;
  if (name == "CreateFunction" || name == "UpdateFunctionCode" || name == "PublishLayerVersion") {
    return limits::body_buffered_max;
  }
  return limits::xml_document_bytes_max;
}

Error body_too_large(const shape::Operation* operation, std::size_t bytes_max) {
  if (operation && operation->service->protocol == shape::Protocol::rest_xml) {
    return Error{
        .code = "MaxMessageLengthExceeded", .status = 400, .message = "Your request was too big."};
  }
  return Error{.code = "RequestTooLargeException",
               .status = 413,
               .message = fmt::format("Request must be smaller than {} bytes for the {} operation",
                                      bytes_max,
                                      operation ? operation->name : std::string_view("requested"))};
}

Error unknown_operation(const shape::Service& service, const net::RequestHead& head,
                        const Target& target) {
  switch (service.protocol) {
    case shape::Protocol::json10:
    case shape::Protocol::json11:
      return Error{.code = "UnknownOperationException", .status = 400, .message = ""};
    case shape::Protocol::query: {
      const std::string* action = find_query(target.pairs, "Action");
      return Error{.code = "InvalidAction",
                   .status = 400,
                   .message = fmt::format("Could not find operation {} for version {}",
                                          action ? *action : "", service.api_version)};
    }
    case shape::Protocol::rest_json:
      return Error{
          .code = "UnknownOperationException", .status = 404, .message = "Unknown operation."};
    case shape::Protocol::rest_xml:
      break;
  }
  return Error{.code = "MethodNotAllowed",
               .status = 405,
               .message = "The specified method is not allowed against this resource.",
               .fields = {{"Method", head.method}}};
}

/// The x-amz-checksum-* headers of a document, which say what its bytes are.
static Result<void> check_checksums(const net::HeaderList& headers, std::string_view body) {
  struct Kind {
    std::string_view header, name;
    HashKind hash;
  };
  static constexpr Kind kinds[] = {{"x-amz-checksum-crc32", "CRC32", HashKind::crc32},
                                   {"x-amz-checksum-crc32c", "CRC32C", HashKind::crc32c},
                                   {"x-amz-checksum-crc64nvme", "CRC64NVME", HashKind::crc64nvme},
                                   {"x-amz-checksum-sha1", "SHA1", HashKind::sha1},
                                   {"x-amz-checksum-sha256", "SHA256", HashKind::sha256}};
  for (const Kind& kind : kinds) {
    const std::string* sent = find_header(headers, kind.header);
    if (!sent) continue;
    const std::string computed = digest(kind.hash, body);
    const std::optional<std::string> raw = from_base64(*sent);
    if (!raw || raw->size() != computed.size()) {
      return fail({.code = "InvalidRequest",
                   .status = 400,
                   .message = fmt::format("Value for {} header is invalid.", kind.header)});
    }
    if (*raw == computed) continue;
    return fail({.code = "BadDigest",
                 .status = 400,
                 .message = fmt::format(
                     "The {} you specified did not match the calculated checksum.", kind.name)});
  }
  return {};
}

Result<void> check_digests(const net::HeaderList& headers, std::string_view body, bool streamed,
                           const shape::Operation& operation) {
  if (operation.service->protocol != shape::Protocol::rest_xml) return {};
  // There they are of the object that is made.
  if (!streamed && operation.name != "CompleteMultipartUpload") {
    TRY(check_checksums(headers, body));
  }
  const std::string* sent = find_header(headers, "content-md5");
  if (!sent) return {};
  std::optional<std::string> raw = from_base64(*sent);
  if (!raw || raw->size() != 16) {
    return fail({.code = "InvalidDigest",
                 .status = 400,
                 .message = "The Content-MD5 you specified was invalid."});
  }
  if (!streamed && digest(HashKind::md5, body) != *raw) {
    return fail({.code = "BadDigest",
                 .status = 400,
                 .message = "The Content-MD5 you specified did not match what we received."});
  }
  return {};
}

void add_link_headers(const QueryPairs& query, net::HeaderList& headers) {
  // What signs the link, and what S3 ignores in a query.
  static constexpr std::string_view own[] = {
      "x-amz-algorithm",      "x-amz-credential",     "x-amz-date",
      "x-amz-expires",        "x-amz-signedheaders",  "x-amz-signature",
      "x-amz-security-token", "x-amz-content-sha256", "x-amz-sdk-checksum-algorithm"};
  for (const auto& [parameter, value] : query) {
    std::string name = to_lower(parameter);
    const bool hoisted =
        name.starts_with("x-amz-") || name == "content-type" || name == "content-md5";
    if (!hoisted || name.starts_with("x-amz-checksum-") ||
        std::ranges::find(own, name) != std::end(own) || find_header(headers, name) ||
        has_control(name) || has_control(value)) {
      continue;
    }
    headers.emplace_back(std::move(name), value);
  }
}

Error hoisted_operation() {
  return Error{.code = "InvalidRequest",
               .status = 400,
               .message = "x-amz-copy-source must be sent as a header, and be signed as one."};
}

std::string customer_key(const net::HeaderList& headers) {
  constexpr std::string_view prefix = "x-amz-server-side-encryption-customer-";
  const auto sent = [&](std::string_view name) {
    return net::find_header(headers, std::string(prefix).append(name));
  };
  return store::read_customer_key(
             {.algorithm = sent("algorithm"), .key = sent("key"), .key_md5 = sent("key-md5")})
      .value_or("");
}

void add_common_headers(const shape::Service& service, const std::string& request_id,
                        net::HeaderList& headers) {
  if (service.protocol == shape::Protocol::rest_xml) {
    headers.emplace_back("x-amz-request-id", request_id);
    headers.emplace_back("x-amz-id-2", to_base64(sha256(request_id)));
  } else {
    headers.emplace_back("x-amzn-requestid", request_id);
  }
  headers.emplace_back("server", "wolke");
}

void finish_response(const shape::Operation& operation, const operation::Context&,
                     shape::WireResponse& response) {
  const std::string_view name = operation.name;
  if (operation.service->signing_name == "s3" && (name == "GetObject" || name == "HeadObject")) {
    if (find_header(response.headers, "content-range")) response.status = 206;
    if (!find_header(response.headers, "accept-ranges"))
      response.headers.emplace_back("accept-ranges", "bytes");
  }
  // The model says 200, S3 says 204.
  if (operation.service->signing_name == "s3" && name == "PutBucketPolicy") response.status = 204;
}

std::optional<std::uint64_t> take_content_length(net::HeaderList& headers) {
  std::optional<std::uint64_t> length;
  std::erase_if(headers, [&](const auto& header) {
    if (header.first != "content-length" && header.first != "Content-Length") return false;
    length = parse_u64(header.second);
    return true;
  });
  return length;
}

Error public_error(const shape::Service* service, Error error) {
  if (error.code == "DiskFull") {
    return Error{.code = "ServiceUnavailable",
                 .status = 503,
                 .message = "The storage is full; nothing was written."};
  }
  // Named server faults of a service are part of its API; ours are not.
  if (error.code == "ServiceException" || error.code == "ServiceFailure") return error;
  const bool s3 = !service || service->protocol == shape::Protocol::rest_xml;
  const bool lambda = service && service->protocol == shape::Protocol::rest_json;
  return Error{.code = s3       ? "InternalError"
                       : lambda ? "ServiceException"
                                : "InternalFailure",
               .status = 500,
               .message = "We encountered an internal error. Please try again."};
}

const shape::Service& fallback_model(const net::RequestHead& head) {
  static constexpr shape::Service json{
      .name = "unknown", .signing_name = "unknown", .protocol = shape::Protocol::json10};
  static constexpr shape::Service query{
      .name = "unknown", .signing_name = "unknown", .protocol = shape::Protocol::query};
  static constexpr shape::Service xml{
      .name = "unknown", .signing_name = "unknown", .protocol = shape::Protocol::rest_xml};
  if (find_header(head.headers, "x-amz-target")) return json;
  const std::string* type = find_header(head.headers, "content-type");
  if (type && type->starts_with("application/x-amz-json")) return json;
  if (type && type->starts_with("application/x-www-form-urlencoded")) return query;
  return xml;
}

}  // namespace wolke::gateway
