#pragma once
// The bucket that a Host header names: photos.s3.eu-central-1.amazonaws.com, photos.localhost:4566.
// Routing and Signature Version 2 both need it and must agree: what is signed for one bucket may
// not be read from another. Pure.
// Source: S3 User Guide "Virtual hosting of general purpose buckets".

#include <string>
#include <string_view>

namespace wolke {

/// "photos" for photos.s3.amazonaws.com, photos.s3.region.amazonaws.com (dots in the bucket stay),
/// photos.localhost:4566, photos.s3.localhost; empty for path style. The text is taken as sent.
std::string virtual_host_bucket(std::string_view host);

}  // namespace wolke
