#pragma once
// The HTTP bindings of rest services: which member travels in a header, in the query, in the path,
// as the payload, as the status. The documents inside are json_codec's and xml_codec's.
// Failure: the service's own code (dialect.h); nothing of a request is trusted to be there.

#include "wolke/base/result.h"
#include "wolke/shape/protocol.h"
#include "wolke/shape/schema.h"

namespace wolke::shape {

Result<void> decode_rest(const Operation& operation, const WireRequest& request, void* input);
Result<WireResponse> encode_rest(const Operation& operation, const void* output);
/// Control characters become spaces: a value that came in by another way must not end a header
/// line.
std::string header_value(std::string_view text);

}  // namespace wolke::shape
