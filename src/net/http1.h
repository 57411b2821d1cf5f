#pragma once
// The HTTP/1.1 codec (RFC 9112): pure functions over bytes, no I/O. A head is first measured by
// HeadScanner, which may be called again as bytes arrive, then parsed in one pass; chunked bodies
// go through ChunkedDecoder, a state machine that may be cut at any byte.
//
// Strict on purpose: where two implementations could read a message differently (request
// smuggling), it is refused, even where the RFC would let a recipient be lenient. Not accepted:
// bare LF or CR, obs-fold, space before the colon, more than one Content-Length or
// Transfer-Encoding or both together, any coding but "chunked", HTTP/1.0 with Transfer-Encoding,
// signs and prefixes in numbers, a missing or second Host. Threads: values, no shared state.
// Failure: a Failure with the status to answer; the connection must be closed after it, since
// framing is lost.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "wolke/net/http.h"

namespace wolke::net::http1 {

struct Failure {
  int status;          // what a server answers
  const char* reason;  // static, for logs and the error body
};
template <class T>
using Parsed = std::expected<T, Failure>;

/// Finds the end of a message head in a growing buffer without looking at any byte twice.
class HeadScanner {
 public:
  /// Size of the head with its last CRLFCRLF; 0 while bytes are missing. `buffer` is the one of the
  /// last call, grown.
  Parsed<std::size_t> scan(std::string_view buffer);
  void reset() { *this = HeadScanner(); }

 private:
  std::size_t scanned_ = 0;
  std::size_t line_start_ = 0;
  std::size_t lines_ = 0;
  bool skipped_empty_line_ = false;
};

enum class BodyKind : std::uint8_t { none, length, chunked, until_close };

struct Framing {
  BodyKind body = BodyKind::none;
  std::uint64_t length = 0;  // of BodyKind::length
  bool keep_alive = true;
  bool expect_continue = false;
};

/// Parses what HeadScanner measured. `out` keeps its capacity between calls; peer and tls are left
/// alone.
Parsed<Framing> parse_request_head(std::string_view head, RequestHead& out);

struct ResponseMessageHead {
  int status = 0;
  int minor_version = 1;
  std::string reason;
  HeaderList headers;
};
/// `request_method` decides whether a body follows (HEAD). Interim (1xx) heads have BodyKind::none.
Parsed<Framing> parse_response_head(std::string_view head, std::string_view request_method,
                                    ResponseMessageHead& out);

/// Strict decimal, at most 19 digits: no sign, space, list or empty text.
std::optional<std::uint64_t> parse_content_length(std::string_view text);
bool is_token(std::string_view text);
/// Tabs and printable bytes only: what may stand in a header's value without splitting the message.
bool is_field_value(std::string_view text);
/// A host name, IPv4 address or [IPv6] with an optional :port.
bool is_host(std::string_view text);

class ChunkedDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  // bytes of `in` that are done with, data included
    std::string_view
        data;  // body bytes, a part of `in`; empty when more input is needed or the body ended
  };
  /// Takes framing from the front of `in` and at most `data_max` bytes of the data that follows.
  Parsed<Step> step(std::string_view in, std::size_t data_max);
  bool done() const { return state_ == State::done; }
  /// Bytes of the current chunk that are known to come next: they may be read past the decoder (see
  /// skip_data).
  std::uint64_t data_left() const { return state_ == State::data ? left_ : 0; }
  /// The caller took `bytes` ≤ data_left() of data from the wire by itself.
  void skip_data(std::uint64_t bytes);

 private:
  enum class State : std::uint8_t {
    size_first,
    size,
    size_lf,
    extension_name_first,
    extension_name,
    extension_value_first,
    extension_value,
    extension_quoted,
    extension_quoted_pair,
    extension_after_quote,
    data,
    data_cr,
    data_lf,
    trailer,
    trailer_lf,
    done,
  };
  Parsed<void> framing_byte(char c);
  Parsed<void> extension_byte(char c);
  Parsed<void> trailer_line();
  void size_line_ended();

  State state_ = State::size_first;
  int digits_ = 0;
  std::uint64_t left_ = 0;
  std::size_t line_bytes_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::string trailer_;
};

/// Appends a response head. False, and `out` unchanged, when a name or value could split the
/// message. Headers of `head` that belong to the connection (content-length, transfer-encoding,
/// connection, date …) are left out.
bool append_response_head(std::string& out, const ResponseHead& head, const Framing& framing,
                          int minor_version, std::string_view date);
/// Appends a request head with the length of its body.
bool append_request_head(std::string& out, std::string_view method, std::string_view target,
                         const HeaderList& headers, std::uint64_t body_bytes);
/// "1f4\r\n"
void append_chunk_size(std::string& out, std::size_t bytes);

std::string_view reason_phrase(int status);
inline bool status_has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

}  // namespace wolke::net::http1
