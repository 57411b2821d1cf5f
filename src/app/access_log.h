#pragma once
// The gate's requests to buckets become lines of their access logs; here the two meet. Lifetime:
// both borrow what they are made of.

#include <functional>

#include "wolke/gateway/serve.h"
#include "wolke/identity/directory.h"
#include "wolke/services/s3/access_logs.h"

namespace wolke::app {

/// Who delivers logs: logging.s3.amazonaws.com.
s3::LogDeliveryAuthorizer deliverers_of_logs(identity::Directory& directory);
/// For GatewayParts::access. A copy is told to the log of its source, too.
std::function<void(const gateway::BucketAccess&)> notes_of_access(s3::AccessLogs& logs);

}  // namespace wolke::app
