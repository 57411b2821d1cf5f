#include "wolke/identity/chunked.h"

#include <algorithm>

#include "wolke/base/text.h"

namespace wolke::identity {
namespace {

Error incomplete_body() {
  return {"IncompleteBody", 400,
          "You did not provide the number of bytes specified by the x-amz-decoded-content-length "
          "HTTP header"};
}

Error malformed_chunk(std::string_view what) {
  return {"InvalidRequest", 400, "The aws-chunked body is malformed: " + std::string(what)};
}

Error malformed_trailer() {
  return {"MalformedTrailerError", 400,
          "The request contained trailing data that was not well-formed or did not conform to our "
          "published schema."};
}

Error bad_signature() {
  return {"SignatureDoesNotMatch", 403,
          "The request signature we calculated does not match the signature you provided. Check "
          "your key "
          "and signing method."};
}

std::string joined(std::initializer_list<std::string_view> lines) {
  std::string out;
  for (std::string_view line : lines) {
    if (!out.empty()) out += '\n';
    out += line;
  }
  return out;
}

/// 1–16 hexadecimal digits, no sign, no prefix, no space.
std::optional<std::uint64_t> parse_chunk_size(std::string_view text) {
  if (text.empty() || text.size() > 16) return std::nullopt;
  std::uint64_t value = 0;
  for (char c : text) {
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<unsigned>(c - 'A') + 10;
    } else {
      return std::nullopt;
    }
    value = value << 4 | digit;
  }
  return value;
}

}  // namespace

std::string chunk_signature(std::string_view signing_key, std::string_view amz_date,
                            std::string_view scope, std::string_view previous_signature,
                            std::string_view data) {
  return to_hex(
      hmac_sha256(signing_key, joined({"AWS4-HMAC-SHA256-PAYLOAD", amz_date, scope,
                                       previous_signature, empty_sha256, to_hex(sha256(data))})));
}

std::string trailer_signature(std::string_view signing_key, std::string_view amz_date,
                              std::string_view scope, std::string_view previous_signature,
                              std::string_view canonical) {
  return to_hex(hmac_sha256(signing_key, joined({"AWS4-HMAC-SHA256-TRAILER", amz_date, scope,
                                                 previous_signature, to_hex(sha256(canonical))})));
}

ChunkedDecoder::ChunkedDecoder(ChunkedOptions options)
    : options_(std::move(options)), previous_signature_(options_.seed_signature) {
  ASSERT(is_streaming(options_.payload));
}

Result<void> ChunkedDecoder::feed(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    if (state_ == State::done) return fail(malformed_chunk("bytes after its end."));
    if (state_ == State::data) {
      const std::size_t take =
          static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      (signs_chunks() ? chunk_ : out).append(bytes.substr(0, take));
      bytes.remove_prefix(take);
      left_ -= take;
      if (left_ == 0) state_ = State::data_end;
      continue;
    }
    const std::size_t newline = bytes.find('\n');
    const bool complete = newline != std::string_view::npos;
    line_.append(bytes.substr(0, complete ? newline + 1 : bytes.size()));
    bytes.remove_prefix(complete ? newline + 1 : bytes.size());
    if (line_.size() > chunk_line_bytes_max) return fail(malformed_chunk("a line is too long."));
    // A trailer's value may end in a bare newline before its CRLF (so the S3 documentation's own
    // example does).
    if (!complete || !line_.ends_with("\r\n")) {
      if (complete && state_ != State::trailer_line)
        return fail(malformed_chunk("a line has no CRLF."));
      continue;
    }
    line_.resize(line_.size() - 2);
    TRY(on_line(out));
    line_.clear();
  }
  return {};
}

Result<void> ChunkedDecoder::on_line(std::string& out) {
  switch (state_) {
    case State::size_line:
      return on_size_line();
    case State::data_end:
      if (!line_.empty()) return fail(malformed_chunk("a chunk is longer than its size says."));
      return on_data_end(out);
    case State::trailer_line:
      return on_trailer_line();
    case State::data:
    case State::done:
      break;
  }
  return {};
}

