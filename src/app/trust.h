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

/// Where AWS's endpoints are: names below these lead functions to us, with certificates for them.
std::vector<std::string> aws_domains();

/// Lines of /etc/hosts, which save a lookup: endpoints of AWS's services in `region` and us-east-1,
/// and the global ones.
std::vector<std::pair<std::string, std::string>> aws_hosts(const std::string& region);

}  // namespace wolke::app
