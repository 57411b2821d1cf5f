#pragma once
// Which service and operation a request is for, before anything of it is believed. Pure functions
// over the request line and headers (and, for query protocols, the form body).
//
// Order: credential scope (Authorization header or X-Amz-Credential) > X-Amz-Target prefix > Host
// (service endpoints, virtual-host buckets) > path of a rest service (its API version) > S3, which
// owns every other path. An unsigned form says by its Version, in the body, whom it is for.

#include <optional>
#include <span>
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

using Services = std::span<const operation::ServiceTable>;

/// The signing name of the service ("s3", "lambda", "iam", "sts", "logs"), whether served or not.
std::string detect_service(const net::RequestHead& head, const Target& target, Services services);

/// The query service whose API version the form names (iam 2010-05-08, sts 2011-06-15); nullptr:
/// none. Only for what nothing before the body told apart.
const operation::ServiceTable* service_of_form(std::string_view body, Services services);

/// Whether the operation's name is in the body (awsQuery's Action parameter).
bool needs_body_to_route(const shape::Service& service, const net::RequestHead& head,
                         const Target& target);

/// nullptr when the service has no such operation. `path` is already path style.
const shape::Operation* route(const shape::Service& service, const net::RequestHead& head,
                              const Target& target, std::string_view path, std::string_view body);

}  // namespace wolke::gateway
