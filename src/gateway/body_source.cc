#include "wolke/gateway/body_source.h"

#include <algorithm>

#include "wolke/base/limits.h"
#include "wolke/base/text.h"

namespace wolke::gateway {

namespace {

using net::find_header;

Error incomplete() {
  return Error{
      .code = "IncompleteBody",
      .status = 400,
      .message =
          "You did not provide the number of bytes specified by the Content-Length HTTP header"};
}

Error missing_length() {
  return Error{.code = "MissingContentLength",
               .status = 411,
               .message = "You must provide the Content-Length HTTP header."};
}

Error too_large(std::uint64_t bytes, std::uint64_t bytes_max) {
  return Error{.code = "EntityTooLarge",
               .status = 400,
               .message = "Your proposed upload exceeds the maximum allowed size",
               .fields = {{"ProposedSize", std::to_string(bytes)},
                          {"MaxSizeAllowed", std::to_string(bytes_max)}}};
}

std::vector<std::string> announced_trailers(const net::HeaderList& headers) {
  std::vector<std::string> names;
  if (const std::string* trailer = find_header(headers, "x-amz-trailer")) {
    for (std::string_view name : split(*trailer, ',')) names.push_back(to_lower(trim(name)));
  }
  return names;
}

Result<identity::ChunkedOptions> chunked_options(const Caller& caller,
                                                 const net::HeaderList& headers) {
  const identity::Authorization& authorization = *caller.authorization;
  const std::string* decoded = find_header(headers, "x-amz-decoded-content-length");
  std::optional<std::uint64_t> bytes = decoded ? parse_u64(*decoded) : std::nullopt;
  if (!bytes) return fail(missing_length());
  return identity::ChunkedOptions{.payload = authorization.payload,
                                  .decoded_bytes = *bytes,
                                  .trailer_names = announced_trailers(headers),
                                  .signing_key = caller.verified.signing_key,
                                  .seed_signature = caller.verified.signature,
                                  .amz_date = authorization.amz_date,
                                  .scope = authorization.scope(),
                                  .check_signatures = caller.signature_checked};
}

}  // namespace

BodySource::BodySource(net::Exchange& exchange, const net::HeaderList& headers,
                       std::uint64_t bytes_max)
    : exchange_(&exchange),
      headers_(&headers),
      bytes_max_(bytes_max),
      announced_(exchange.body_length()) {}

void BodySource::decode_chunks(identity::ChunkedOptions options) {
  announced_ = options.decoded_bytes;
  decoder_ = std::make_unique<identity::ChunkedDecoder>(std::move(options));
}

async::Task<Result<std::string>> BodySource::next() {
  while (!ended_) {
    CO_TRY(std::string piece, co_await exchange_->read(limits::body_piece_bytes));
    if (!decoder_) {
      ended_ = piece.empty();
      co_return piece;
    }
    if (piece.empty()) {
      ended_ = true;
      CO_TRY(trailers_, decoder_->finish());
      break;
    }
    std::string decoded;
    CO_TRY(decoder_->feed(piece, decoded));
    if (!decoded.empty()) co_return decoded;
  }
  co_return std::string();
}

Result<void> BodySource::check_end(std::uint64_t decoded_bytes) const {
  if (announced_ && *announced_ != decoded_bytes) return fail(incomplete());
  return {};
}

net::HeaderList BodySource::headers_with_trailers() const {
  net::HeaderList headers = *headers_;
  headers.insert(headers.end(), trailers_.begin(), trailers_.end());
  return headers;
}

Result<BodySource> open_body_source(net::Exchange& exchange, const Caller& caller,
                                    const net::HeaderList& headers, const shape::Operation&) {
  BodySource source(exchange, headers, limits::s3_put_bytes_max);
  std::optional<std::uint64_t> bytes = exchange.body_length();
  if (caller.authorization && identity::is_streaming(caller.authorization->payload)) {
    TRY(identity::ChunkedOptions options, chunked_options(caller, headers));
    bytes = options.decoded_bytes;
    source.decode_chunks(std::move(options));
  } else if (!bytes || !find_header(headers, "content-length")) {
    // HTTP takes a request without a length for one without a body; S3 takes it for a mistake.
    return fail(missing_length());
  }
  if (*bytes > limits::s3_put_bytes_max) {
    exchange.close_after();
    return fail(too_large(*bytes, limits::s3_put_bytes_max));
  }
  return source;
}

Result<std::string> decode_whole_chunked(const Caller& caller, net::HeaderList& headers,
                                         std::string_view body) {
  TRY(identity::ChunkedOptions options, chunked_options(caller, headers));
  identity::ChunkedDecoder decoder(std::move(options));
  std::string out;
  TRY(decoder.feed(body, out));
  TRY(identity::Headers trailers, decoder.finish());
  headers.insert(headers.end(), trailers.begin(), trailers.end());
  return out;
}

async::Task<Result<void>> send_blobs(Staging staging, net::Exchange& exchange,
                                     const std::vector<BlobRange>& ranges,
                                     std::string customer_key) {
  for (const BlobRange& range : ranges) {
    std::unique_ptr<store::BlobReader> reader;
    std::uint64_t at = range.offset;
    const std::uint64_t end = range.offset + range.length;
    while (at < end) {
      const std::size_t length = std::min<std::uint64_t>(limits::body_piece_bytes, end - at);
      std::string piece;
      auto read = [&]() -> Result<void> {
        if (!reader) {
          TRY(reader, staging.blobs.open(range.blob, customer_key));
        }
        TRY(piece, reader->read(at, length));
        return {};
      };
      std::optional<Result<void>> done = co_await async::run_on(staging.pool, staging.loop, read);
      if (!done)
        co_return fail(
            {.code = "SlowDown", .status = 503, .message = "Please reduce your request rate."});
      CO_TRY(std::move(*done));
      CO_TRY(co_await exchange.write(piece));
      at += length;
    }
  }
  co_return Result<void>();
}

}  // namespace wolke::gateway
