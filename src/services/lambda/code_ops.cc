// Functions get their code: CreateFunction and UpdateFunctionCode. They are tasks, for they unzip:
// check the request; fetch the zip (from the request, or from S3 as the caller may); stage it (from
// here blob and package are on stable storage, unreferenced); commit (from here the function is
// there).
#include <fmt/core.h>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/services/lambda/configuration.h"
#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/ops.h"

namespace wolke::lambda {
namespace {

/// Where the code comes from; CreateFunction's Code and UpdateFunctionCode have the same members.
struct Source {
  std::optional<std::string> zip;
  std::optional<ObjectName> object;
};

template <class Members>
Result<Source> source_of(Members& code) {
  if (code.image_uri) return fail(not_served("ImageUri"));
  if (code.source_kms_key_arn && !code.source_kms_key_arn->empty())
    return fail(not_served("SourceKMSKeyArn"));
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

Error object_error(const Error& error) {
  return invalid_parameter(
      fmt::format("Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}",
                  error.code, error.message));
}

/// A zip that was found good: its blob is sealed and its package complete on disk.
struct Staged {
  Code code;
  Pin pin;
};

Error package_error(const Error& error) {
  if (error.code == "TooLarge") {
    return invalid_parameter(fmt::format("Unzipped size must be smaller than {} bytes",
                                         limits::package_unzipped_bytes_max));
  }
  if (error.code == "NoZip") return could_not_unzip();
  if (error.code != "InvalidZip") return error;
  Error out = could_not_unzip();
  out.message += " (" + error.message + ")";
  return out;
}

Result<Staged> stage(Lambda& service, std::string zip) {
  const std::string digest = sha256(zip);
  Staged out;
  Result<Pin> pin = service.parts.packages.stage(zip, to_hex(digest));
  if (!pin) return fail(package_error(pin.error()));
  out.pin = *std::move(pin);
  TRY(auto blob, service.parts.blobs.create());
  TRY(blob->write(zip));
  TRY(out.code.zip, blob->seal());
  out.code.sha256 = to_base64(digest);
  out.code.package = to_hex(digest);
  out.code.bytes = zip.size();
  return out;
}

/// The zip's bytes, wherever they are.
async::Task<Result<std::string>> fetch(Lambda& service, const Context& context, Source source) {
  if (source.zip) co_return *std::move(source.zip);
  if (!service.parts.ports.read_object) co_return fail(not_served("Code from S3"));
  std::function<Result<std::string>(Tx&)> read = [&](Tx& tx) -> Result<std::string> {
    Result<Body> body = service.parts.ports.read_object(tx, context, *source.object);
    if (!body) return fail(object_error(body.error()));
    return store::read_body(service.parts.blobs, *body, limits::package_unzipped_bytes_max);
  };
  co_return co_await operation::transact<std::string>(service.parts.runner, std::move(read));
}

async::Task<Result<Staged>> fetch_and_stage(Lambda& service, const Context& context,
                                            Source source) {
  CO_TRY(std::string zip, co_await fetch(service, context, std::move(source)));
  auto staged = co_await async::run_on(service.parts.runner.pool, service.parts.runner.loop,
                                       [&service, &zip] { return stage(service, std::move(zip)); });
  if (!staged) co_return fail(service_exception("The server is busy. Please try again."));
  co_return *std::move(staged);
}

Result<void> add_code_bytes(Lambda& service, Account& account, std::uint64_t bytes) {
  account.code_bytes += bytes;
  if (account.code_bytes > service.parts.limits.code_storage_bytes)
    return fail(code_storage_exceeded());
  return {};
}

/// What is refused before a byte is unzipped.
Result<void> check_new(Lambda& service, Tx& tx, const FunctionRef& ref,
                       const FunctionVersion& version) {
  TRY(const auto existing, tx.peek<Function>(function_key(ref)));
  if (existing) return fail(function_exists(ref.name));
  return check_role(service, tx, ref, version.role);
}

Result<void> check_name(const FunctionRef& ref) {
  if (ref.name.size() <= function_name_max && ref.qualifier.empty()) return {};
  if (!ref.qualifier.empty() && ref.qualifier != latest) {
    return fail(invalid_parameter("The function name of a new function has no qualifier."));
  }
  return fail(
      validation(fmt::format("1 validation error detected: Value '{}' at 'functionName' failed to "
                             "satisfy constraint: Member must have length "
                             "less than or equal to 64",
                             ref.name)));
}

Result<op::CreateFunction::Output> commit_new(Lambda& service, Tx& tx, const Context& context,
                                              const FunctionRef& ref,
                                              const FunctionVersion& version,
                                              const op::CreateFunction::Input& input) {
  TRY(const auto existing, tx.get<Function>(function_key(ref)));
  if (existing) return fail(function_exists(ref.name));
  TRY(check_role(service, tx, ref, version.role));
  TRY(Account account, get_account(tx, ref));
  TRY(add_code_bytes(service, account, version.code.bytes));
  ++account.functions;
  tx.put(account_key(ref.account, ref.region), account);

  Function function;
  function.name = ref.name;
  function.latest_version = version;
  function.latest_version.revision = context.random->uuid();
  function.latest_version.modified = context.now;
  if (input.tags) function.tags = *input.tags;
  refer_code(tx, version.code, function_key(ref));
  service.resolver.note_change();
  if (input.publish.value_or(false)) {
    TRY(const FunctionVersion published, publish(tx, context, ref, function, input.description));
    put_function(tx, ref, function);
    return describe_change(ref, published, Phase::creating, context.random->uuid());
  }
  put_function(tx, ref, function);
  return describe_change(ref, function.latest_version, Phase::creating, context.random->uuid());
}

}  // namespace

Result<void> check_role(Lambda& service, Tx& tx, const FunctionRef& ref, const std::string& role) {
  const std::vector<std::string_view> arn = split(role, ':');
  if (arn.size() < 5 || arn[4] != ref.account) return fail(cross_account_role());
  const auto& assumable = service.parts.ports.role_assumable;
  if (!assumable) return {};
  TRY(const bool allowed, assumable(tx, role));
  if (allowed) return {};
  return fail(invalid_parameter("The role defined for the function cannot be assumed by Lambda."));
}

async::Task<Result<op::CreateFunction::Output>> create_function(Lambda& service, Context context,
                                                                op::CreateFunction::Input input) {
  CO_TRY(const FunctionRef ref, ref_of(context, input.function_name));
  CO_TRY(check_name(ref));
  CO_TRY(FunctionVersion version, configure(input));
  if (!input.code) co_return fail(invalid_parameter("Please provide a source for function code."));
  CO_TRY(Source source, source_of(*input.code));

  std::function<Result<bool>(Tx&)> early = [&](Tx& tx) -> Result<bool> {
    TRY(check_new(service, tx, ref, version));
    return true;
  };
  CO_TRY(const bool may_go_on,
         co_await operation::transact<bool>(service.parts.runner, std::move(early)));
  ASSERT(may_go_on);

  CO_TRY(Staged staged, co_await fetch_and_stage(service, context, std::move(source)));
  version.code = staged.code;
  std::function<Result<op::CreateFunction::Output>(Tx&)> commit = [&](Tx& tx) {
    return commit_new(service, tx, context, ref, version, input);
  };
  co_return co_await operation::transact<op::CreateFunction::Output>(service.parts.runner,
                                                                     std::move(commit));
}

namespace {

Result<op::UpdateFunctionCode::Output> commit_code(Lambda& service, Tx& tx, const Context& context,
                                                   const FunctionRef& ref, const Code& code,
                                                   const op::UpdateFunctionCode::Input& input) {
  TRY(Function function, get_function(tx, ref));
  FunctionVersion& version = function.latest_version;
  if (input.revision_id && *input.revision_id != version.revision_id())
    return fail(revision_mismatch());
  if (input.architectures && !input.architectures->empty())
    version.architecture = input.architectures->front();
  if (input.dry_run.value_or(false)) {
    FunctionVersion preview = version;
    preview.code = code;
    return describe(ref, preview, false, Phase::settled);
  }
  TRY(Account account, get_account(tx, ref));
  account.code_bytes -= std::min(account.code_bytes, version.code.bytes);
  TRY(add_code_bytes(service, account, code.bytes));
  tx.put(account_key(ref.account, ref.region), account);
  release_code(tx, version.code, function_key(ref));
  refer_code(tx, code, function_key(ref));
  version.code = code;
  version.revise(context.random->uuid());
  version.modified = context.now;
  service.resolver.note_change();
  if (input.publish.value_or(false)) {
    TRY(const FunctionVersion published, publish(tx, context, ref, function, std::nullopt));
    put_function(tx, ref, function);
    return describe(ref, published, true, Phase::settled);
  }
  put_function(tx, ref, function);
  return describe_change(ref, version, Phase::updating, context.random->uuid());
}

}  // namespace

async::Task<Result<op::UpdateFunctionCode::Output>> update_code(
    Lambda& service, Context context, op::UpdateFunctionCode::Input input) {
  CO_TRY(const FunctionRef ref, ref_of(context, input.function_name));
  CO_TRY(check_architectures(input.architectures));
  if (input.publish_to) co_return fail(not_served("PublishTo"));
  CO_TRY(Source source, source_of(input));

  std::function<Result<bool>(Tx&)> early = [&](Tx& tx) -> Result<bool> {
    TRY(const Function function, get_function(tx, ref));
    const bool stale =
        input.revision_id && *input.revision_id != function.latest_version.revision_id();
    if (stale) return fail(revision_mismatch());
    return true;
  };
  CO_TRY(const bool may_go_on,
         co_await operation::transact<bool>(service.parts.runner, std::move(early)));
  ASSERT(may_go_on);

  CO_TRY(Staged staged, co_await fetch_and_stage(service, context, std::move(source)));
  std::function<Result<op::UpdateFunctionCode::Output>(Tx&)> commit = [&](Tx& tx) {
    return commit_code(service, tx, context, ref, staged.code, input);
  };
  co_return co_await operation::transact<op::UpdateFunctionCode::Output>(service.parts.runner,
                                                                         std::move(commit));
}

}  // namespace wolke::lambda