/// "10000;chunk-signature=…" or, unsigned, "10000".
Result<void> ChunkedDecoder::on_size_line() {
  std::string_view line = line_;
  const std::size_t semicolon = line.find(';');
  const std::optional<std::uint64_t> size = parse_chunk_size(line.substr(0, semicolon));
  if (!size) return fail(malformed_chunk("a chunk's size is not a hexadecimal number."));
  if (signs_chunks()) {
    constexpr std::string_view extension = "chunk-signature=";
    const std::string_view rest =
        semicolon == std::string_view::npos ? "" : line.substr(semicolon + 1);
    if (!rest.starts_with(extension) || rest.size() != extension.size() + 64)
      return fail(bad_signature());
    signature_ = rest.substr(extension.size());
  } else if (semicolon != std::string_view::npos) {
    return fail(malformed_chunk("an unsigned chunk has an extension."));
  }
  if (*size > (signs_chunks() ? signed_chunk_bytes_max : unsigned_chunk_bytes_max)) {
    return fail(Error{"InvalidChunkSizeError", 403, "A chunk is larger than this server accepts."});
  }
  if (*size > options_.decoded_bytes - decoded_) return fail(incomplete_body());
  decoded_ += *size;
  left_ = *size;
  final_chunk_ = *size == 0;
  if (!final_chunk_) {
    state_ = State::data;
  } else if (has_trailer()) {
    if (signs_chunks()) {
      TRY(check_chunk());
    }
    state_ = State::trailer_line;
  } else {
    state_ = State::data_end;
  }
  return {};
}

Result<void> ChunkedDecoder::check_chunk() {
  const std::string expected = chunk_signature(options_.signing_key, options_.amz_date,
                                               options_.scope, previous_signature_, chunk_);
  if (options_.check_signatures && !equal_constant_time(expected, signature_)) {
    return fail(bad_signature());
  }
  previous_signature_ = expected;
  return {};
}

Result<void> ChunkedDecoder::on_data_end(std::string& out) {
  if (signs_chunks()) {
    TRY(check_chunk());
    out += chunk_;
    chunk_.clear();
  }
  state_ = final_chunk_ ? State::done : State::size_line;
  return {};
}

Result<void> ChunkedDecoder::on_trailer_line() {
  if (line_.empty()) {
    TRY(check_trailer());
    state_ = State::done;
    return {};
  }
  if (line_.ends_with('\n')) line_.pop_back();
  const std::size_t colon = line_.find(':');
  if (colon == std::string::npos || colon == 0 || trailers_.size() >= chunk_trailers_max) {
    return fail(malformed_trailer());
  }
  std::string name = to_lower(std::string_view(line_).substr(0, colon));
  std::string value(trim(std::string_view(line_).substr(colon + 1)));
  if (value.find_first_of("\r\n") != std::string::npos) return fail(malformed_trailer());
  // Nothing may follow the signature: it would not be covered.
  if (!trailer_signature_.empty()) return fail(malformed_trailer());
  if (name == "x-amz-trailer-signature") {
    if (!signs_chunks() || value.empty()) return fail(malformed_trailer());
    trailer_signature_ = std::move(value);
  } else {
    trailers_.emplace_back(std::move(name), std::move(value));
  }
  return {};
}

Result<void> ChunkedDecoder::check_trailer() {
  std::vector<std::string> names;
  std::string canonical;
  for (const auto& [name, value] : trailers_) {
    names.push_back(name);
    canonical += name + ":" + value + "\n";
  }
  std::vector<std::string> announced = options_.trailer_names;
  std::sort(names.begin(), names.end());
  std::sort(announced.begin(), announced.end());
  if (names != announced) return fail(malformed_trailer());
  if (!signs_chunks() || !options_.check_signatures) return {};
  const std::string expected = trailer_signature(options_.signing_key, options_.amz_date,
                                                 options_.scope, previous_signature_, canonical);
  if (options_.check_signatures && !equal_constant_time(expected, trailer_signature_)) {
    return fail(bad_signature());
  }
  return {};
}

Result<Headers> ChunkedDecoder::finish() {
  if (state_ != State::done || decoded_ != options_.decoded_bytes) return fail(incomplete_body());
  return std::move(trailers_);
}

}  // namespace wolke::identity
