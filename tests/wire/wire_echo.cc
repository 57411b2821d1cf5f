// Test-only: one JSON request a line on stdin, one JSON answer a line on stdout.
//   {"verb":"decode","service":…,"method":…,"path":…,"query":…,"headers":[[k,v]…],"body":base64} ->
//   {"operation","input"}
//   {"verb":"encode","service":…,"operation":…,"output":{…}}          ->
//   {"status","headers","body"}
//   {"verb":"error","service":…,"operation":…,"error":{code,status,message,fields}} ->
//   {"status","headers","body"}
// Values are in JsonForm::document. A failure is {"error":{"code","message"}}.

#include <iostream>
#include <string>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/model/iam/operations.h"
#include "wolke/model/lambda/operations.h"
#include "wolke/model/logs/operations.h"
#include "wolke/model/s3/operations.h"
#include "wolke/model/sts/operations.h"
#include "wolke/shape/json.h"
#include "wolke/shape/json_codec.h"
#include "wolke/shape/protocol.h"

namespace wolke {
namespace {

using shape::Json;

const shape::Service* find_service(std::string_view name) {
  for (const shape::Service* service :
       {&model::s3::service(), &model::lambda::service(), &model::iam::service(),
        &model::sts::service(), &model::logs::service()}) {
    if (service->name == name) return service;
  }
  return nullptr;
}

Error bad(std::string message) {
  return {.code = "BadTest", .status = 400, .message = std::move(message)};
}

std::string text_at(const Json& json, std::string_view key) {
  return json.string_at(key).value_or("");
}

const shape::Operation* detect(const shape::Service& service, const shape::WireRequest& request) {
  switch (service.protocol) {
    case shape::Protocol::rest_xml:
    case shape::Protocol::rest_json:
      return match_rest(service, request);
    case shape::Protocol::query: {
      std::optional<QueryPairs> pairs = parse_query(request.body);
      const std::string* action = pairs ? find_query(*pairs, "Action") : nullptr;
      return action ? find_operation(service, *action) : nullptr;
    }
    default:
      break;
  }
  for (const auto& [name, value] : *request.headers) {
    if (name == "x-amz-target") return find_operation(service, value);
  }
  return nullptr;
}

Result<Json> decode(const shape::Service& service, const Json& json) {
  std::optional<QueryPairs> query = parse_query(text_at(json, "query"));
  std::optional<std::string> body = from_base64(text_at(json, "body"));
  if (!query || !body) return fail(bad("query or body"));
  shape::HeaderList headers;
  for (const Json& pair : *json.find("headers")->array()) {
    headers.emplace_back(to_lower(*(*pair.array())[0].string()), *(*pair.array())[1].string());
  }
  std::string method = text_at(json, "method"), path = text_at(json, "path");
  shape::WireRequest request{method, path, &*query, &headers, *body};
  const shape::Operation* operation = detect(service, request);
  if (operation == nullptr) return fail(bad("no operation matches"));
  Json answer;
  answer.set("operation", std::string(operation->name));
  if (!operation->served()) return answer;
  TRY(shape::Value input, decode_input(*operation, request));
  std::string document;
  append_json(document, *operation->input, input.data(), shape::JsonForm::document);
  TRY(Json value, shape::parse_json(document));
  answer.set("input", std::move(value));
  return answer;
}

Json response_json(shape::WireResponse response) {
  Json answer;
  answer.set("status", response.status);
  Json::Array headers;
  for (auto& [name, value] : response.headers)
    headers.push_back(Json::Array{Json(name), Json(value)});
  answer.set("headers", std::move(headers));
  answer.set("body", to_base64(response.stream ? response.stream->inline_bytes : response.body));
  return answer;
}

Result<Json> encode(const shape::Operation& operation, const Json& json) {
  shape::Value output(*operation.output);
  TRY(decode_json(json.find("output")->text(), *operation.output, output.data(),
                  shape::JsonForm::document));
  TRY(shape::WireResponse response, encode_output(operation, output, "4442587FB7D0A2F9"));
  return response_json(std::move(response));
}

Json encode_failure(const shape::Service& service, const shape::Operation& operation,
                    const Json& json) {
  const Json& given = *json.find("error");
  Error error{.code = text_at(given, "code"),
              .status = static_cast<int>(given.integer_at("status").value_or(500)),
              .message = text_at(given, "message")};
  for (const auto& [name, value] : *given.find("fields")->object())
    error.fields.emplace_back(name, *value.string());
  return response_json(
      encode_error(service, &operation, error, "4442587FB7D0A2F9", "/resource", false));
}

Result<Json> answer(std::string_view line) {
  TRY(Json json, shape::parse_json(line));
  const shape::Service* service = find_service(text_at(json, "service"));
  if (service == nullptr) return fail(bad("no such service"));
  std::string verb = text_at(json, "verb");
  if (verb == "decode") return decode(*service, json);
  const shape::Operation* operation = find_operation(*service, text_at(json, "operation"));
  if (operation == nullptr || !operation->served()) return fail(bad("no such operation"));
  if (verb == "encode") return encode(*operation, json);
  return encode_failure(*service, *operation, json);
}

}  // namespace
}  // namespace wolke

int main() {
  std::ios::sync_with_stdio(false);
  std::string line;
  while (std::getline(std::cin, line)) {
    wolke::Result<wolke::shape::Json> result = wolke::answer(line);
    if (!result) {
      wolke::shape::Json error;
      error.set("code", result.error().code);
      error.set("message", result.error().message);
      wolke::shape::Json outer;
      outer.set("error", std::move(error));
      result = std::move(outer);
    }
    std::cout << result->text() << '\n' << std::flush;
  }
}
