#pragma once
// One request on its way through the gate, for the files that carry it on (serve.cc,
// serve_form.cc).
//
// Lifetime: of Gateway::serve(); it borrows the exchange's head. Threads: the connection's loop,
// and a pool thread while the loop waits for it.

#include <optional>
#include <string>
#include <vector>

#include "wolke/gateway/detect.h"
#include "wolke/gateway/form.h"
#include "wolke/gateway/serve.h"
#include "wolke/shape/protocol.h"

namespace wolke::gateway {

/// Everything learned about one request on its way through the gate.
struct Gateway::Request {
  const net::RequestHead* head = nullptr;
  std::string id;
  std::string host;
  std::string sandbox_id;
  Monotonic began{};
  Timestamp now{};
  Target target;
  std::string path;  // path style: "/bucket/key", still encoded
  bool virtual_host = false;
  std::string service_name;
  const operation::ServiceTable* table = nullptr;
  const operation::Row* row = nullptr;
  const shape::Operation* operation = nullptr;
  Caller caller;
  net::HeaderList headers;       // with trailers, once the body was read
  std::string body;              // buffered
  std::string resource_account;  // whose resource it is about, once it is allowed
  std::vector<BlobRef> staged;
  shape::Value input;
  operation::Context context;
  net::HeaderList cross_origin;    // for the answer, whatever it is
  std::optional<FormFields> form;  // of a form posted to a bucket, which stands for a PutObject
  OperationUsage usage;
  Monotonic received{};                      // all of it; the epoch: not yet
  Monotonic answered{};                      // the answer was begun
  std::optional<std::uint64_t> object_size;  // of what is read
  shape::Value output;                       // of a batch, for the access log

  /// The bucket that the path names; empty outside S3.
  std::string bucket() const {
    if (service_name != "s3" || path.size() < 2) return {};
    return path.substr(1, path.find('/', 1) - 1);
  }
  bool streamed() const {
    return operation && operation->input && shape::streaming_member(operation->input);
  }
};

/// "wolke does not serve s3:SelectObjectContent …"
Error not_served(const std::string& service, const std::string& operation);
/// nullptr: the model knows the operation, the table does not have it.
const operation::Row* find_row(const operation::ServiceTable& table,
                               const shape::Operation* operation);

}  // namespace wolke::gateway
