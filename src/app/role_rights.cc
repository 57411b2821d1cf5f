#include "wolke/app/role_rights.h"

#include "wolke/base/text.h"

namespace wolke::app {
namespace {

constexpr std::size_t parts_before_role = 5;  // arn:aws:iam::ACCOUNT:role/NAME

}  // namespace

Result<bool> role_may_invoke(identity::Directory& directory, const lambda::RoleInvokes& ask) {
  const auto session = directory.assume_for_function(ask.role_arn, ask.function_name, "",
                                                     std::chrono::minutes(15), ask.now);
  if (!session && session.error().status < 500) return false;
  if (!session) return fail(session.error());
  const auto parts = split(ask.role_arn, ':');
  if (parts.size() <= parts_before_role) return false;
  identity::Principal principal;
  principal.kind = identity::PrincipalKind::assumed_role;
  principal.account = parts[4];
  principal.arn = session->arn;
  principal.unique_id = session->unique_id;
  principal.role_name = ask.role_arn.substr(ask.role_arn.rfind('/') + 1);
  principal.role_arn = ask.role_arn;
  principal.session_name = ask.function_name;
  principal.unrestricted = session->unrestricted;
  const identity::RequestFacts facts{
      .region = ask.region, .secure_transport = true, .now = ask.now};
  TRY(const auto authorizer, directory.make_authorizer(std::move(principal), facts));
  return authorizer->allows({.action = "lambda:InvokeFunction",
                             .resource = ask.target_arn,
                             .resource_account = ask.target_account});
}

}  // namespace wolke::app
