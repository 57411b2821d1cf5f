#include "wolke/net/http1.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "wolke/base/http_limits.h"
#include "wolke/base/limits.h"
#include "wolke/base/text.h"

namespace wolke::net::http1 {
namespace {

std::unexpected<Failure> bad(const char* reason) {
  return std::unexpected(Failure{400, reason});
}
std::unexpected<Failure> refused(int status, const char* reason) {
  return std::unexpected(Failure{status, reason});
}

/// For each byte: its lower-case form when it may stand in a token (RFC 9110 tchar), else 0.
constexpr std::array<char, 256> make_token_table() {
  std::array<char, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = static_cast<char>(c);
  for (int c = 'a'; c <= 'z'; ++c) {
    table[static_cast<std::size_t>(c)] = static_cast<char>(c);
    table[static_cast<std::size_t>(c - 'a' + 'A')] = static_cast<char>(c);
  }
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = c;
  return table;
}
constexpr std::array<char, 256> token_table = make_token_table();

bool is_token_char(char c) {
  return token_table[static_cast<unsigned char>(c)] != 0;
}
bool is_value_char(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Cuts one line, which must end in CRLF, from the front of `rest`.
Parsed<std::string_view> next_line(std::string_view& rest) {
  std::size_t lf = rest.find('\n');
  if (lf == std::string_view::npos || lf == 0 || rest[lf - 1] != '\r') {
    return bad("a line must end in CRLF");
  }
  std::string_view line = rest.substr(0, lf - 1);
  rest.remove_prefix(lf + 1);
  return line;
}

struct FieldLine {
  std::string_view name;
  std::string_view value;
  bool tab_around_value = false;
};

std::string_view trim_spaces(std::string_view text) {
  std::size_t first = std::min(text.find_first_not_of(' '), text.size());
  return text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

Parsed<FieldLine> split_field(std::string_view line) {
  std::size_t colon = 0;
  while (colon < line.size() && is_token_char(line[colon])) ++colon;
  if (colon == line.size()) return bad("a header line has no colon");
  if (line[colon] != ':') {
    bool fold = colon == 0 && (line[0] == ' ' || line[0] == '\t');
    return bad(fold ? "folded header lines are not accepted"
                    : "invalid character in a header name");
  }
  if (colon == 0) return bad("a header has no name");
  std::string_view value = line.substr(colon + 1);
  if (!is_field_value(value)) return bad("invalid character in a header value");
  std::string_view trimmed = trim(value);
  // Spaces are the usual padding; peers disagree on tabs, which matters where framing is decided.
  bool tab = trim_spaces(value).size() != trimmed.size();
  return FieldLine{line.substr(0, colon), trimmed, tab};
}

/// Reuses the strings of the message before; finish() drops those that are left.
class HeaderWriter {
 public:
  explicit HeaderWriter(HeaderList& headers) : headers_(headers) {}
  std::pair<std::string, std::string>& add(const FieldLine& field) {
    if (count_ == headers_.size()) headers_.emplace_back();
    auto& entry = headers_[count_++];
    entry.first.resize(field.name.size());
    for (std::size_t i = 0; i < field.name.size(); ++i) {
      entry.first[i] = token_table[static_cast<unsigned char>(field.name[i])];
    }
    entry.second.assign(field.value);
    return entry;
  }
  void finish() { headers_.resize(count_); }

 private:
  HeaderList& headers_;
  std::size_t count_ = 0;
};

/// The headers that decide where a message ends, and how often each was seen.
struct FramingFields {
  int content_lengths = 0;
  std::uint64_t length = 0;
  int transfer_encodings = 0;
  int hosts = 0;
  std::string host;
  bool close = false;
  bool keep_alive = false;
  bool expect_continue = false;

  Parsed<void> take(std::string_view name, std::string_view value);
  void take_connection(std::string_view value);
};

void FramingFields::take_connection(std::string_view value) {
  while (!value.empty()) {
    std::size_t comma = value.find(',');
    std::string_view option = trim(value.substr(0, comma));
    if (iequals(option, "close")) close = true;
    if (iequals(option, "keep-alive")) keep_alive = true;
    value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
  }
}

Parsed<void> FramingFields::take(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 4:
      if (name != "host") break;
      if (++hosts > 1) return bad("more than one Host");
      if (!is_host(value)) return bad("invalid Host");
      host = value;
      break;
    case 6:
      if (name != "expect") break;
      if (value.empty()) break;  // a list of expectations may be empty (RFC 9110 10.1.1)
      if (!iequals(value, "100-continue")) return refused(417, "unknown expectation");
      expect_continue = true;
      break;
    case 10:
      if (name == "connection") take_connection(value);
      break;
    case 14: {
      if (name != "content-length") break;
      if (++content_lengths > 1) return bad("more than one Content-Length");
      std::optional<std::uint64_t> parsed = parse_content_length(value);
      if (!parsed) return bad("invalid Content-Length");
      length = *parsed;
      break;
    }
    case 17:
      if (name != "transfer-encoding") break;
      if (++transfer_encodings > 1) return bad("more than one Transfer-Encoding");
      if (!iequals(value, "chunked"))
        return refused(501, "only the transfer coding chunked is known");
      break;
    default:
      break;
  }
  return {};
}

bool decides_framing(std::string_view name) {
  return name == "host" || name == "content-length" || name == "transfer-encoding";
}

Parsed<void> parse_fields(std::string_view rest, HeaderList& headers, FramingFields& fields) {
  HeaderWriter writer(headers);
  std::size_t count = 0;
  for (;;) {
    Parsed<std::string_view> line = next_line(rest);
    if (!line) return std::unexpected(line.error());
    if (line->empty()) break;
    if (++count > limits::http_headers_count_max) return refused(431, "too many headers");
    Parsed<FieldLine> field = split_field(*line);
    if (!field) return std::unexpected(field.error());
    auto& entry = writer.add(*field);
    if (auto ok = fields.take(entry.first, entry.second); !ok) return std::unexpected(ok.error());
    if (field->tab_around_value && decides_framing(entry.first)) return bad("tab around a value");
  }
  writer.finish();
  if (!rest.empty()) return bad("bytes after the head");
  return {};
}

/// "HTTP/1.0" or "HTTP/1.1", nothing else.
Parsed<int> parse_version(std::string_view text) {
  if (text == "HTTP/1.1") return 1;
  if (text == "HTTP/1.0") return 0;
  bool well_formed = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                     text[6] == '.' && is_digit(text[7]);
  if (well_formed) return refused(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  return bad("invalid HTTP version");
}

Parsed<void> check_method(std::string_view method) {
  if (method.empty() || method.size() > limits::http_method_bytes_max) return bad("invalid method");
  for (char c : method) {
    if ((c < 'A' || c > 'Z') && c != '-' && c != '_') return bad("invalid method");
  }
  if (method == "CONNECT" || method == "TRACE") return refused(405, "method not served");
  return {};
}

struct RequestLine {
  std::string_view method;
  std::string_view target;
  int minor_version;
};

Parsed<RequestLine> parse_request_line(std::string_view line) {
  std::size_t first = line.find(' ');
  std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return bad("invalid request line");
  RequestLine out{line.substr(0, first), line.substr(first + 1, last - first - 1), 1};
  if (auto ok = check_method(out.method); !ok) return std::unexpected(ok.error());
  if (out.target.empty()) return bad("empty request target");
  for (char c : out.target) {
    if (c <= 0x20 || c >= 0x7F || c == '#') return bad("invalid character in the request target");
  }
  std::string_view path = out.target.substr(0, out.target.find('?'));
  for (std::size_t at = 0; (at = path.find('%', at)) != std::string_view::npos; at += 3) {
    if (path.size() - at < 3 || hex_digit(path[at + 1]) < 0 || hex_digit(path[at + 2]) < 0) {
      return bad("invalid escape in the request target");
    }
  }
  Parsed<int> version = parse_version(line.substr(last + 1));
  if (!version) return std::unexpected(version.error());
  out.minor_version = *version;
  return out;
}

/// Origin form as it is; absolute form reduced to it, its authority equal to Host; "*" for OPTIONS.
Parsed<void> take_target(const RequestLine& line, const FramingFields& fields, std::string& out) {
  std::string_view target = line.target;
  if (target[0] == '/' || (target == "*" && line.method == "OPTIONS")) {
    out.assign(target);
    return {};
  }
  std::size_t scheme = iequals(target.substr(0, 7), "http://")    ? 7
                       : iequals(target.substr(0, 8), "https://") ? 8
                                                                  : 0;
  if (scheme == 0) return bad("invalid request target");
  target.remove_prefix(scheme);
  std::size_t end = target.find_first_of("/?");
  std::string_view authority = target.substr(0, end);
  if (!is_host(authority)) return bad("invalid authority in the request target");
  if (fields.hosts > 0 && !iequals(authority, fields.host)) {
    return bad("Host is not the authority of the request target");
  }
  std::string_view rest = end == std::string_view::npos ? std::string_view() : target.substr(end);
  out = rest.starts_with('/') ? "" : "/";
  out += rest;
  return {};
}

}  // namespace

bool is_token(std::string_view text) {
  for (char c : text) {
    if (!is_token_char(c)) return false;
  }
  return !text.empty();
}

bool is_field_value(std::string_view text) {
  // Eight bytes at a time; a tab or a control character among them sends the word to the loop
  // below.
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t high_bits = ones * 0x80;
  while (text.size() >= 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data(), 8);
    std::uint64_t below_space = (word - ones * 0x20) & ~word & high_bits;
    std::uint64_t no_del = word ^ (ones * 0x7F);
    std::uint64_t is_del = (no_del - ones) & ~no_del & high_bits;
    if ((below_space | is_del) != 0 &&
        !std::all_of(text.begin(), text.begin() + 8, is_value_char)) {
      return false;
    }
    text.remove_prefix(8);
  }
  return std::all_of(text.begin(), text.end(), is_value_char);
}

bool is_host(std::string_view text) {
  std::size_t name_end = text.find(':');
  if (text.starts_with('[')) {
    std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos || bracket < 3) return false;
    for (char c : text.substr(1, bracket - 1)) {
      if (hex_digit(c) < 0 && c != ':' && c != '.') return false;
    }
    name_end = bracket + 1;
  } else {
    for (char c : text.substr(0, name_end)) {
      bool valid = is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                   c == '.' || c == '_' || c == '~';
      if (!valid) return false;
    }
  }
  if (name_end == 0 || text.empty() || text[0] == '.') return false;
  if (text.substr(0, name_end).find("..") != std::string_view::npos) return false;
  if (name_end >= text.size()) return true;
  if (text[name_end] != ':') return false;
  std::optional<std::uint64_t> port = parse_content_length(text.substr(name_end + 1));
  return port && *port <= 65535;
}

std::optional<std::uint64_t> parse_content_length(std::string_view text) {
  if (text.empty() || text.size() > 19) return std::nullopt;
  std::uint64_t value = 0;
  for (char c : text) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  return value;
}

Parsed<std::size_t> HeadScanner::scan(std::string_view buffer) {
  if (lines_ == 0 && line_start_ == 0 && !buffer.empty() && !is_token_char(buffer[0]) &&
      buffer[0] != '\r') {
    // A TLS hello on a plain port, say: answered at once instead of waiting for a line to end.
    return bad("this is not HTTP");
  }
  for (;;) {
    std::size_t lf = buffer.find('\n', scanned_);
    bool cut = lf == std::string_view::npos;
    std::size_t line_bytes = (cut ? buffer.size() : lf) - line_start_;
    if (line_bytes > limits::http_line_bytes_max) {
      return lines_ == 0 ? refused(414, "request line too long") : refused(431, "header too long");
    }
    if ((cut ? buffer.size() : lf) > limits::http_headers_bytes_max) {
      return refused(431, "headers too large");
    }
    if (cut) {
      scanned_ = buffer.size();
      return std::size_t{0};
    }
    bool crlf =
        line_bytes > 0 && buffer[lf - 1] == '\r' && (line_bytes == 1 || buffer[lf - 2] != '\r');
    if (!crlf) return bad("a line must end in CRLF");
    scanned_ = lf + 1;
    line_start_ = lf + 1;
    if (line_bytes > 1) {
      if (++lines_ > limits::http_headers_count_max + 1) return refused(431, "too many headers");
    } else if (lines_ > 0) {
      return lf + 1;
    } else if (std::exchange(skipped_empty_line_, true)) {
      return bad("empty lines before the request");
    }
  }
}

Parsed<Framing> parse_request_head(std::string_view head, RequestHead& out) {
  if (head.starts_with("\r\n")) head.remove_prefix(2);  // RFC 9112 2.2: one empty line is ignored
  Parsed<std::string_view> first = next_line(head);
  if (!first) return std::unexpected(first.error());
  Parsed<RequestLine> line = parse_request_line(*first);
  if (!line) return std::unexpected(line.error());

  FramingFields fields;
  if (auto ok = parse_fields(head, out.headers, fields); !ok) return std::unexpected(ok.error());
  if (fields.hosts == 0 && line->minor_version == 1) return bad("Host is missing");
  if (fields.transfer_encodings > 0) {
    if (fields.content_lengths > 0) return bad("both Content-Length and Transfer-Encoding");
    if (line->minor_version == 0) return bad("Transfer-Encoding in HTTP/1.0");
  }
  if (auto ok = take_target(*line, fields, out.target); !ok) return std::unexpected(ok.error());
  out.method.assign(line->method);
  out.minor_version = line->minor_version;

  Framing framing;
  if (fields.transfer_encodings > 0) {
    framing.body = BodyKind::chunked;
  } else if (fields.length > 0) {
    framing.body = BodyKind::length;
    framing.length = fields.length;
  }
  framing.keep_alive = !fields.close && (line->minor_version == 1 || fields.keep_alive);
  framing.expect_continue = fields.expect_continue && line->minor_version == 1;
  return framing;
}

Parsed<Framing> parse_response_head(std::string_view head, std::string_view request_method,
                                    ResponseMessageHead& out) {
  Parsed<std::string_view> line = next_line(head);
  if (!line) return std::unexpected(line.error());
  if (line->size() < 12 || (*line)[8] != ' ') return bad("invalid status line");
  Parsed<int> version = parse_version(line->substr(0, 8));
  if (!version) return std::unexpected(version.error());
  std::optional<std::uint64_t> status = parse_content_length(line->substr(9, 3));
  if (!status || *status < 100 || *status > 599) return bad("invalid status code");
  std::string_view reason = line->substr(12);
  if (!reason.empty() && reason[0] != ' ') return bad("invalid status line");
  if (!is_field_value(reason)) return bad("invalid reason phrase");

  FramingFields fields;
  if (auto ok = parse_fields(head, out.headers, fields); !ok) return std::unexpected(ok.error());
  if (fields.transfer_encodings > 0) {
    if (fields.content_lengths > 0) return bad("both Content-Length and Transfer-Encoding");
    if (*version == 0) return bad("Transfer-Encoding in HTTP/1.0");
  }
  out.status = static_cast<int>(*status);
  out.minor_version = *version;
  out.reason.assign(trim(reason));

  Framing framing;
  framing.keep_alive = !fields.close && (*version == 1 || fields.keep_alive);
  if (request_method == "HEAD" || !status_has_body(out.status)) return framing;
  if (fields.transfer_encodings > 0) {
    framing.body = BodyKind::chunked;
  } else if (fields.content_lengths == 0) {
    framing.body = BodyKind::until_close;
    framing.keep_alive = false;
  } else if (fields.length > 0) {
    framing.body = BodyKind::length;
    framing.length = fields.length;
  }
  return framing;
}

// ---- chunked bodies

Parsed<ChunkedDecoder::Step> ChunkedDecoder::step(std::string_view in, std::size_t data_max) {
  std::size_t at = 0;
  while (at < in.size() && state_ != State::done) {
    if (state_ == State::data) {
      std::size_t bytes = std::min(in.size() - at, data_max);
      if (bytes > left_) bytes = static_cast<std::size_t>(left_);
      skip_data(bytes);
      return Step{at + bytes, in.substr(at, bytes)};
    }
    if (auto ok = framing_byte(in[at]); !ok) return std::unexpected(ok.error());
    ++at;
  }
  return Step{at, {}};
}

void ChunkedDecoder::skip_data(std::uint64_t bytes) {
  ASSERT(state_ == State::data && bytes <= left_);
  left_ -= bytes;
  if (left_ == 0) state_ = State::data_cr;
}

void ChunkedDecoder::size_line_ended() {
  digits_ = 0;
  line_bytes_ = 0;
  state_ = left_ == 0 ? State::trailer : State::data;
}

Parsed<void> ChunkedDecoder::framing_byte(char c) {
  if (state_ < State::data && ++line_bytes_ > limits::http_chunk_line_bytes_max) {
    return bad("chunk header too long");
  }
  switch (state_) {
    case State::size_first:
      left_ = 0;
      [[fallthrough]];
    case State::size: {
      int digit = hex_digit(c);
      if (digit >= 0) {
        // 15 digits keep the size well below 2^63, leading zeros included.
        if (++digits_ > 15) return bad("chunk size too large");
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        state_ = State::size;
        return {};
      }
      if (state_ == State::size_first) return bad("invalid chunk size");
      if (c == '\r') {
        state_ = State::size_lf;
      } else if (c == ';') {
        state_ = State::extension_name_first;
      } else {
        return bad("invalid chunk size");
      }
      return {};
    }
    case State::size_lf:
      if (c != '\n') return bad("a chunk header must end in CRLF");
      size_line_ended();
      return {};
    case State::data_cr:
      if (c != '\r') return bad("chunk data must end in CRLF");
      state_ = State::data_lf;
      return {};
    case State::data_lf:
      if (c != '\n') return bad("chunk data must end in CRLF");
      state_ = State::size_first;
      return {};
    case State::trailer:
      if (++trailer_bytes_ > limits::http_trailers_bytes_max) return bad("trailers too large");
      if (c == '\r') {
        state_ = State::trailer_lf;
      } else if (c == '\n') {
        return bad("a trailer must end in CRLF");
      } else {
        trailer_ += c;
      }
      return {};
    case State::trailer_lf:
      if (c != '\n') return bad("a trailer must end in CRLF");
      return trailer_line();
    default:
      return extension_byte(c);
  }
}

/// chunk-ext = *( ";" token [ "=" ( token / quoted-string ) ] ), without spaces. Checked and
/// dropped.
Parsed<void> ChunkedDecoder::extension_byte(char c) {
  if (++extension_bytes_ > limits::http_chunk_extension_bytes_max) {
    return bad("chunk extensions too large");
  }
  bool may_end = state_ == State::extension_name || state_ == State::extension_value ||
                 state_ == State::extension_after_quote;
  if (may_end && (c == '\r' || c == ';')) {
    state_ = c == '\r' ? State::size_lf : State::extension_name_first;
    return {};
  }
  switch (state_) {
    case State::extension_name:
      if (c == '=') {
        state_ = State::extension_value_first;
        return {};
      }
      [[fallthrough]];
    case State::extension_name_first:
      if (!is_token_char(c)) break;
      state_ = State::extension_name;
      return {};
    case State::extension_value_first:
      if (c == '"') {
        state_ = State::extension_quoted;
        return {};
      }
      [[fallthrough]];
    case State::extension_value:
      if (!is_token_char(c)) break;
      state_ = State::extension_value;
      return {};
    case State::extension_quoted:
      if (!is_value_char(c)) break;
      if (c == '"') state_ = State::extension_after_quote;
      if (c == '\\') state_ = State::extension_quoted_pair;
      return {};
    case State::extension_quoted_pair:
      if (!is_value_char(c)) break;
      state_ = State::extension_quoted;
      return {};
    default:
      break;
  }
  return bad("invalid chunk extension");
}

/// Trailers are checked like headers and dropped; those that would change framing or routing are
/// refused.
Parsed<void> ChunkedDecoder::trailer_line() {
  if (trailer_.empty()) {
    state_ = State::done;
    return {};
  }
  Parsed<FieldLine> field = split_field(trailer_);
  if (!field) return std::unexpected(field.error());
  for (std::string_view forbidden :
       {"content-length", "transfer-encoding", "host", "connection", "authorization", "expect"}) {
    if (iequals(field->name, forbidden)) return bad("this header may not be a trailer");
  }
  trailer_.clear();
  state_ = State::trailer;
  return {};
}

}  // namespace wolke::net::http1
