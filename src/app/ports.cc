#include "wolke/app/ports.h"

#include <chrono>

#include "wolke/app/role_rights.h"
#include "wolke/base/text.h"
#include "wolke/identity/link.h"
#include "wolke/model/s3/operations.h"
#include "wolke/observe/log.h"
#include "wolke/services/s3/cors.h"
namespace wolke::app {

namespace {

constexpr auto function_session_lifetime = std::chrono::hours(12);

/// An S3 operation called from inside, through its row: the caller's own permission is asked like
/// at the gate.
template <class Op>
Result<typename Op::Output> call_s3(const operation::ServiceTable& s3, store::Tx& tx,
                                    const operation::Context& context, typename Op::Input input) {
  for (const operation::Row& row : s3.rows) {
    if (row.operation != &Op::operation()) continue;
    shape::Value value = shape::Value::of(*Op::operation().input, std::move(input));
    TRY(operation::Asks asks, row.asks(s3.service, context, value));
    for (const identity::Ask& ask : asks) {
      if (!context.authorizer->allows(ask)) {
        return fail({.code = "AccessDenied", .status = 403, .message = "Access Denied"});
      }
    }
    TRY(shape::Value output, row.run(s3.service, tx, context, value));
    return std::move(output.as<typename Op::Output>());
  }
  return fail(internal_error("S3 does not serve this operation"));
}

}  // namespace

Result<std::optional<std::string>> AttachedPolicies::policy_of(
    const std::string& resource_arn) const {
  if (resource_arn.starts_with("arn:aws:s3:::")) {
    TRY(std::unique_ptr<store::Snapshot> snapshot, store_.snapshot());
    return s3::policy_of_arn(*snapshot, resource_arn);
  }
  if (resource_arn.starts_with("arn:aws:lambda:"))
    return lambda::function_policy(store_, resource_arn);
  return std::optional<std::string>();
}

Result<s3::DestinationState> FunctionsForS3::destination_state(
    store::Tx& tx, const std::string& function_arn, const std::string& source_arn,
    const std::string& source_account) const {
  lambda::ServiceCaller caller{
      .service = "s3.amazonaws.com", .source_arn = source_arn, .source_account = source_account};
  TRY(lambda::Permission permission, lambda::check_permission(tx, function_arn, caller));
  switch (permission) {
    case lambda::Permission::allowed:
      return s3::DestinationState::ready;
    case lambda::Permission::no_such_function:
      return s3::DestinationState::missing;
    case lambda::Permission::not_permitted:
      break;
  }
  return s3::DestinationState::not_permitted;
}

invoke::CredentialSource function_credentials(identity::Directory& directory, Clock& clock) {
  return [&directory, &clock](const invoke::FunctionSpec& function,
                              const std::string& sandbox_id) -> Result<invoke::SandboxCredentials> {
    // A function never acts in another account than its own.
    if (split(function.role_arn, ':').size() < 5 ||
        split(function.role_arn, ':')[4] != function.account) {
      return fail({.code = "AccessDeniedException",
                   .status = 403,
                   .message = "Cross-account pass role is not allowed."});
    }
    TRY(identity::SessionCredentials session,
        directory.assume_for_function(function.role_arn, session_name_of(function.name), sandbox_id,
                                      function_session_lifetime, clock.wall()));
    if (session.unrestricted) {
      observe::log(observe::Level::warning, "identity",
                   "the role does not exist: the function runs with full rights (development)",
                   {{"function", function.arn}, {"role", function.role_arn}});
    }
    return invoke::SandboxCredentials{.access_key_id = session.access_key_id,
                                      .secret_access_key = session.secret,
                                      .session_token = session.token,
                                      .expires = session.expires};
  };
}

lambda::Ports lambda_ports(identity::Directory& directory, operation::ServiceTable s3, bool dev) {
  lambda::Ports ports;
  if (!dev) {
    ports.role_assumable = [&directory](store::Tx&, const std::string& role_arn) -> Result<bool> {
      TRY(identity::Directory::RoleTrust trust,
          directory.role_trusts(role_arn, "lambda.amazonaws.com"));
      return trust == identity::Directory::RoleTrust::trusted;
    };
  }
  ports.role_may_invoke = [&directory](const lambda::RoleInvokes& ask) {
    return role_may_invoke(directory, ask);
  };
  ports.code_location = [&directory](const operation::Context& context, const BlobRef& zip) {
    return (context.tls ? "https://" : "http://") + context.host +
           identity::make_content_link(directory.seal(), zip, context.now);
  };
  ports.read_object = [s3 = std::move(s3)](store::Tx& tx, const operation::Context& context,
                                           const lambda::ObjectName& object) -> Result<Body> {
    model::s3::op::GetObject::Input input;
    input.bucket = object.bucket;
    input.key = object.key;
    input.version_id = object.version;
    TRY(model::s3::op::GetObject::Output output,
        call_s3<model::s3::op::GetObject>(s3, tx, context, std::move(input)));
    return output.body.value_or(Body{});
  };
  return ports;
}

gateway::CrossOrigin cross_origin_of_buckets(store::Store& store) {
  return [&store](const gateway::CrossOriginAsk& ask) -> Result<gateway::CrossOriginAnswer> {
    TRY(std::unique_ptr<store::Snapshot> snapshot, store.snapshot());
    TRY(auto rules, s3::cors_of(*snapshot, ask.bucket));
    gateway::CrossOriginAnswer answer;
    if (!rules) return answer;
    answer.configured = true;
    answer.headers = s3::cors_headers(*rules, {.origin = ask.origin,
                                               .method = ask.method,
                                               .headers = ask.headers,
                                               .preflight = ask.preflight});
    return answer;
  };
}

}  // namespace wolke::app
