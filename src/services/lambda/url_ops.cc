// Function URLs, as configuration.
#include <fmt/core.h>

#include "wolke/services/lambda/errors.h"
#include "wolke/services/lambda/ops.h"
#include "wolke/services/lambda/page.h"
#include "wolke/services/lambda/side_state.h"

namespace wolke::lambda {
namespace {

namespace m = model::lambda;

Error no_function() {
  return not_found("Function does not exist");
}
Error no_url() {
  return not_found("The resource you requested does not exist.");
}

UrlCors cors_of(const m::Cors& input) {
  UrlCors out;
  out.credentials = input.allow_credentials;
  out.headers = input.allow_headers;
  out.methods = input.allow_methods;
  out.origins = input.allow_origins;
  out.exposed = input.expose_headers;
  out.max_age = input.max_age;
  return out;
}

m::Cors describe_cors(const UrlCors& cors) {
  m::Cors out;
  out.allow_credentials = cors.credentials;
  out.allow_headers = cors.headers;
  out.allow_methods = cors.methods;
  out.allow_origins = cors.origins;
  out.expose_headers = cors.exposed;
  out.max_age = cors.max_age;
  return out;
}

template <class Out>
Out describe_url(const FunctionRef& ref, const UrlConfig& url) {
  Out out;
  out.function_url = fmt::format("https://{}.lambda-url.{}.on.aws/", url.id, ref.region);
  out.function_arn = ref.qualified_arn();
  out.auth_type = url.auth_type;
  if (url.cors) out.cors = describe_cors(*url.cors);
  out.creation_time = format_iso8601(url.created);
  if constexpr (requires { out.last_modified_time; })
    out.last_modified_time = format_iso8601(url.modified);
  out.invoke_mode = url.invoke_mode.empty() ? "BUFFERED" : url.invoke_mode;
  return out;
}

/// What changed it tells the mode, as on AWS, only once one was asked for.
template <class Out>
Out describe_change(const FunctionRef& ref, const UrlConfig& url) {
  Out out = describe_url<Out>(ref, url);
  if (url.invoke_mode.empty()) out.invoke_mode.reset();
  return out;
}

/// Functions and aliases have URLs, versions have none.
Result<FunctionRef> url_ref(const Context& context, const std::optional<std::string>& name,
                            const std::optional<std::string>& qualifier) {
  TRY(FunctionRef ref, ref_of(context, name, qualifier));
  if (ref.qualifier == latest || version_number(ref.qualifier)) {
    return fail(validation(
        fmt::format("1 validation error detected: Value '{}' at 'qualifier' failed to satisfy "
                    "constraint: Member must satisfy regular expression pattern: "
                    "((?!^\\d+$)^[0-9a-zA-Z-_]+$)",
                    ref.qualifier)));
  }
  return ref;
}

/// The function, or the alias, that there must be.
Result<FunctionRef> url_of(Tx& tx, const Context& context, const std::optional<std::string>& name,
                           const std::optional<std::string>& qualifier) {
  TRY(FunctionRef ref, url_ref(context, name, qualifier));
  TRY(const auto function, tx.get<Function>(function_key(ref)));
  if (!function) return fail(no_function());
  if (ref.qualifier.empty()) return ref;
  TRY(const auto alias, tx.get<Alias>(alias_key(ref, ref.qualifier)));
  if (!alias) return fail(no_function());
  return ref;
}

}  // namespace

Result<op::CreateFunctionUrlConfig::Output> create_url(
    Lambda&, Tx& tx, const Context& context, const op::CreateFunctionUrlConfig::Input& input) {
  TRY(const FunctionRef ref, url_of(tx, context, input.function_name, input.qualifier));
  TRY(const auto existing, tx.get<UrlConfig>(url_key(ref)));
  if (existing) {
    return fail(conflict(
        fmt::format("Failed to create function url config for [functionArn = {}]. Error message:  "
                    "FunctionUrlConfig exists for this Lambda function",
                    ref.qualified_arn())));
  }
  UrlConfig url;
  url.id = context.random->hex(16);
  url.auth_type = input.auth_type.value_or("");
  url.invoke_mode = input.invoke_mode.value_or("");
  if (input.cors) url.cors = cors_of(*input.cors);
  url.created = url.modified = context.now;
  tx.put(url_key(ref), url);
  return describe_change<op::CreateFunctionUrlConfig::Output>(ref, url);
}

Result<op::GetFunctionUrlConfig::Output> get_url(Lambda&, Tx& tx, const Context& context,
                                                 const op::GetFunctionUrlConfig::Input& input) {
  TRY(const FunctionRef ref, url_ref(context, input.function_name, input.qualifier));
  TRY(const auto url, tx.get<UrlConfig>(url_key(ref)));
  if (!url) return fail(no_url());
  return describe_url<op::GetFunctionUrlConfig::Output>(ref, *url);
}

Result<op::UpdateFunctionUrlConfig::Output> update_url(
    Lambda&, Tx& tx, const Context& context, const op::UpdateFunctionUrlConfig::Input& input) {
  TRY(const FunctionRef ref, url_of(tx, context, input.function_name, input.qualifier));
  TRY(auto url, tx.get<UrlConfig>(url_key(ref)));
  if (!url) return fail(no_url());
  if (input.auth_type) url->auth_type = *input.auth_type;
  if (input.invoke_mode) url->invoke_mode = *input.invoke_mode;
  if (input.cors) url->cors = cors_of(*input.cors);
  url->modified = context.now;
  tx.put(url_key(ref), *url);
  return describe_change<op::UpdateFunctionUrlConfig::Output>(ref, *url);
}

Result<op::DeleteFunctionUrlConfig::Output> delete_url(
    Lambda&, Tx& tx, const Context& context, const op::DeleteFunctionUrlConfig::Input& input) {
  TRY(const FunctionRef ref, url_ref(context, input.function_name, input.qualifier));
  TRY(const auto url, tx.get<UrlConfig>(url_key(ref)));
  if (!url) return fail(no_url());
  tx.erase(url_key(ref));
  return op::DeleteFunctionUrlConfig::Output{};
}

Result<op::ListFunctionUrlConfigs::Output> list_urls(
    Lambda&, Tx& tx, const Context& context, const op::ListFunctionUrlConfigs::Input& input) {
  TRY(FunctionRef ref, ref_of(context, input.function_name));
  TRY(const auto function, tx.get<Function>(function_key(ref)));
  if (!function) return fail(no_function());
  TRY(const auto urls, all_urls(tx, ref));
  std::vector<m::FunctionUrlConfig> all;
  for (const auto& [qualifier, url] : urls) {
    ref.qualifier = qualifier;
    all.push_back(describe_url<m::FunctionUrlConfig>(ref, url));
  }
  op::ListFunctionUrlConfigs::Output out;
  TRY(out.function_url_configs,
      page_of(std::move(all), input.marker, input.max_items, out.next_marker));
  return out;
}

}  // namespace wolke::lambda
