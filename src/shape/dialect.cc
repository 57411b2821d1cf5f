#include "wolke/shape/dialect.h"

#include <fmt/format.h>

#include "wolke/base/text.h"

namespace wolke::shape {

namespace {

struct Codes {
  std::string_view service;  // empty: any other service of the protocol
  Protocol protocol;
  std::string_view validation;
  std::string_view document;  // not parseable at all
  std::string_view document_text;
};

constexpr Codes codes[] = {
    {"lambda", Protocol::rest_json, "ValidationException", "InvalidRequestContentException",
     "Could not parse request body into json: "},
    {"logs", Protocol::json11, "InvalidParameterException", "SerializationException", ""},
    {"", Protocol::rest_json, "ValidationException", "SerializationException", ""},
    {"", Protocol::json10, "ValidationException", "SerializationException", ""},
    {"", Protocol::json11, "ValidationException", "SerializationException", ""},
    {"", Protocol::query, "ValidationError", "MalformedInput", ""},
    {"", Protocol::rest_xml, "InvalidArgument", "MalformedXML", ""},
};

const Codes& codes_of(const Service& service) {
  for (const Codes& row : codes) {
    if (row.service == service.name) return row;
  }
  for (const Codes& row : codes) {
    if (row.service.empty() && row.protocol == service.protocol) return row;
  }
  return codes[std::size(codes) - 1];
}

constexpr std::string_view malformed_xml =
    "The XML you provided was not well-formed or did not validate against our published schema";

Error invalid_argument(std::string message, std::string_view name, std::string_view value) {
  return {.code = "InvalidArgument",
          .status = 400,
          .message = std::move(message),
          .fields = {{"ArgumentName", std::string(name)}, {"ArgumentValue", std::string(value)}}};
}

// S3 answers each header's bad enum in its own words.
Error s3_error(const Violation& violation) {
  const Member& member = *violation.member;
  if (member.location == Location::body || member.location == Location::payload) {
    return {.code = "MalformedXML", .status = 400, .message = std::string(malformed_xml)};
  }
  if (violation.what == Violation::What::missing) {
    if (member.location == Location::header) {
      return {.code = "MissingSecurityHeader",
              .status = 400,
              .message = "Your request was missing a required header",
              .fields = {{"MissingHeaderName", std::string(member.wire_name)}}};
    }
    return invalid_argument(fmt::format("Missing required parameter: {}", member.wire_name),
                            member.wire_name, "");
  }
  if (member.wire_name == "x-amz-storage-class") {
    return {.code = "InvalidStorageClass",
            .status = 400,
            .message = "The storage class you specified is not valid",
            .fields = {{"StorageClassRequested", violation.value}}};
  }
  if (member.wire_name == "encoding-type") {
    return invalid_argument("Invalid Encoding Method specified in Request", "encoding-type",
                            violation.value);
  }
  if (member.wire_name == "x-amz-server-side-encryption") {
    return {
        .code = "InvalidEncryptionAlgorithmError",
        .status = 400,
        .message = "The Encryption request you specified is not valid. Supported value: AES256.",
        .fields = {{"ServerSideEncryption", violation.value}}};
  }
  if (member.wire_name == "x-amz-metadata-directive") {
    return invalid_argument("Unknown metadata directive.", member.wire_name, violation.value);
  }
  if (member.wire_name == "x-amz-tagging-directive") {
    return invalid_argument("Unknown tagging directive.", member.wire_name, violation.value);
  }
  if (member.wire_name == "x-amz-copy-source") {
    return invalid_argument("Invalid copy source object key", member.wire_name, violation.value);
  }
  if (member.wire_name == "x-amz-checksum-algorithm" ||
      member.wire_name == "x-amz-sdk-checksum-algorithm") {
    return {.code = "InvalidRequest",
            .status = 400,
            .message =
                "Checksum algorithm provided is unsupported. Please try again with any of the "
                "valid types: "
                "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"};
  }
  return invalid_argument(fmt::format("Value '{}' at '{}' failed to satisfy constraint: {}",
                                      violation.value, violation.path, violation.constraint),
                          member.wire_name, violation.value);
}

// IAM words the name patterns in prose.
bool is_iam_name(const Service& service, const Violation& violation) {
  return service.name == "iam" && violation.what == Violation::What::pattern &&
         violation.member->type->pattern == "[\\w+=,.@-]+";
}

}  // namespace

Error validation_error(const Service& service, const std::vector<Violation>& violations) {
  ASSERT(!violations.empty());
  const Violation& first = violations.front();
  if (service.protocol == Protocol::rest_xml) return s3_error(first);
  std::string code(codes_of(service).validation);
  if (is_iam_name(service, first)) {
    return {.code = code,
            .status = 400,
            .message = fmt::format(
                "The specified value for {} is invalid. It must contain only alphanumeric "
                "characters and/or the following: +=,.@_-",
                first.path)};
  }
  std::string text = fmt::format("{} validation error{} detected: ", violations.size(),
                                 violations.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < violations.size(); ++i) {
    const Violation& violation = violations[i];
    std::string_view quote = violation.what == Violation::What::missing ? "" : "'";
    const std::string value =
        violation.sensitive ? "" : fmt::format(" {}{}{}", quote, violation.value, quote);
    text += fmt::format("{}Value{} at '{}' failed to satisfy constraint: {}", i == 0 ? "" : "; ",
                        value, violation.path, violation.constraint);
  }
  return {.code = std::move(code), .status = 400, .message = std::move(text)};
}

Error document_error(const Service& service, Error error) {
  const Codes& row = codes_of(service);
  error.status = 400;
  if (service.protocol == Protocol::rest_xml) {
    return {.code = "MalformedXML", .status = 400, .message = std::string(malformed_xml)};
  }
  if (error.code == "InvalidJson") {
    error.code = row.document;
    error.message = fmt::format("{}{}", row.document_text, error.message);
  }
  return error;
}

Error parameter_error(const Service& service, const Member& member, std::string_view text) {
  std::string shown = printable(text.substr(0, 256));
  if (service.protocol == Protocol::rest_xml) {
    bool number = member.type->kind == Kind::integer || member.type->kind == Kind::long_integer;
    return invalid_argument(
        number ? fmt::format("Provided {} not an integer or within integer range", member.wire_name)
               : fmt::format("Invalid value for {}", member.wire_name),
        member.wire_name, shown);
  }
  return {.code = std::string(codes_of(service).validation),
          .status = 400,
          .message = fmt::format("Value '{}' at '{}' is not of its type", shown, member.wire_name)};
}

Error missing_body(const Service& service) {
  if (service.protocol == Protocol::rest_xml) {
    return {.code = "MissingRequestBodyError", .status = 400, .message = "Request Body is empty"};
  }
  return document_error(service,
                        {.code = "InvalidJson", .status = 400, .message = "the body is empty"});
}

}  // namespace wolke::shape
