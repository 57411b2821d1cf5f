#pragma once
// Where a function's or a layer's code comes from, and how it gets here: from the request or from
// S3, as the caller may; unzipped and sealed, so that whoever commits it refers to what is on
// stable storage.
//
// Threads: fetch_and_stage() on the loop, its work on the pool. Failure: the errors of the API; a
// staged zip that is never referred to is collected later.

#include <fmt/core.h>

#include <optional>
#include <string>
#include <utility>

#include "wolke/base/limits.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/lambda.h"
#include "wolke/services/lambda/state.h"

namespace wolke::lambda {

/// CreateFunction's Code, UpdateFunctionCode and a layer's Content have the same members.
struct Source {
  std::optional<std::string> zip;
  std::optional<ObjectName> object;
};

template <class Members>
Result<Source> source_of(Members& code) {
  if constexpr (requires { code.image_uri; }) {
    if (code.image_uri) return fail(not_served("ImageUri"));
    if (code.source_kms_key_arn && !code.source_kms_key_arn->empty())
      return fail(not_served("SourceKMSKeyArn"));
  }
  Source out;
  const bool from_s3 = code.s3_bucket || code.s3_key;
  if (code.zip_file && from_s3) {
    return fail(invalid_parameter(
        "Please do not provide other FunctionCode parameters when providing a ZipFile."));
  }
  if (code.zip_file) {
    out.zip = std::move(code.zip_file);
    if (out.zip->empty()) return fail(invalid_parameter("Uploaded file must be a non-empty zip"));
    if (out.zip->size() > limits::package_zipped_bytes_max) {
      return fail(Error{.code = "RequestEntityTooLargeException",
                        .status = 413,
                        .message = fmt::format("Zipped size must be smaller than {} bytes",
                                               limits::package_zipped_bytes_max)});
    }
    return out;
  }
  if (!code.s3_bucket || !code.s3_key) {
    return fail(invalid_parameter("Please provide a source for function code."));
  }
  out.object = ObjectName{*code.s3_bucket, *code.s3_key, code.s3_object_version};
  return out;
}

/// A zip that was found good: its blob is sealed and its package complete on disk.
struct Staged {
  Code code;
  Pin pin;
};

async::Task<Result<Staged>> fetch_and_stage(Lambda& service, const operation::Context& context,
                                            Source source);

/// Counts the bytes in, or refuses them when the account has too many.
Result<void> add_code_bytes(Lambda& service, Account& account, std::uint64_t bytes);

}  // namespace wolke::lambda
