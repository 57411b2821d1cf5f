#pragma once
// What a function's role may do when the server acts for it, without a request of its own: tell a
// destination. The question is judged as a call of the function itself would be, by the policies of
// this moment. Threads: pool threads, it reads the store. Failure: a role that is gone or that
// Lambda may not assume may nothing.

#include "wolke/identity/directory.h"
#include "wolke/services/lambda/ports.h"

namespace wolke::app {

/// The name of a function's session: its own, or, since a session's has two characters at least,
/// with an ending, as on AWS.
std::string session_name_of(const std::string& function_name);

/// The session of a role as which Lambda acts for a function, named after the function.
Result<identity::Principal> principal_of_role(identity::Directory& directory,
                                              const std::string& role_arn,
                                              const std::string& function_name, Timestamp now);

Result<bool> role_may_invoke(identity::Directory& directory, const lambda::RoleInvokes& ask);

}  // namespace wolke::app
