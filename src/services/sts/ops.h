#pragma once
// The operations of STS and their asks.

#include "wolke/model/sts/operations.h"
#include "wolke/services/sts/sts.h"

namespace wolke::sts {

namespace model = wolke::model::sts;
namespace op = wolke::model::sts::op;
using operation::Context;

Result<op::AssumeRole::Output> assume_role(Sts& sts, store::Tx& tx, const Context& context,
                                           const op::AssumeRole::Input& in);
Result<op::GetSessionToken::Output> get_session_token(Sts& sts, store::Tx& tx,
                                                      const Context& context,
                                                      const op::GetSessionToken::Input& in);
Result<op::GetCallerIdentity::Output> get_caller_identity(Sts& sts, store::Tx& tx,
                                                          const Context& context,
                                                          const op::GetCallerIdentity::Input& in);
Result<op::GetAccessKeyInfo::Output> get_access_key_info(Sts& sts, store::Tx& tx,
                                                         const Context& context,
                                                         const op::GetAccessKeyInfo::Input& in);

Result<op::GetFederationToken::Output> get_federation_token(
    Sts& sts, store::Tx& tx, const Context& context, const op::GetFederationToken::Input& in);
Result<op::DecodeAuthorizationMessage::Output> decode_authorization_message(
    Sts& sts, store::Tx& tx, const Context& context,
    const op::DecodeAuthorizationMessage::Input& in);
/// A task: the issuer may have to be asked for its keys.
async::Task<Result<op::AssumeRoleWithWebIdentity::Output>> assume_role_with_web_identity(
    Sts& sts, Context context, op::AssumeRoleWithWebIdentity::Input in);

Result<operation::Asks> federation_token_asks(Sts& sts, const Context& context,
                                              const op::GetFederationToken::Input& in);
Result<operation::Asks> decode_asks(Sts& sts, const Context& context,
                                    const op::DecodeAuthorizationMessage::Input& in);
/// The role's trust policy has to allow, and for callers that it does not name directly their own
/// policies too.
Result<operation::Asks> assume_role_asks(Sts& sts, const Context& context,
                                         const op::AssumeRole::Input& in);
Result<operation::Asks> access_key_info_asks(Sts& sts, const Context& context,
                                             const op::GetAccessKeyInfo::Input& in);

}  // namespace wolke::sts
