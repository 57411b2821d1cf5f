#pragma once
// What a Lambda destination is told of an event that ended. Pure.
// Source: Lambda developer guide, "Capturing records of Lambda asynchronous invocations".

#include <string>
#include <string_view>

#include "wolke/deliver/records.h"

namespace wolke::deliver {

/// The source of the events that destinations get; their source_arn is the role that tells them.
inline constexpr std::string_view source_of_records = "lambda:destination";

/// The invocation record: version 1.0, requestContext, requestPayload, responseContext,
/// responsePayload.
std::string invocation_record(const Delivery& delivery, const Attempt& attempt, const Step& step,
                              Timestamp now);

/// Adds the event for the destination function, when the policy names one for this end, to the
/// batch that ends the event, so that neither is there without the other.
void add_destination(store::Batch& batch, const Delivery& delivery, const Attempt& attempt,
                     const Step& step, Timestamp now, const std::string& id);

}  // namespace wolke::deliver
