// The serialising half of http1.h.

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
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

}  // namespace wolke::net::http1
