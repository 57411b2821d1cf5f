#include "wolke/services/lambda/code.h"

#include "wolke/base/hash.h"
#include "wolke/services/lambda/zip.h"

namespace wolke::lambda {
namespace {

Error object_error(const Error& error) {
  return invalid_parameter(
      fmt::format("Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}",
                  error.code, error.message));
}

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

Result<Staged> stage(Lambda& service, const std::string& account, std::string zip) {
  const std::string digest = sha256(zip);
  Staged out;
  Result<Pin> pin = service.parts.packages.stage(zip, to_hex(digest));
  if (!pin) return fail(package_error(pin.error()));
  out.pin = *std::move(pin);
  TRY(auto blob, service.parts.blobs.create({.account = account}));
  TRY(blob->write(zip));
  TRY(out.code.zip, blob->seal());
  out.code.sha256 = to_base64(digest);
  out.code.package = to_hex(digest);
  out.code.bytes = zip.size();
  TRY(const Archive archive, read_zip(zip));
  out.code.unzipped_bytes = archive.unzipped_bytes;
  return out;
}

/// The zip's bytes, wherever they are.
async::Task<Result<std::string>> fetch(Lambda& service, const operation::Context& context,
                                       Source source) {
  if (source.zip) co_return *std::move(source.zip);
  if (!service.parts.ports.read_object) co_return fail(not_served("Code from S3"));
  std::function<Result<std::string>(store::Tx&)> read = [&](store::Tx& tx) -> Result<std::string> {
    Result<Body> body = service.parts.ports.read_object(tx, context, *source.object);
    if (!body) return fail(object_error(body.error()));
    return store::read_body(service.parts.blobs, *body, limits::package_unzipped_bytes_max);
  };
  co_return co_await operation::transact<std::string>(service.parts.runner, std::move(read));
}

}  // namespace

async::Task<Result<Staged>> fetch_and_stage(Lambda& service, const operation::Context& context,
                                            Source source) {
  CO_TRY(std::string zip, co_await fetch(service, context, std::move(source)));
  auto staged = co_await async::run_on(
      service.parts.runner.pool, service.parts.runner.loop,
      [&service, &context, &zip] { return stage(service, context.account, std::move(zip)); });
  if (!staged) co_return fail(service_exception("The server is busy. Please try again."));
  co_return *std::move(staged);
}

Result<void> add_code_bytes(Lambda& service, Account& account, std::uint64_t bytes) {
  account.code_bytes += bytes;
  if (account.code_bytes > service.parts.limits.code_storage_bytes)
    return fail(code_storage_exceeded());
  return {};
}

}  // namespace wolke::lambda
