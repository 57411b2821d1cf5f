#pragma once
// Frames: what the server and our own Node and Python runtimes say to each other over the sandbox's
// control socket.
//
//   0–3  payload length, unsigned, little-endian      4–7  type      8–11  id of the invocation 12–
//   payload
//
// An invoke frame's payload is the length of a JSON text (4 bytes), that text (request_id, arn,
// deadline_ms, trace, client_context), then the event's bytes as the caller sent them. All else is
// JSON. The function can write to this socket too, so nothing read from it is trusted: a frame that
// is no frame is an Error, code "MalformedFrame".

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wolke/base/result.h"

namespace wolke::runtime {

enum class FrameType : std::uint32_t {
  invoke = 1,       // server → runtime
  ready = 16,       // runtime → server: the handler is loaded
  init_error = 17,  // it cannot be loaded; the process ends
  result = 18,
  error = 19,  // the handler failed; the process lives on
  fatal = 20,  // the invocation failed and the process ends
};

inline constexpr std::size_t frame_header_bytes = 12;
/// A result of limits::invoke_response_bytes_max and Lambda's 100 bytes of grace, with room for an
/// error that quotes much of it. Larger is refused by its header alone.
inline constexpr std::size_t frame_payload_bytes_max = 7 * 1024 * 1024;

struct Frame {
  FrameType type;
  std::uint32_t id;
  std::string payload;
};

/// The 12 bytes before a payload of that many bytes.
std::string frame_header(FrameType type, std::uint32_t id, std::size_t payload_bytes);

/// Cuts frames out of a stream of bytes.
class FrameParser {
 public:
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  /// nullopt: more bytes are needed.
  Result<std::optional<Frame>> next();
  bool empty() const { return buffer_.empty(); }

 private:
  std::string buffer_;
};

}  // namespace wolke::runtime
