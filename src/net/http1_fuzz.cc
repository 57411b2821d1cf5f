// Reads its input as a client's byte stream: heads and bodies one after the other, whole and byte
// by byte. Both ways must give the same messages, what is accepted must keep the codec's promises,
// and written again it must read the same.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/limits.h"
#include "wolke/net/http1.h"

namespace wolke::net::http1 {
namespace {

struct Message {
  RequestHead head;
  Framing framing;
  std::string body;
};

void check_promises(const RequestHead& head, const Framing& framing) {
  ASSERT(is_token(head.method) && !head.target.empty());
  ASSERT(head.target[0] == '/' || head.target == "*");
  for (char c : head.target) ASSERT(c > 0x20 && c < 0x7F);
  ASSERT(head.headers.size() <= limits::http_headers_count_max);
  std::size_t lengths = 0;
  std::size_t codings = 0;
  std::size_t hosts = 0;
  for (const auto& [name, value] : head.headers) {
    ASSERT(is_token(name) && is_field_value(value));
    ASSERT(std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
    lengths += name == "content-length";
    codings += name == "transfer-encoding";
    hosts += name == "host";
  }
  ASSERT(lengths + codings <= 1);
  ASSERT(hosts == 1 || (hosts == 0 && head.minor_version == 0));
  ASSERT((framing.body == BodyKind::chunked) == (codings == 1));
  ASSERT(framing.body != BodyKind::until_close);
}

void check_round_trip(const Message& message) {
  HeaderList headers;
  for (const auto& header : message.head.headers) {
    if (header.first == "host" || header.first == "x-a") headers.push_back(header);
  }
  if (find_header(headers, "host") == nullptr) headers.emplace_back("host", "x");
  std::string out;
  ASSERT(append_request_head(out, message.head.method, message.head.target, headers, 7));
  HeadScanner scanner;
  ASSERT(scanner.scan(out).value() == out.size());
  RequestHead again;
  Framing framing = parse_request_head(out, again).value();
  ASSERT(again.method == message.head.method && again.target == message.head.target);
  ASSERT(framing.body == BodyKind::length && framing.length == 7);
  headers.emplace_back("content-length", "7");
  ASSERT(again.headers == headers);
}

/// `step` bytes arrive at a time.
std::vector<Message> read_stream(std::string_view bytes, std::size_t step) {
  std::vector<Message> out;
  std::size_t begin = 0;
  while (begin < bytes.size()) {
    HeadScanner scanner;
    std::size_t head_bytes = 0;
    for (std::size_t end = begin; head_bytes == 0 && end < bytes.size();) {
      end = std::min(bytes.size(), end + step);
      Parsed<std::size_t> size = scanner.scan(bytes.substr(begin, end - begin));
      if (!size) return out;
      head_bytes = *size;
    }
    if (head_bytes == 0) return out;
    Message message;
    Parsed<Framing> framing = parse_request_head(bytes.substr(begin, head_bytes), message.head);
    if (!framing) return out;
    message.framing = *framing;
    begin += head_bytes;
    if (framing->body == BodyKind::length) {
      message.body = bytes.substr(begin, framing->length);
      begin += message.body.size();
    } else if (framing->body == BodyKind::chunked) {
      ChunkedDecoder decoder;
      while (!decoder.done() && begin < bytes.size()) {
        Parsed<ChunkedDecoder::Step> part = decoder.step(bytes.substr(begin, step), step);
        if (!part) return out;
        ASSERT(part->consumed > 0 && part->data.size() <= part->consumed);
        message.body += part->data;
        begin += part->consumed;
      }
    }
    out.push_back(std::move(message));
  }
  return out;
}

void read_responses(std::string_view bytes) {
  ResponseMessageHead head;
  HeadScanner scanner;
  Parsed<std::size_t> size = scanner.scan(bytes);
  if (!size || *size == 0) return;
  if (parse_response_head(bytes.substr(0, *size), "GET", head)) {
    ASSERT(head.status >= 100 && head.status <= 599);
  }
}

}  // namespace
}  // namespace wolke::net::http1

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wolke::net::http1;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::vector<Message> whole = read_stream(bytes, std::max<std::size_t>(size, 1));
  std::vector<Message> cut = read_stream(bytes, 1);
  ASSERT(whole.size() == cut.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    ASSERT(whole[i].head.headers == cut[i].head.headers && whole[i].body == cut[i].body);
    check_promises(whole[i].head, whole[i].framing);
    check_round_trip(whole[i]);
  }
  read_responses(bytes);
  return 0;
}
