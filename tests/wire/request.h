#pragma once
// A WireRequest that owns its parts, for tests:
//   request("PUT", "/b/k?acl", {{"x-amz-acl", "private"}}, body)
// The view borrows from it.

#include <string>
#include <utility>

#include "wolke/shape/protocol.h"

namespace wolke::shape {

struct OwnedRequest {
  std::string method, path, body;
  QueryPairs query;
  HeaderList headers;
  WireRequest view() const { return {method, path, &query, &headers, body}; }
};

inline OwnedRequest request(std::string method, std::string_view target, HeaderList headers = {},
                            std::string body = "") {
  std::size_t mark = target.find('?');
  OwnedRequest out{std::move(method),
                   std::string(target.substr(0, mark)),
                   std::move(body),
                   {},
                   std::move(headers)};
  if (mark != std::string_view::npos) out.query = *parse_query(target.substr(mark + 1));
  return out;
}

/// The first header of that exact name, or "".
inline std::string header(const WireResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace wolke::shape
