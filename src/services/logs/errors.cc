#include "wolke/services/logs/errors.h"

namespace wolke::logs {
namespace {
Error make(const char* code, std::string message) {
  return {.code = code, .status = 400, .message = std::move(message)};
}
}  // namespace

Error invalid_parameter(std::string message) {
  return make("InvalidParameterException", std::move(message));
}
Error validation(std::string message) {
  return make("ValidationException", std::move(message));
}
Error no_such_group() {
  return make("ResourceNotFoundException", "The specified log group does not exist.");
}
Error no_such_stream() {
  return make("ResourceNotFoundException", "The specified log stream does not exist.");
}
Error no_such_resource() {
  return make("ResourceNotFoundException", "The specified resource does not exist.");
}
Error group_exists() {
  return make("ResourceAlreadyExistsException", "The specified log group already exists");
}
Error stream_exists() {
  return make("ResourceAlreadyExistsException", "The specified log stream already exists");
}
Error no_such(const std::string& what) {
  return make("ResourceNotFoundException", "The specified " + what + " does not exist.");
}
Error limit_exceeded() {
  return make("LimitExceededException", "Resource limit exceeded.");
}
Error malformed_query(std::string message) {
  return make("MalformedQueryException", std::move(message));
}
Error not_served(const std::string& what) {
  return invalid_parameter(what + " is not served by this server.");
}

}  // namespace wolke::logs
