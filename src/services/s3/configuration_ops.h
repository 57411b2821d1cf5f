#pragma once
// What other operations tell of a bucket's settings.

#include <optional>
#include <string>

#include "wolke/services/s3/state.h"

namespace wolke::s3 {

/// x-amz-expiration; nullopt when no lifecycle rule is to delete the current version.
Result<std::optional<std::string>> expiration_header_of(store::Tx& tx, const Bucket& bucket,
                                                        const std::string& key,
                                                        const Object& object);

}  // namespace wolke::s3
