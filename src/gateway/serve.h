#pragma once
// The gateway: every API request passes here, once. serve() reads as the recipe: shed, detect,
// authenticate, admit, decode, authorize, dispatch, answer. Milestones: after authenticate() the
// caller is known; after authorize() the operation may run; after dispatch() its effects are
// durable.
//
// Threads: one loop. Lifetime: outlives its server. Failure: every outcome is a response in the
// wire format that the caller's SDK understands; a connection that breaks ends the exchange, never
// the process.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "wolke/async/loop.h"
#include "wolke/async/pool.h"
#include "wolke/base/env.h"
#include "wolke/gateway/authenticate.h"
#include "wolke/gateway/cross_origin.h"
#include "wolke/identity/seal.h"
#include "wolke/net/http.h"
#include "wolke/operation/operation.h"
#include "wolke/operation/runner.h"
#include "wolke/shape/protocol.h"
#include "wolke/store/blobs.h"

namespace wolke::gateway {

/// One usage record for each operation.
struct OperationUsage {
  std::string account, service, operation, request_id, code;
  int status = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::chrono::microseconds took{0};
};

/// What the access log of a bucket tells of a request; borrowed for the call.
struct BucketAccess {
  const net::RequestHead& head;
  std::string_view path;  // path style, encoded: "/bucket/key"
  const QueryPairs& query;
  std::string_view operation;  // empty: the model has none
  std::string_view request_id;
  const identity::Principal* caller = nullptr;             // nullptr: not known
  const identity::Authorization* authorization = nullptr;  // nullptr: unsigned
  Timestamp at{};
  int status = 0;
  std::string_view code;  // of an error
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::optional<std::uint64_t> object_size;  // of what was read
  std::chrono::nanoseconds total{0}, turn_around{0};
  /// Of DeleteObjects, whose keys are told one by one; nullptr: another operation, or an error.
  const shape::Value* input = nullptr;
  const shape::Value* output = nullptr;
};

struct GatewayParts {
  async::Loop& loop;
  async::Pool& pool;
  Env env;
  store::Store& store;
  store::BlobStore& blobs;
  Authentication& authentication;
  const identity::Seal& seal;  // of links to content
  std::vector<operation::ServiceTable> services;
  /// Answers paths below /_wolke/ that need no identity (health); false: not its path.
  std::function<bool(const net::RequestHead&, int& status, std::string& body)> health;
  std::function<void(const OperationUsage&)> meter;
  /// Told of every request whose caller is known, on the loop; null: nobody is.
  std::function<void(const identity::Principal&, std::string_view service, std::string_view region,
                     Timestamp)>
      used;
  /// Told of every request that names a bucket; null: nobody is.
  std::function<void(const BucketAccess&)> access;
  /// What a bucket says to browsers of other origins. Reads the store; null: nothing is allowed.
  CrossOrigin cross_origin;
};

class FormSource;
struct SizeRange;
struct Uploaded;

class Gateway {
 public:
  explicit Gateway(GatewayParts parts);
  /// `sandbox_id`: the sandbox whose door this is; empty for the public one.
  async::Task<void> serve(net::Exchange& exchange, std::string sandbox_id);

 private:
  struct Request;
  async::Task<Result<void>> answer(net::Exchange& exchange, Request& request);
  async::Task<Result<void>> answer_preflight(net::Exchange& exchange, Request& request);
  async::Task<Result<CrossOriginAnswer>> ask_cross_origin(CrossOriginAsk ask);
  void find_service(const net::RequestHead& head, Request& request);
  Result<void> detect(const net::RequestHead& head, Request& request);
  async::Task<Result<void>> send_content(net::Exchange& exchange, Request& request);
  async::Task<Result<void>> authenticate(Request& request);
  async::Task<Result<void>> admit_body(net::Exchange& exchange, Request& request);
  async::Task<Result<void>> stage_streamed(net::Exchange& exchange, Request& request);
  async::Task<Result<void>> serve_form(net::Exchange& exchange, Request& request);
  async::Task<Result<void>> stage_form(FormSource& source, Request& request);
  static Result<void> read_form(const FormSource& source, Request& request, SizeRange& size);
  static Uploaded uploaded(const Request& request);
  Result<void> decode(Request& request);
  async::Task<Result<void>> authorize(Request& request);
  async::Task<Result<shape::Value>> dispatch(Request& request);
  async::Task<Result<void>> send(net::Exchange& exchange, Request& request, shape::Value output);
  async::Task<Result<void>> send_body(net::Exchange& exchange, Request& request,
                                      shape::WireResponse response);
  async::Task<Result<void>> send_live(net::Exchange& exchange, Request& request,
                                      net::ResponseHead head, LiveBody& live);
  async::Task<void> send_error(net::Exchange& exchange, Request& request, Error error);
  void record(const Request& request) const;
  void record_access(const Request& request, std::string_view operation) const;

  GatewayParts parts_;
  std::size_t in_progress_ = 0;
};

}  // namespace wolke::gateway
