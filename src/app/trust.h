#pragma once
// The certificates that a sandbox trusts: the host's bundle and the local authority's certificate,
// in one file.

#include <string>

#include "wolke/base/result.h"

namespace wolke::app {

Result<void> write_trust_bundle(const std::string& authority_pem, const std::string& path);

}  // namespace wolke::app
