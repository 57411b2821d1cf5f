#pragma once
// How functions reach us transparently: the AWS host names that lead to the sandbox's own loopback,
// and the certificates that a sandbox trusts: the host's bundle and the local authority's.

#include <string>
#include <utility>
#include <vector>

#include "wolke/base/result.h"

namespace wolke::app {

/// Writes <directory>/ca.pem, readable for every sandbox.
Result<void> write_trust_bundle(const std::string& authority_pem, const std::string& directory);

/// Lines of /etc/hosts: endpoints of AWS's services in `region` and us-east-1, and the global ones.
/// Buckets in front of S3's names are resolved by our runtimes.
std::vector<std::pair<std::string, std::string>> aws_hosts(const std::string& region);

}  // namespace wolke::app
