#include "wolke/shape/error_codec.h"

#include <fmt/format.h>

#include "wolke/base/text.h"
#include "wolke/shape/json.h"
#include "wolke/shape/members.h"
#include "wolke/shape/rest.h"
#include "wolke/shape/xml.h"

namespace wolke::shape {

namespace {

/// XML 1.0 has no way to write some characters; an error must be readable whatever it quotes.
std::string writable(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool control = static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
    control ? out += "\xEF\xBF\xBD" : out += c;  // U+FFFD, the replacement character
  }
  return out;
}

void element(std::string& out, std::string_view name, std::string_view text) {
  out += fmt::format("<{}>", name);
  append_xml_text(out, writable(text));
  out += fmt::format("</{}>", name);
}

std::string s3_body(const Error& error, std::string_view request_id, std::string_view resource) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>";
  element(out, "Code", error.code);
  element(out, "Message", error.message);
  for (const auto& [name, text] : error.fields) element(out, name, text);
  if (!resource.empty()) element(out, "Resource", resource);
  element(out, "RequestId", request_id);
  out += "</Error>";
  return out;
}

std::string query_body(const Service& service, const Error& error, std::string_view code,
                       std::string_view request_id) {
  std::string out = fmt::format("<ErrorResponse xmlns=\"{}\"><Error>", service.xmlns);
  element(out, "Type", error.is_server_fault() ? "Receiver" : "Sender");
  element(out, "Code", code);
  element(out, "Message", error.message);
  for (const auto& [name, text] : error.fields) element(out, name, text);
  out += "</Error>";
  element(out, "RequestId", request_id);
  out += "</ErrorResponse>";
  return out;
}

const Member* member_of(const ErrorShape* shape, std::string_view name) {
  return shape == nullptr || shape->type == nullptr ? nullptr : find_member(*shape->type, name);
}

// "Message" in some shapes of Lambda, "message" in others.
std::string_view message_name(const ErrorShape* shape) {
  return member_of(shape, "Message") != nullptr ? "Message" : "message";
}

void add_field(Json& body, HeaderList& headers, const ErrorShape* shape, const std::string& name,
               const std::string& text) {
  const Member* member = member_of(shape, name);
  if (member != nullptr && member->location == Location::header) {
    headers.emplace_back(member->wire_name, header_value(text));
    return;
  }
  Kind kind = member == nullptr ? Kind::string : member->type->kind;
  bool number =
      (kind == Kind::integer || kind == Kind::long_integer) && parse_i64(text).has_value();
  if (number) {
    body.set(name, Json(Json::Number{text}));
  } else if (kind == Kind::boolean) {
    body.set(name, Json(text == "true"));
  } else if (auto document = parse_json(text); kind == Kind::structure && document) {
    body.set(name, *std::move(document));
  } else {
    body.set(name, Json(text));
  }
}

WireResponse json_error(const Service& service, const ErrorShape* shape, const Error& error) {
  WireResponse response;
  bool rest = service.protocol == Protocol::rest_json;
  std::string name(shape ? shape->name : std::string_view(error.code));
  Json body(Json::Object{});
  if (rest) {
    response.headers.emplace_back("x-amzn-errortype", header_value(name));
    if (member_of(shape, "Type") != nullptr)
      body.set("Type", error.is_server_fault() ? "Service" : "User");
  } else {
    body.set("__type", name);
    if (shape != nullptr && shape->code != shape->name) {
      response.headers.emplace_back(
          "x-amzn-query-error",
          fmt::format("{};{}", shape->code, error.is_server_fault() ? "Receiver" : "Sender"));
    }
  }
  body.set(std::string(message_name(shape)), error.message);
  for (const auto& [field, text] : error.fields)
    add_field(body, response.headers, shape, field, text);
  response.headers.emplace_back("content-type", rest ? "application/json"
                                                : service.protocol == Protocol::json10
                                                    ? "application/x-amz-json-1.0"
                                                    : "application/x-amz-json-1.1");
  response.body = body.text();
  return response;
}

}  // namespace

const ErrorShape* find_error(const Service& service, const Operation* operation,
                             std::string_view code) {
  auto in = [&](const Operation& candidate) -> const ErrorShape* {
    for (const ErrorShape& error : candidate.errors) {
      if (error.name == code || error.code == code) return &error;
    }
    return nullptr;
  };
  if (operation != nullptr) {
    if (const ErrorShape* own = in(*operation)) return own;
  }
  for (const Operation& other : service.operations) {
    if (const ErrorShape* found = in(other)) return found;
  }
  return nullptr;
}

WireResponse encode_error(const Service& service, const Operation* operation, const Error& error,
                          std::string_view request_id, std::string_view resource, bool head) {
  const ErrorShape* shape = find_error(service, operation, error.code);
  WireResponse response;
  if (service.protocol == Protocol::rest_xml) {
    response.headers.emplace_back("content-type", "application/xml");
    response.body = s3_body(error, request_id, resource);
  } else if (service.protocol == Protocol::query) {
    response.headers.emplace_back("content-type", "text/xml");
    response.body =
        query_body(service, error, shape ? shape->code : std::string_view(error.code), request_id);
  } else {
    response = json_error(service, shape, error);
  }
  response.status = error.status;
  if (head || error.status == 304) response.body.clear();
  return response;
}

}  // namespace wolke::shape
