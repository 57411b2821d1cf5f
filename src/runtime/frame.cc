#include "wolke/runtime/frame.h"

#include <utility>

namespace wolke::runtime {
namespace {

void put_u32(std::string& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8)
    out.push_back(static_cast<char>((value >> shift) & 0xff));
}

std::uint32_t get_u32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return value;
}

std::optional<FrameType> runtime_frame_type(std::uint32_t value) {
  if (value < static_cast<std::uint32_t>(FrameType::ready)) return std::nullopt;
  if (value > static_cast<std::uint32_t>(FrameType::fatal)) return std::nullopt;
  return static_cast<FrameType>(value);
}

Error malformed(std::string what) {
  return {.code = "MalformedFrame", .status = 502, .message = std::move(what)};
}

}  // namespace

std::string frame_header(FrameType type, std::uint32_t id, std::size_t payload_bytes) {
  std::string header;
  put_u32(header, static_cast<std::uint32_t>(payload_bytes));
  put_u32(header, static_cast<std::uint32_t>(type));
  put_u32(header, id);
  return header;
}

Result<std::optional<Frame>> FrameParser::next() {
  if (buffer_.size() < frame_header_bytes) return std::optional<Frame>();
  std::size_t payload_bytes = get_u32(buffer_, 0);
  std::optional<FrameType> type = runtime_frame_type(get_u32(buffer_, 4));
  if (!type) return fail(malformed("unknown frame type"));
  if (payload_bytes > frame_payload_bytes_max) return fail(malformed("frame too large"));
  if (buffer_.size() < frame_header_bytes + payload_bytes) {
    buffer_.reserve(frame_header_bytes + payload_bytes);
    return std::optional<Frame>();
  }
  Frame frame{*type, get_u32(buffer_, 8), buffer_.substr(frame_header_bytes, payload_bytes)};
  buffer_.erase(0, frame_header_bytes + payload_bytes);
  return std::optional<Frame>(std::move(frame));
}

}  // namespace wolke::runtime
