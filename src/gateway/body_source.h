#pragma once
// A streamed request body, decoded: plain, or aws-chunked with or without signatures and trailers.
// And its counterpart, a response body read from blobs.
//
// Lifetime: borrows the exchange, the caller and the headers of the request that it belongs to.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "wolke/gateway/authenticate.h"
#include "wolke/gateway/staging.h"
#include "wolke/identity/chunked.h"
#include "wolke/net/http.h"
#include "wolke/shape/schema.h"

namespace wolke::gateway {

class BodySource {
 public:
  BodySource(net::Exchange& exchange, const net::HeaderList& headers, std::uint64_t bytes_max);
  void decode_chunks(identity::ChunkedOptions options);

  /// The next decoded piece; empty at the end. Nothing unverified comes out.
  async::Task<Result<std::string>> next();
  /// All that was announced has come ("IncompleteBody" otherwise).
  Result<void> check_end(std::uint64_t decoded_bytes) const;
  bool has_trailers() const { return !trailers_.empty(); }
  net::HeaderList headers_with_trailers() const;
  std::uint64_t bytes_max() const { return bytes_max_; }

 private:
  net::Exchange* exchange_;
  const net::HeaderList* headers_;
  std::uint64_t bytes_max_;
  std::optional<std::uint64_t> announced_;
  std::unique_ptr<identity::ChunkedDecoder> decoder_;
  identity::Headers trailers_;
  bool ended_ = false;
};

/// Refuses by headers: no length ("MissingContentLength"), too large ("EntityTooLarge").
Result<BodySource> open_body_source(net::Exchange& exchange, const Caller& caller,
                                    const net::HeaderList& headers,
                                    const shape::Operation& operation);

/// aws-chunked bodies of operations that are buffered whole; trailers are added to the headers.
Result<std::string> decode_whole_chunked(const Caller& caller, net::HeaderList& headers,
                                         std::string_view body);

/// Sends the ranges, piece by piece, reading on the pool. `customer_key`: of those under one.
async::Task<Result<void>> send_blobs(Staging staging, net::Exchange& exchange,
                                     const std::vector<BlobRange>& ranges,
                                     std::string customer_key);

}  // namespace wolke::gateway
