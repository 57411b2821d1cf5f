// S3's POST Object on its way through the gate: the fields of the form are its headers, its file is
// the body. From authentication to dispatch it is a PutObject, asked for by whoever signed the
// form.
#include <algorithm>

#include "wolke/base/limits.h"
#include "wolke/base/uri.h"
#include "wolke/gateway/form_policy.h"
#include "wolke/gateway/form_upload.h"
#include "wolke/gateway/quirks.h"
#include "wolke/gateway/request.h"
#include "wolke/gateway/staging.h"

namespace wolke::gateway {

/// The form as it comes off the connection.
class FormSource {
 public:
  FormSource(net::Exchange& exchange, std::string_view boundary)
      : exchange_(exchange), parser_(boundary) {}

  async::Task<Result<void>> read_fields() {
    while (!parser_.at_file()) {
      CO_TRY(co_await read());
      if (ended_) break;
    }
    co_return Result<void>();
  }

  const FormParser& parser() const { return parser_; }
  void set_bytes_max(std::uint64_t bytes_max) { bytes_max_ = bytes_max; }

  /// The next piece of the file; empty at its end, when the rest of the form was read, too.
  async::Task<Result<std::string>> next() {
    for (;;) {
      std::string piece = parser_.take_file();
      bytes_ += piece.size();
      CO_TRY(check_size({.min = 0, .max = bytes_max_}, bytes_));
      if (!piece.empty() || ended_) co_return piece;
      CO_TRY(co_await read());
    }
  }

 private:
  async::Task<Result<void>> read() {
    CO_TRY(std::string piece, co_await exchange_.read(limits::body_piece_bytes));
    ended_ = piece.empty();
    if (ended_) co_return parser_.finish();
    co_return parser_.feed(piece);
  }

  net::Exchange& exchange_;
  FormParser parser_;
  std::uint64_t bytes_ = 0;
  std::uint64_t bytes_max_ = limits::s3_put_bytes_max;
  bool ended_ = false;
};

async::Task<Result<void>> Gateway::serve_form(net::Exchange& exchange, Request& request) {
  request.form.emplace();
  request.operation = shape::find_operation(*request.table->model, "PutObject");
  if (request.operation) request.row = find_row(*request.table, request.operation);
  if (!request.row) co_return fail(not_served(request.service_name, "PostObject"));
  CO_TRY(const std::string boundary, admit_form(*request.head, exchange.body_length()));
  FormSource source(exchange, boundary);
  CO_TRY(co_await source.read_fields());
  request.form = source.parser().fields();
  CO_TRY(co_await authenticate(request));
  // From here the caller is known: who signed the form, or nobody.
  SizeRange size;
  CO_TRY(read_form(source, request, size));
  CO_TRY(decode(request));
  CO_TRY(co_await authorize(request));
  // From here the operation is allowed.
  source.set_bytes_max(std::min(size.max, limits::s3_put_bytes_max));
  CO_TRY(co_await stage_form(source, request));
  CO_TRY(check_size(size, request.usage.bytes_in));
  CO_TRY(shape::Value output, co_await dispatch(request));
  // From here its effects are durable.
  co_return co_await send(exchange, request, std::move(output));
}

/// What the form asks for, when its policy document lets it.
Result<void> Gateway::read_form(const FormSource& source, Request& request, SizeRange& size) {
  FormFields& fields = *request.form;
  TRY(const std::string key, key_of_form(fields, source.parser().file_name()));
  if (request.caller.authorization) {
    // Nothing but this document is signed.
    const std::string* document = find_field(fields, "policy");
    ASSERT(document != nullptr);
    TRY(const FormPolicy policy, parse_form_policy(*document));
    TRY(check_form_policy(policy, fields, request.bucket(), request.now));
    size = policy.size;
  }
  TRY(request.headers, headers_of_form(fields));
  // Named as HTTP/2 does, which no header of a client's can be: the operation tells a form by it.
  request.headers.emplace_back(":method", request.head->method);
  if (const std::string* trace = net::find_header(request.head->headers, "x-amzn-trace-id"))
    request.headers.emplace_back("x-amzn-trace-id", *trace);
  request.path += "/" + percent_encode(key, true);
  return {};
}

async::Task<Result<void>> Gateway::stage_form(FormSource& source, Request& request) {
  NextPiece next = [&source]() { return source.next(); };
  StagingPlan plan{
      .digests = wanted_digests(request.headers, false),
      .bytes_max = limits::s3_put_bytes_max,
      .key = {.account = request.resource_account, .customer_key = customer_key(request.headers)}};
  Staging staging{.loop = parts_.loop, .pool = parts_.pool, .blobs = parts_.blobs};
  CO_TRY(Body body, co_await stage_body(staging, std::move(next), std::move(plan)));
  for (const BlobRange& range : body.blobs) request.staged.push_back(range.blob);
  request.usage.bytes_in = body.size();
  const shape::Member& member = *shape::streaming_member(request.operation->input);
  void* slot = static_cast<char*>(request.input.data()) + member.offset;
  *static_cast<std::optional<Body>*>(slot) = std::move(body);
  co_return Result<void>();
}

Uploaded Gateway::uploaded(const Request& request) {
  const std::string* key = find_field(*request.form, "key");
  ASSERT(key != nullptr);
  const std::string bucket = request.bucket();
  std::string location = (request.head->tls ? "https://" : "http://") + request.host + "/";
  if (!request.virtual_host) location += bucket + "/";
  return {.location = location + percent_encode(*key), .bucket = bucket, .key = *key};
}

}  // namespace wolke::gateway
