#include "wolke/shape/event_stream.h"

#include <cstdint>

#include "wolke/base/hash.h"

namespace wolke::shape {
namespace {

constexpr std::size_t prelude_bytes = 12;  // two lengths and their checksum
constexpr std::size_t checksum_bytes = 4;
constexpr char string_header = 7;  // the header's type

void append_number(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>((value >> shift) & 0xFF);
  }
}

void append_checksum(std::string& out) {
  out += digest(HashKind::crc32, out);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  append_number(out, name.size(), 1);
  out += name;
  out += string_header;
  append_number(out, value.size(), 2);
  out += value;
}

std::string message(std::string_view headers, std::string_view payload) {
  std::string out;
  append_number(out, prelude_bytes + headers.size() + payload.size() + checksum_bytes, 4);
  append_number(out, headers.size(), 4);
  append_checksum(out);
  out += headers;
  out += payload;
  append_checksum(out);
  return out;
}

}  // namespace

std::string event_message(std::string_view event_type, std::string_view content_type,
                          std::string_view payload) {
  std::string headers;
  append_header(headers, ":event-type", event_type);
  append_header(headers, ":content-type", content_type);
  append_header(headers, ":message-type", "event");
  return message(headers, payload);
}

std::string exception_message(std::string_view exception_type, std::string_view content_type,
                              std::string_view payload) {
  std::string headers;
  append_header(headers, ":exception-type", exception_type);
  append_header(headers, ":content-type", content_type);
  append_header(headers, ":message-type", "exception");
  return message(headers, payload);
}

}  // namespace wolke::shape
