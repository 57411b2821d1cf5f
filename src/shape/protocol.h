#pragma once
// The protocols' one entrance for the gateway: request -> input value, output value or error ->
// response. Which codec is behind it is decided by the service's Protocol (and, for services with
// two, by what the client sent).
//
// decode_input also validates (validate.h): missing required members, lengths, ranges, patterns,
// enums, with the service's own error code and text. Bad documents give the protocol's own error
// ("MalformedXML", "SerializationException", ...). Bodies of streaming members are not read here:
// the gateway puts them into the Body.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/base/uri.h"
#include "wolke/shape/schema.h"

namespace wolke::shape {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// A request as the codec needs it: already split, still encoded as sent.
struct WireRequest {
  std::string_view method;
  std::string_view path;                // raw, percent-encoded, after bucket rewriting (path style)
  const QueryPairs* query = nullptr;    // decoded
  const HeaderList* headers = nullptr;  // names lower case
  std::string_view body;                // empty for streaming members
};

struct WireResponse {
  int status = 200;
  HeaderList headers;  // includes content-type; content-length is the edge's
  std::string body;
  /// Set when the output's payload is a streaming member; `body` is empty then.
  std::optional<Body> stream;
};

/// The member that is a streaming body (Kind::body), or nullptr: then the gateway buffers the body.
const Member* streaming_member(const Type* structure);

/// Matches method, path and query against a rest service's operations: the most specific wins
/// (query literals such as ?uploads count). nullptr when nothing matches.
const Operation* match_rest(const Service& service, const WireRequest& request);
/// "Logs_20140328.PutLogEvents" -> operation; for query: the Action parameter.
const Operation* find_operation(const Service& service, std::string_view name);

Result<Value> decode_input(const Operation& operation, const WireRequest& request);
Result<WireResponse> encode_output(const Operation& operation, const Value& output,
                                   std::string_view request_id);
/// Never fails. `resource` is S3's <Resource>. HEAD requests get no body.
WireResponse encode_error(const Service& service, const Operation* operation, const Error& error,
                          std::string_view request_id, std::string_view resource, bool head);

}  // namespace wolke::shape
