#include "wolke/shape/protocol.h"

#include "wolke/shape/dialect.h"
#include "wolke/shape/json_codec.h"
#include "wolke/shape/members.h"
#include "wolke/shape/query_codec.h"
#include "wolke/shape/rest.h"
#include "wolke/shape/validate.h"

namespace wolke::shape {

const Member* streaming_member(const Type* structure) {
  if (structure == nullptr) return nullptr;
  const Member* payload = payload_member(*structure);
  return payload != nullptr && payload->type->kind == Kind::body ? payload : nullptr;
}

namespace {

bool is_rest(Protocol protocol) {
  return protocol == Protocol::rest_xml || protocol == Protocol::rest_json;
}

Result<void> decode_query(const Operation& operation, const WireRequest& request, void* input) {
  std::optional<QueryPairs> parameters = parse_query(request.body);
  if (!parameters) {
    return fail({.code = "MalformedQueryString",
                 .status = 400,
                 .message = "The query string contains a syntax error."});
  }
  if (request.query != nullptr)
    parameters->insert(parameters->begin(), request.query->begin(), request.query->end());
  Result<void> read = read_query(*std::move(parameters), *operation.input, input);
  return read ? Result<void>() : fail(document_error(*operation.service, std::move(read).error()));
}

Result<void> decode_rpc(const Operation& operation, const WireRequest& request, void* input) {
  if (request.body.empty()) return {};
  Result<void> read = decode_json(request.body, *operation.input, input, JsonForm::wire);
  return read ? Result<void>() : fail(document_error(*operation.service, std::move(read).error()));
}

/// The stream tells all, its initial response too.
void encode_event_stream(const Operation& operation, const Value& output, WireResponse& response) {
  response.headers = {{"content-type", "application/vnd.amazon.eventstream"}};
  const void* stream = value_of(*streaming_member(operation.output), output.data());
  response.stream = stream ? *static_cast<const Body*>(stream) : Body();
}

WireResponse encode_rpc(const Operation& operation, const Value& output) {
  WireResponse response;
  response.status = operation.success_status;
  bool json10 = operation.service->protocol == Protocol::json10;
  response.headers.emplace_back(
      "content-type", json10 ? "application/x-amz-json-1.0" : "application/x-amz-json-1.1");
  if (streaming_member(operation.output) != nullptr) {
    encode_event_stream(operation, output, response);
    return response;
  }
  // Operations without output answer with an empty body, as the services do.
  if (!operation.output->members.empty())
    append_json(response.body, *operation.output, output.data(), JsonForm::wire);
  return response;
}

}  // namespace

Result<Value> decode_input(const Operation& operation, const WireRequest& request) {
  ASSERT(operation.served());
  Value input(*operation.input);
  Protocol protocol = operation.service->protocol;
  if (is_rest(protocol)) {
    TRY(decode_rest(operation, request, input.data()));
  } else if (protocol == Protocol::query) {
    TRY(decode_query(operation, request, input.data()));
  } else {
    TRY(decode_rpc(operation, request, input.data()));
  }
  TRY(validate(*operation.service, *operation.input, input.data()));
  return input;
}

Result<WireResponse> encode_output(const Operation& operation, const Value& output,
                                   std::string_view request_id) {
  ASSERT(output.type() == operation.output);
  Protocol protocol = operation.service->protocol;
  if (is_rest(protocol)) return encode_rest(operation, output.data());
  if (protocol != Protocol::query) return encode_rpc(operation, output);
  WireResponse response;
  response.status = operation.success_status;
  response.headers.emplace_back("content-type", "text/xml");
  response.body = query_answer(operation, output.data(), request_id);
  return response;
}

}  // namespace wolke::shape
