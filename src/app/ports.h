#pragma once
// Ports that services need of one another: each a few lines that translate. Services never include
// one another; here they meet. Lifetime: all borrow what they translate to.

#include <string>

#include "wolke/gateway/cross_origin.h"
#include "wolke/identity/directory.h"
#include "wolke/invoke/invoke.h"
#include "wolke/services/lambda/lambda.h"
#include "wolke/services/logs/logs.h"
#include "wolke/services/s3/s3.h"

namespace wolke::app {

/// Resource policies by ARN: buckets' and functions'.
class AttachedPolicies final : public identity::ResourcePolicies {
 public:
  explicit AttachedPolicies(store::Store& store) : store_(store) {}
  Result<std::optional<std::string>> policy_of(const std::string& resource_arn) const override;

 private:
  store::Store& store_;
};

/// S3 asks whether a function may be a notification's destination.
class FunctionsForS3 final : public s3::FunctionDirectory {
 public:
  Result<s3::DestinationState> destination_state(store::Tx& tx, const std::string& function_arn,
                                                 const std::string& source_arn,
                                                 const std::string& source_account) const override;
};

/// Session credentials for function instances.
invoke::CredentialSource function_credentials(identity::Directory& directory, Clock& clock);

/// What the Lambda service asks of S3 and IAM.
lambda::Ports lambda_ports(identity::Directory& directory, operation::ServiceTable s3, bool dev);

/// The buckets' CORS rules, for the gate.
gateway::CrossOrigin cross_origin_of_buckets(store::Store& store);

}  // namespace wolke::app
