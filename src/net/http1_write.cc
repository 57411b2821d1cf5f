// The serialising half of http1.h.

#include <algorithm>
#include <array>
#include <charconv>

#include "wolke/base/text.h"
#include "wolke/net/http1.h"

namespace wolke::net::http1 {
namespace {

void append_number(std::string& out, std::uint64_t value, int base = 10) {
  char digits[24];
  auto end = std::to_chars(digits, digits + sizeof digits, value, base).ptr;
  out.append(digits, end);
}

/// Headers that say how this connection carries the message; only we may write them.
bool belongs_to_connection(std::string_view name) {
  switch (name.size()) {
    case 4:
      return iequals(name, "date");
    case 7:
      return iequals(name, "upgrade") || iequals(name, "trailer");
    case 10:
      return iequals(name, "connection") || iequals(name, "keep-alive");
    case 14:
      return iequals(name, "content-length");
    case 16:
      return iequals(name, "proxy-connection");
    case 17:
      return iequals(name, "transfer-encoding");
    default:
      return false;
  }
}

bool append_fields(std::string& out, const HeaderList& headers) {
  for (const auto& [name, value] : headers) {
    if (!is_token(name) || !is_field_value(value)) return false;
    if (belongs_to_connection(name)) continue;
    out.append(name).append(": ").append(value).append("\r\n");
  }
  return true;
}

struct Reason {
  int status;
  std::string_view phrase;
};
/// Sorted by status.
constexpr auto reasons = std::to_array<Reason>({
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
});
static_assert(std::is_sorted(reasons.begin(), reasons.end(),
                             [](const Reason& a, const Reason& b) { return a.status < b.status; }));

}  // namespace

void append_chunk_size(std::string& out, std::size_t bytes) {
  append_number(out, bytes, 16);
  out += "\r\n";
}

bool append_response_head(std::string& out, const ResponseHead& head, const Framing& framing,
                          int minor_version, std::string_view date) {
  std::size_t before = out.size();
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(head.status));
  out.append(" ").append(reason_phrase(head.status)).append("\r\n");
  if (head.status < 100 || head.status > 599 || !append_fields(out, head.headers)) {
    out.resize(before);
    return false;
  }
  if (!date.empty()) out.append("Date: ").append(date).append("\r\n");
  if (status_has_body(head.status)) {
    if (framing.body == BodyKind::chunked) {
      out += "Transfer-Encoding: chunked\r\n";
    } else if (framing.body != BodyKind::until_close) {
      out += "Content-Length: ";
      append_number(out, framing.length);
      out += "\r\n";
    }
  }
  if (!framing.keep_alive) {
    out += "Connection: close\r\n";
  } else if (minor_version == 0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  return true;
}

bool append_request_head(std::string& out, std::string_view method, std::string_view target,
                         const HeaderList& headers, std::uint64_t body_bytes) {
  std::size_t before = out.size();
  if (!is_token(method) || target.empty() || !is_field_value(target) ||
      target.find_first_of(" \t") != std::string_view::npos) {
    return false;
  }
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
  if (!append_fields(out, headers)) {
    out.resize(before);
    return false;
  }
  if (body_bytes > 0 || (method != "GET" && method != "HEAD" && method != "DELETE")) {
    out += "Content-Length: ";
    append_number(out, body_bytes);
    out += "\r\n";
  }
  out += "\r\n";
  return true;
}

std::string_view reason_phrase(int status) {
  auto found = std::lower_bound(reasons.begin(), reasons.end(), status,
                                [](const Reason& r, int wanted) { return r.status < wanted; });
  return found != reasons.end() && found->status == status ? found->phrase : "Unknown";
}

}  // namespace wolke::net::http1
