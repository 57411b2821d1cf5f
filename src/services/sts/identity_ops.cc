// Who am I, and whose key is this; what is in an encoded message.

#include <fmt/format.h>

#include "wolke/base/text.h"
#include "wolke/identity/ids.h"
#include "wolke/services/sts/ops.h"

namespace wolke::sts {

Result<op::GetCallerIdentity::Output> get_caller_identity(Sts&, store::Tx&, const Context& context,
                                                          const op::GetCallerIdentity::Input&) {
  const identity::Principal& caller = context.principal();
  op::GetCallerIdentity::Output out;
  out.user_id = caller.unique_id;
  out.account = caller.account;
  out.arn = caller.arn;
  return out;
}

Result<operation::Asks> access_key_info_asks(Sts&, const Context&,
                                             const op::GetAccessKeyInfo::Input&) {
  identity::Ask ask;
  ask.action = "sts:GetAccessKeyInfo";
  ask.resource = "*";
  return operation::Asks{std::move(ask)};
}

Result<op::GetAccessKeyInfo::Output> get_access_key_info(Sts&, store::Tx&, const Context&,
                                                         const op::GetAccessKeyInfo::Input& in) {
  const auto account = identity::account_of_access_key(*in.access_key_id);
  if (!account) {
    return fail(Error{"ValidationError", 400,
                      fmt::format("Invalid access key id: {}", printable(*in.access_key_id))});
  }
  op::GetAccessKeyInfo::Output out;
  out.account = *account;
  return out;
}

Result<operation::Asks> decode_asks(Sts&, const Context&,
                                    const op::DecodeAuthorizationMessage::Input&) {
  identity::Ask ask;
  ask.action = "sts:DecodeAuthorizationMessage";
  ask.resource = "*";
  return operation::Asks{std::move(ask)};
}

/// No operation that is served here answers with an encoded message, so none can be decoded.
Result<op::DecodeAuthorizationMessage::Output> decode_authorization_message(
    Sts&, store::Tx&, const Context&, const op::DecodeAuthorizationMessage::Input&) {
  return fail(Error{"InvalidAuthorizationMessageException", 400,
                    "The message is not an encoded authorization message of this service."});
}

}  // namespace wolke::sts
