#pragma once
// Percent-encoding and the split of a request target, byte exact: SigV4 verifies what was sent, so
// nothing here normalises. Pure functions.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wolke {

/// RFC 3986 unreserved characters stay, all else is %XX (upper case). keep_slash leaves '/' (S3
/// keys in paths).
std::string percent_encode(std::string_view bytes, bool keep_slash = false);
/// nullopt on a bad or cut escape. plus_is_space for form bodies and query values.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

using QueryPairs = std::vector<std::pair<std::string, std::string>>;  // decoded, in the order sent

/// Splits "a=1&b&c=%20"; a name without '=' has an empty value. nullopt on a bad escape.
std::optional<QueryPairs> parse_query(std::string_view raw);
const std::string* find_query(const QueryPairs& pairs, std::string_view name);

}  // namespace wolke
