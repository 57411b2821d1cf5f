#include "wolke/app/logs_ports.h"

#include "wolke/services/lambda/lambda.h"

namespace wolke::app {

Result<bool> FunctionsForLogs::may_invoke(store::Tx& tx, const std::string& function_arn,
                                          const std::string& service, const std::string& source_arn,
                                          const std::string& source_account) const {
  const lambda::ServiceCaller caller{
      .service = service, .source_arn = source_arn, .source_account = source_account};
  TRY(const lambda::Permission permission, lambda::check_permission(tx, function_arn, caller));
  return permission == lambda::Permission::allowed;
}

}  // namespace wolke::app
