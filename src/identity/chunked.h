#pragma once
// ChunkedDecoder takes the aws-chunked body of a streaming PUT apart: bytes in, as they come from
// the socket; decoded bytes out. The bytes of a signed chunk are held back until the chunk's
// signature has been verified, so nothing unverified ever reaches the digests or the staged blob.
// Each signature covers the one before it: chunks can neither be dropped, repeated nor reordered. A
// decoder that returned an error is spent.
//
// Threads: none of its own; one user at a time. Memory: a signed chunk is buffered whole (≤
// signed_chunk_bytes_max); unsigned chunks pass through. Source: S3 API Reference "Signature
// calculations … transferring payload in multiple chunks", "… including trailing headers".

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/hash.h"
#include "wolke/base/result.h"
#include "wolke/identity/sigv4.h"

namespace wolke::identity {

inline constexpr std::uint64_t signed_chunk_bytes_max = 4ULL << 20;
inline constexpr std::uint64_t unsigned_chunk_bytes_max = 5ULL << 30;  // S3: 5 GiB in one PUT
inline constexpr std::size_t chunk_line_bytes_max = 1024;
inline constexpr std::size_t chunk_trailers_max = 16;

struct ChunkedOptions {
  Payload payload = Payload::streaming_signed;
  /// x-amz-decoded-content-length.
  std::uint64_t decoded_bytes = 0;
  /// Names announced by x-amz-trailer, lower case; exactly these must come.
  std::vector<std::string> trailer_names = {};
  /// Of the header signature; unused for unsigned chunks.
  std::string signing_key = {};
  std::string seed_signature = {};
  std::string amz_date = {};
  std::string scope = {};
  /// False only for the test keys of `wolke dev`, whose secret nobody knows.
  bool check_signatures = true;
};

class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(ChunkedOptions options);

  /// Consumes all of `bytes`, appends what may be used to `out`. Errors: "SignatureDoesNotMatch" (a
  /// chunk or the trailer), "InvalidChunkSizeError", "InvalidRequest" (form), "IncompleteBody"
  /// (more than announced), "MalformedTrailerError".
  Result<void> feed(std::string_view bytes, std::string& out);

  /// The body has ended: the trailers (without x-amz-trailer-signature), in order. "IncompleteBody"
  /// when the final chunk or announced bytes are missing. Only after this succeeded may the object
  /// become visible.
  Result<Headers> finish();

  std::uint64_t decoded_bytes() const { return decoded_; }

 private:
  enum class State : std::uint8_t { size_line, data, data_end, trailer_line, done };

  bool signs_chunks() const { return options_.payload != Payload::streaming_unsigned_trailer; }
  bool has_trailer() const { return options_.payload != Payload::streaming_signed; }
  Result<void> on_line(std::string& out);
  Result<void> on_size_line();
  Result<void> on_data_end(std::string& out);
  Result<void> on_trailer_line();
  Result<void> check_trailer();
  Result<void> check_chunk();

  ChunkedOptions options_;
  State state_ = State::size_line;
  std::string line_;
  std::string chunk_;      // signed chunks only
  std::string signature_;  // of the chunk being read
  std::string previous_signature_;
  std::string trailer_signature_;
  std::uint64_t left_ = 0;  // bytes of the chunk still to come
  std::uint64_t decoded_ = 0;
  bool final_chunk_ = false;
  Headers trailers_;
};

/// The signature of a chunk, lower-case hexadecimal (also used by the signing side).
std::string chunk_signature(std::string_view signing_key, std::string_view amz_date,
                            std::string_view scope, std::string_view previous_signature,
                            std::string_view data);
/// `canonical` is "name:value\n" for each trailer.
std::string trailer_signature(std::string_view signing_key, std::string_view amz_date,
                              std::string_view scope, std::string_view previous_signature,
                              std::string_view canonical);

}  // namespace wolke::identity
