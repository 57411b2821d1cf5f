#include "wolke/app/role_rights.h"

#include "wolke/base/text.h"

namespace wolke::app {
namespace {

constexpr std::size_t parts_before_role = 5;  // arn:aws:iam::ACCOUNT:role/NAME

}  // namespace

std::string session_name_of(const std::string& function_name) {
  return function_name.size() > 1 ? function_name : function_name + "@lambda_function";
}

Result<identity::Principal> principal_of_role(identity::Directory& directory,
                                              const std::string& role_arn,
                                              const std::string& function_name, Timestamp now) {
  TRY(const identity::SessionCredentials session,
      directory.assume_for_function(role_arn, session_name_of(function_name), "",
                                    std::chrono::minutes(15), now));
  const auto parts = split(role_arn, ':');
  identity::Principal out;
  out.kind = identity::PrincipalKind::assumed_role;
  if (parts.size() > parts_before_role) out.account = parts[4];
  out.arn = session.arn;
  out.unique_id = session.unique_id;
  out.role_name = role_arn.substr(role_arn.rfind('/') + 1);
  out.role_arn = role_arn;
  out.session_name = session_name_of(function_name);
  out.unrestricted = session.unrestricted;
  return out;
}

Result<bool> role_may_invoke(identity::Directory& directory, const lambda::RoleInvokes& ask) {
  auto principal = principal_of_role(directory, ask.role_arn, ask.function_name, ask.now);
  if (!principal && principal.error().status < 500) return false;
  if (!principal) return fail(principal.error());
  const identity::RequestFacts facts{
      .region = ask.region, .secure_transport = true, .now = ask.now};
  TRY(const auto authorizer, directory.make_authorizer(*std::move(principal), facts));
  return authorizer->allows({.action = "lambda:InvokeFunction",
                             .resource = ask.target_arn,
                             .resource_account = ask.target_account});
}

}  // namespace wolke::app
