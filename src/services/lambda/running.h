#pragma once
// What direct invocations and deliveries have in common. Loop thread only.

#include "wolke/services/lambda/lambda.h"

namespace wolke::lambda {

/// From the cache, else read on a pool thread. "Function not found: …" when there is none.
async::Task<Result<Resolved>> find_function(Lambda& service, FunctionRef ref);
/// The version to run now, by the alias's weights.
const invoke::FunctionSpec& choose_route(Lambda& service, const ResolvedFunction& resolved);
Error recursion_stopped();

}  // namespace wolke::lambda
