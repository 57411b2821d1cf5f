#pragma once
// Browsers that ask for a bucket from another origin: what they ask, read from a request, and the
// answer to a preflight. Whether they may is the bucket's to say (GatewayParts::cross_origin).
// Pure functions. Sources: the Fetch standard, "CORS protocol"; S3 user guide, "Troubleshooting
// CORS".

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/net/http.h"

namespace wolke::gateway {

struct CrossOriginAsk {
  std::string bucket;
  std::string origin;
  std::string method;                // of the request itself, or the one that is asked about
  std::vector<std::string> headers;  // asked about, lower case
  bool preflight = false;
};

struct CrossOriginAnswer {
  bool configured = false;                 // the bucket has rules
  std::optional<net::HeaderList> headers;  // nullopt: no rule allows it
};

using CrossOrigin = std::function<Result<CrossOriginAnswer>(const CrossOriginAsk&)>;

/// nullopt when the request comes from no other origin.
std::optional<CrossOriginAsk> ask_of_request(const net::RequestHead& head, std::string bucket);
/// Of an OPTIONS request. "BadRequest" when it is no preflight.
Result<CrossOriginAsk> ask_of_preflight(const net::RequestHead& head, std::string bucket);
/// "AccessForbidden" where the answer allows nothing.
Result<net::HeaderList> allow_preflight(CrossOriginAnswer answer);

}  // namespace wolke::gateway
