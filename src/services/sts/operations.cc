// STS's table: reads as the API reference. What is not here is not served.

#include "wolke/services/sts/ops.h"

namespace wolke::sts {
namespace {

/// GetCallerIdentity and GetSessionToken need no permission, and no policy can deny them.
template <class Op>
Result<operation::Asks> no_asks(Sts&, const Context&, const typename Op::Input&) {
  return operation::Asks{};
}

}  // namespace

operation::ServiceTable sts_table(Sts* sts) {
  return {
      .model = &model::service(),
      .service = sts,
      .rows =
          {
              operation::row<Sts, op::AssumeRole, assume_role, assume_role_asks>(),
              operation::row<Sts, op::GetCallerIdentity, get_caller_identity,
                             no_asks<op::GetCallerIdentity>>(),
              operation::row<Sts, op::GetSessionToken, get_session_token,
                             no_asks<op::GetSessionToken>>(),
              operation::row<Sts, op::GetFederationToken, get_federation_token,
                             federation_token_asks>(),
              // Its caller is nobody; the task asks the role's trust policy for the token's bearer.
              operation::task_row<Sts, op::AssumeRoleWithWebIdentity, assume_role_with_web_identity,
                                  no_asks<op::AssumeRoleWithWebIdentity>>(),
              operation::row<Sts, op::DecodeAuthorizationMessage, decode_authorization_message,
                             decode_asks>(),
              operation::row<Sts, op::GetAccessKeyInfo, get_access_key_info,
                             access_key_info_asks>(),
          },
  };
}

}  // namespace wolke::sts
