#pragma once
// awsQuery: requests as form parameters (Tags.member.1.Key=a), answers as XML with
// ResponseMetadata.
//
// Failure: "MalformedInput" when a parameter is not of its type. Unknown parameters are ignored, as
// the services do.

#include <string>
#include <string_view>

#include "wolke/base/result.h"
#include "wolke/base/uri.h"
#include "wolke/shape/schema.h"

namespace wolke::shape {

/// Parameters in any order; the last of equal names wins.
Result<void> read_query(QueryPairs parameters, const Type& structure, void* value);

/// <FooResponse><FooResult>…</FooResult><ResponseMetadata><RequestId>…
std::string query_answer(const Operation& operation, const void* output,
                         std::string_view request_id);

}  // namespace wolke::shape
