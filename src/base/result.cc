#include "wolke/base/result.h"

#include <cstdio>
#include <cstdlib>

namespace wolke {

Error internal_error(std::string what) {
  return Error{.code = "InternalError", .status = 500, .message = std::move(what)};
}

void assert_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "wolke: assertion failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace wolke
