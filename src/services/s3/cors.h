#pragma once
// Cross-origin requests as pure rules: which configurations a bucket may have, and what an answer
// to a browser says. Source: S3 user guide, "Using cross-origin resource sharing (CORS)".

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/model/s3/types.h"

namespace wolke::s3 {

inline constexpr std::size_t cors_rules_max = 100;
inline constexpr std::size_t cors_bytes_max = 64 * 1024;

Result<void> check_cors(const model::s3::CORSConfiguration& configuration);

/// What a browser asks: with every request, or before one (a preflight).
struct CrossOrigin {
  std::string origin;
  std::string method;                // of the request itself, or the one that is asked about
  std::vector<std::string> headers;  // asked about, lower case
  bool preflight = false;
};

/// The headers of the answer by the first rule that matches; nullopt when none does.
std::optional<std::vector<std::pair<std::string, std::string>>> cors_headers(
    const model::s3::CORSConfiguration& configuration, const CrossOrigin& asked);

}  // namespace wolke::s3
