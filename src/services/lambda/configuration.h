#pragma once
// A version's configuration: from requests (checked, defaults filled in) and back to the
// FunctionConfiguration that every operation answers with. Pure. What is decoded but not served is
// refused by name, never ignored.

#include <optional>
#include <string>

#include "wolke/base/time.h"
#include "wolke/model/lambda/types.h"
#include "wolke/services/lambda/state.h"

namespace wolke::lambda {

/// Everything of CreateFunction but its code and its layers.
Result<FunctionVersion> configure(const model::lambda::CreateFunctionRequest& input);
/// Applies the members that are there, but for layers.
Result<void> reconfigure(FunctionVersion& version,
                         const model::lambda::UpdateFunctionConfigurationRequest& input);

/// What layers may say they go with, and what lists of layers may be limited to.
Result<void> check_known_runtime(const std::string& runtime);
Result<void> check_known_runtimes(const std::vector<std::string>& runtimes);
Result<void> check_architectures(const std::optional<std::vector<std::string>>& architectures);

/// How a change looks in the answer of the request that made it.
enum class Phase { settled, creating, updating };

/// `qualified`: the ARN carries the version.
model::lambda::FunctionConfiguration describe(const FunctionRef& ref,
                                              const FunctionVersion& version, bool qualified,
                                              Phase phase);
/// As in lists: without the states.
model::lambda::FunctionConfiguration describe_in_list(const FunctionRef& ref,
                                                      const FunctionVersion& version,
                                                      bool qualified);
/// 2026-11-23T09:51:13.000+0000
std::string format_modified(Timestamp t);

/// The answer to a change that AWS finishes later: the Pending or InProgress state has a revision
/// of its own, which the settled function no longer has. The ARN is unqualified, also when the
/// change published a version.
model::lambda::FunctionConfiguration describe_change(const FunctionRef& ref,
                                                     const FunctionVersion& version, Phase phase,
                                                     std::string revision);

}  // namespace wolke::lambda
