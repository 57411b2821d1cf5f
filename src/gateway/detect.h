#pragma once
// Which service and operation a request is for, before anything of it is believed. Pure functions
// over the request line and headers (and, for query protocols, the form body).
//
// Order: credential scope (Authorization header or X-Amz-Credential) > X-Amz-Target prefix > Host
// (service endpoints, virtual-host buckets) > path of a rest service > S3, which owns every other
// path.

#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/result.h"
#include "wolke/base/uri.h"
#include "wolke/base/virtual_host.h"
#include "wolke/net/http.h"
#include "wolke/operation/operation.h"
#include "wolke/shape/protocol.h"

namespace wolke::gateway {

/// A request target taken apart; `path` and `query` are as sent.
struct Target {
  std::string path;
  std::string query;
  QueryPairs pairs;
};
Result<Target> split_target(std::string_view target);

/// Credential scope as the client claims it; nothing is verified here.
struct ClaimedScope {
  std::string access_key_id;
  std::string date;
  std::string region;
  std::string service;
};
std::optional<ClaimedScope> claimed_scope(const net::HeaderList& headers, const QueryPairs& query);

/// The signing name of the service ("s3", "lambda", "iam", "sts", "logs"), whether served or not.
std::string detect_service(const net::RequestHead& head, const Target& target);

/// Whether the operation's name is in the body (awsQuery's Action parameter).
bool needs_body_to_route(const shape::Service& service, const net::RequestHead& head,
                         const Target& target);

/// nullptr when the service has no such operation. `path` is already path style.
const shape::Operation* route(const shape::Service& service, const net::RequestHead& head,
                              const Target& target, std::string_view path, std::string_view body);

}  // namespace wolke::gateway
