#include "wolke/gateway/detect.h"

#include <array>

#include "wolke/base/text.h"

namespace wolke::gateway {

namespace {

using net::find_header;

/// Endpoint host prefix -> signing name, for hosts like lambda.us-east-1.amazonaws.com.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> endpoint_names = {{
    {"lambda", "lambda"},
    {"iam", "iam"},
    {"sts", "sts"},
    {"logs", "logs"},
    {"streaming-logs", "logs"},  // StartLiveTail, by botocore
    {"stream-logs", "logs"},     // and by the SDK for JavaScript
    {"s3", "s3"},
    {"s3-control", "s3"},
}};

/// wolke's own operations, below a path that no bucket can have.
constexpr std::string_view own_path = "/_wolke/";

std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.rfind(':'));
}

std::string service_of_host(std::string_view host) {
  host = host_name(host);
  if (!host.ends_with(".amazonaws.com")) return "";
  for (const auto& [prefix, service] : endpoint_names) {
    if (host.starts_with(prefix) && host.size() > prefix.size() && host[prefix.size()] == '.') {
      return std::string(service);
    }
  }
  if (!virtual_host_bucket(host).empty()) return "s3";
  return std::string(host.substr(0, host.find('.')));
}

std::string service_of_target(std::string_view target) {
  std::string_view prefix = target.substr(0, target.find('.'));
  if (prefix.starts_with("Logs_")) return "logs";
  std::size_t end = prefix.find('_');
  return to_lower(prefix.substr(0, end));
}

/// A rest service's paths begin with its API's version: "/2015-03-31/".
std::string service_of_path(std::string_view path, Services services) {
  const std::size_t end = path.find('/', 1);
  if (end == std::string_view::npos) return "";
  const std::string_view first = path.substr(0, end + 1);
  for (const operation::ServiceTable& table : services) {
    if (table.model->protocol != shape::Protocol::rest_json) continue;
    for (const shape::Operation& operation : table.model->operations) {
      if (operation.uri.starts_with(first)) return std::string(table.model->signing_name);
    }
  }
  return "";
}

}  // namespace

Result<Target> split_target(std::string_view target) {
  Target out;
  std::size_t question = target.find('?');
  out.path = std::string(target.substr(0, question));
  if (question != std::string_view::npos) out.query = std::string(target.substr(question + 1));
  std::optional<QueryPairs> pairs = parse_query(out.query);
  if (!pairs || !percent_decode(out.path)) {
    return fail(
        {.code = "InvalidURI", .status = 400, .message = "Couldn't parse the specified URI."});
  }
  out.pairs = *std::move(pairs);
  return out;
}

std::optional<ClaimedScope> claimed_scope(const net::HeaderList& headers, const QueryPairs& query) {
  std::string_view credential;
  if (const std::string* authorization = find_header(headers, "authorization")) {
    std::size_t at = authorization->find("Credential=");
    if (at != std::string::npos) {
      credential = std::string_view(*authorization).substr(at + 11);
      credential = credential.substr(0, credential.find_first_of(", "));
    }
  }
  if (const std::string* parameter = find_query(query, "X-Amz-Credential");
      credential.empty() && parameter) {
    credential = *parameter;
  }
  std::vector<std::string_view> parts = split(credential, '/');
  if (parts.size() < 5) return std::nullopt;
  std::size_t n = parts.size();
  return ClaimedScope{.access_key_id = std::string(parts[0]),
                      .date = std::string(parts[n - 4]),
                      .region = std::string(parts[n - 3]),
                      .service = std::string(parts[n - 2])};
}

std::string detect_service(const net::RequestHead& head, const Target& target, Services services) {
  if (target.path.starts_with(own_path)) return "wolke";
  if (auto scope = claimed_scope(head.headers, target.pairs)) return scope->service;
  if (const std::string* name = find_header(head.headers, "x-amz-target"))
    return service_of_target(*name);
  if (const std::string* host = find_header(head.headers, "host")) {
    if (std::string service = service_of_host(*host); !service.empty()) return service;
    if (!virtual_host_bucket(*host).empty()) return "s3";
  }
  if (std::string service = service_of_path(target.path, services); !service.empty())
    return service;
  // An unsigned query request (AssumeRoleWithWebIdentity, or a client that forgot to sign).
  const std::string* type = find_header(head.headers, "content-type");
  if (target.path == "/" && head.method == "POST" && type &&
      type->starts_with("application/x-www-form-urlencoded")) {
    return "sts";
  }
  return "s3";
}

const operation::ServiceTable* service_of_form(std::string_view body, Services services) {
  const std::optional<QueryPairs> form = parse_query(body);
  const std::string* version = form ? find_query(*form, "Version") : nullptr;
  if (!version) return nullptr;
  for (const operation::ServiceTable& table : services) {
    if (table.model->protocol == shape::Protocol::query && table.model->api_version == *version)
      return &table;
  }
  return nullptr;
}

bool needs_body_to_route(const shape::Service& service, const net::RequestHead& head,
                         const Target& target) {
  return service.protocol == shape::Protocol::query && head.method == "POST" &&
         !find_query(target.pairs, "Action");
}

const shape::Operation* route(const shape::Service& service, const net::RequestHead& head,
                              const Target& target, std::string_view path, std::string_view body) {
  switch (service.protocol) {
    case shape::Protocol::rest_xml:
    case shape::Protocol::rest_json: {
      shape::WireRequest wire{
          .method = head.method, .path = path, .query = &target.pairs, .headers = &head.headers};
      return shape::match_rest(service, wire);
    }
    case shape::Protocol::json10:
    case shape::Protocol::json11: {
      const std::string* name = find_header(head.headers, "x-amz-target");
      if (!name) return nullptr;
      std::size_t dot = name->rfind('.');
      return shape::find_operation(
          service, std::string_view(*name).substr(dot == std::string::npos ? 0 : dot + 1));
    }
    case shape::Protocol::query: {
      if (const std::string* action = find_query(target.pairs, "Action"))
        return shape::find_operation(service, *action);
      std::optional<QueryPairs> form = parse_query(body);
      const std::string* action = form ? find_query(*form, "Action") : nullptr;
      return action ? shape::find_operation(service, *action) : nullptr;
    }
  }
  return nullptr;
}

}  // namespace wolke::gateway
