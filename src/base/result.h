#pragma once
// Errors are values. Result<T> is std::expected<T, Error>; each module makes its errors by named
// factories
// (`s3::no_such_bucket(name)`). TRY returns the error to the caller; CO_TRY is its twin for
// coroutines.
//
//   TRY(auto bucket, find_bucket(tx, name));   // declares `bucket`
//   TRY(check_name(name));                     // for Result<void>
//
// A bug of ours is an ASSERT: on in release, it ends the process; recovery is the restart. Never
// assert on bytes that come from outside. Threads: everything here is a value; no shared state.

#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace wolke {

/// What a caller is told. `code` is the name that an SDK matches ("NoSuchBucket"), `status` the
/// HTTP status, `fields` further members of the error's wire shape, in order ("BucketName",
/// "photos"), `headers` what the answer says beside its body.
struct Error {
  std::string code;
  int status = 500;
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::vector<std::pair<std::string, std::string>> headers = {};

  bool is_server_fault() const { return status >= 500; }
};

template <class T>
using Result = std::expected<T, Error>;

/// Named, so that `return fail(...)` reads the same everywhere.
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}

/// Something inside broke (disk, engine); the caller sees a 500 without our details, the log has
/// them.
Error internal_error(std::string what);

[[noreturn]] void assert_failed(const char* expression, const char* file, int line);

}  // namespace wolke

#define ASSERT(condition) \
  ((condition) ? (void)0 : ::wolke::assert_failed(#condition, __FILE__, __LINE__))

#define WOLKE_CAT_(a, b) a##b
#define WOLKE_CAT(a, b) WOLKE_CAT_(a, b)
#define WOLKE_TRY_1(ret, tmp, expr) \
  auto tmp = (expr);                \
  if (!tmp) [[unlikely]]            \
  ret std::unexpected<::wolke::Error>(std::move(tmp).error())
#define WOLKE_TRY_12(ret, tmp, decl, ...)                        \
  auto tmp = (__VA_ARGS__);                                      \
  if (!tmp) [[unlikely]]                                         \
    ret std::unexpected<::wolke::Error>(std::move(tmp).error()); \
  decl = *std::move(tmp)
#define TRY(first, ...)                 \
  WOLKE_CAT(WOLKE_TRY_1, __VA_OPT__(2)) \
  (return, WOLKE_CAT(try_, __COUNTER__), first __VA_OPT__(, ) __VA_ARGS__)
#define CO_TRY(first, ...)              \
  WOLKE_CAT(WOLKE_TRY_1, __VA_OPT__(2)) \
  (co_return, WOLKE_CAT(try_, __COUNTER__), first __VA_OPT__(, ) __VA_ARGS__)
