// Parses, canonicalises and verifies whatever comes, and feeds the rest to the streaming decoder.
// Oracle: nothing is ever accepted (the secret is not in the corpus), and a body decodes to the
// same bytes whole and in pieces. Its positive control runs first: the same check must accept a
// request and a link of either version that were signed with the secret. Input: method, path,
// query, then headers "name:value", one a line; an empty line; the body.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "wolke/base/text.h"
#include "wolke/base/uri.h"
#include "wolke/identity/chunked.h"
#include "wolke/identity/sign.h"
#include "wolke/identity/sigv2.h"
#include "wolke/identity/sigv4.h"

namespace {

using namespace wolke::identity;

std::string_view next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

struct Decoded {
  bool accepted = false;
  std::string bytes;
};

Decoded decode(Payload payload, std::string_view body, std::size_t piece) {
  ChunkedOptions options;
  options.payload = payload;
  options.decoded_bytes = body.size() % 97;
  options.check_signatures = false;
  if (payload != Payload::streaming_signed) options.trailer_names = {"x-amz-checksum-crc32"};
  ChunkedDecoder decoder(options);
  Decoded out;
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
    if (!decoder.feed(body.substr(0, piece), out.bytes)) return out;
  }
  out.accepted = decoder.finish().has_value();
  if (out.accepted && out.bytes.size() != options.decoded_bytes) std::abort();
  return out;
}

constexpr std::string_view secret = "a secret that no input knows";

bool accepts(const RawRequest& request, Dialect dialect) {
  const auto parsed = parse_authorization(request, dialect);
  if (!parsed || !*parsed) return false;
  // Version 2 has the end of the link where version 4 has its beginning.
  const auto before = std::chrono::seconds((*parsed)->version == SignatureVersion::v2 ? 1 : 0);
  const Expected expected{dialect, (*parsed)->service, "", empty_sha256};
  return verify(**parsed, secret, request, expected, (*parsed)->time - before).has_value();
}

void control() {
  const Credentials credentials{.access_key_id = "AKIAEXAMPLE", .secret = std::string(secret)};
  const SigningScope scope{.region = "us-east-1", .service = "s3"};
  const RequestToSign get{.method = "GET", .path = "/b/k", .headers = {{"host", "h"}}};
  const Headers host = get.headers;
  const std::string link = presign_url(get, credentials, scope, std::chrono::hours(1),
                                       wolke::from_millis(1'795'444'005'000));
  const std::size_t question = link.find('?');
  if (!accepts({"GET", "/b/k", std::string_view(link).substr(question + 1), &host}, Dialect::s3))
    std::abort();
  std::string query = "AWSAccessKeyId=AKIAEXAMPLE&Expires=1795444005&x-amz-meta-a=b&Signature=";
  const auto text = detail::sigv2_string_to_sign({"GET", "/b/k", query, &host}, "/b/k");
  if (!text) std::abort();
  query += wolke::percent_encode(detail::sigv2_signature(secret, *text));
  if (!accepts({"GET", "/b/k", query, &host}, Dialect::s3)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  [[maybe_unused]] static const bool controlled = (control(), true);
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  RawRequest request;
  request.method = next_line(rest);
  request.path = next_line(rest);
  request.query = next_line(rest);
  Headers headers;
  while (!rest.empty() && headers.size() < 50) {
    const std::string_view line = next_line(rest);
    if (line.empty()) break;
    const std::size_t colon = std::min(line.find(':'), line.size());
    headers.emplace_back(wolke::to_lower(line.substr(0, colon)),
                         std::string(line.substr(std::min(line.size(), colon + 1))));
  }
  request.headers = &headers;
  for (const Dialect dialect : {Dialect::s3, Dialect::query, Dialect::json, Dialect::rest_json}) {
    if (accepts(request, dialect)) std::abort();
  }
  for (const Payload payload : {Payload::streaming_signed, Payload::streaming_signed_trailer,
                                Payload::streaming_unsigned_trailer}) {
    const Decoded whole = decode(payload, rest, rest.size() + 1);
    const Decoded pieces = decode(payload, rest, 3);
    if (whole.accepted != pieces.accepted || (whole.accepted && whole.bytes != pieces.bytes))
      std::abort();
  }
  return 0;
}
