#pragma once
// CloudWatch Logs' errors, by name.

#include <string>

#include "wolke/base/result.h"

namespace wolke::logs {

Error invalid_parameter(std::string message);
Error validation(std::string message);
Error no_such_group();
Error no_such_stream();
Error no_such_resource();
Error group_exists();
Error stream_exists();
Error no_such(const std::string& what);  // "metric filter"
Error limit_exceeded();
Error malformed_query(std::string message);
Error not_served(const std::string& what);

}  // namespace wolke::logs
