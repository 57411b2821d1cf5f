#pragma once
// Errors on the wire, one table entry per protocol: S3's bare <Error>, query's <ErrorResponse>,
// restJson's x-amzn-errortype, awsJson's __type. The member names of a modelled error ("Message" or
// "message", "Type", "Reason") are taken from its shape, so each service answers as its SDKs
// expect. Never fails.

#include "wolke/shape/protocol.h"

namespace wolke::shape {

/// The modelled error with this name or wire code: the operation's own first, then any of the
/// service; or nullptr.
const ErrorShape* find_error(const Service& service, const Operation* operation,
                             std::string_view code);

}  // namespace wolke::shape
