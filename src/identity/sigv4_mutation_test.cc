// Valid requests, each with one thing changed: none may be accepted. Changes that mean the same
// request by definition (order of query parameters, case of hexadecimal digits, folding of spaces)
// are not made.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <random>

#include "wolke/base/hash.h"
#include "wolke/base/uri.h"
#include "wolke/identity/chunked.h"
#include "wolke/identity/mutants_for_test.h"
#include "wolke/identity/sign.h"

namespace wolke::identity {
namespace {

constexpr std::string_view secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view key_id = "AKIAEXAMPLE";
const Timestamp now = *parse_amz_date("20261123T095113Z");

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t bound) { return random_() % bound; }
  std::string text(std::size_t max) {
    std::string out(1 + below(max), ' ');
    for (char& c : out) c = static_cast<char>('a' + below(26));
    return out;
  }
  std::string bytes(std::size_t max) {
    std::string out(1 + below(max), ' ');
    for (char& c : out) c = static_cast<char>(1 + below(255));
    return out;
  }
  /// Another letter or digit, also without regard to case.
  char other(char c) {
    for (;;) {
      const char drawn = "bcdefghijkmnopqrstuvwxyz0123456789"[below(34)];
      if ((drawn | 32) != (c | 32)) return drawn;
    }
  }
  void replace_byte(std::string& text) {
    if (text.empty()) {
      text += 'x';
      return;
    }
    char& c = text[below(text.size())];
    c = other(c);
  }

 private:
  std::mt19937 random_;
};

struct Request {
  std::string service;
  std::string method;
  std::string path;
  std::string query;
  Headers headers;
  std::string body_sha256;

  std::string& header(std::string_view name) {
    return std::find_if(headers.begin(), headers.end(), [&](auto& h) { return h.first == name; })
        ->second;
  }
  bool has(std::string_view name) const {
    return std::any_of(headers.begin(), headers.end(), [&](auto& h) { return h.first == name; });
  }
};

Request make_request(Maker& make) {
  Request out;
  const char* const services[] = {"s3", "lambda", "sts"};
  out.service = services[make.below(3)];
  out.method = make.below(2) ? "GET" : "PUT";
  out.path = "/" + make.text(8) + "/" + percent_encode(make.bytes(12));
  if (make.below(2))
    out.query = make.text(5) + "=" + percent_encode(make.bytes(6)) + "&" + make.text(6) + "=";
  out.body_sha256 = to_hex(sha256(make.bytes(20)));
  RequestToSign unsigned_request{out.method, out.path, out.query, {{"host", make.text(9)}}};
  const bool presign = make.below(3) == 0;
  if (!presign) unsigned_request.headers.emplace_back("x-amz-meta-a", make.text(9));
  const Credentials credentials{std::string(key_id), std::string(secret),
                                make.below(2) ? make.text(30) : ""};
  const SigningScope scope{"eu-west-1", out.service};
  if (presign && out.service == "s3") {
    const std::string link = presign_url(unsigned_request, credentials, scope,
                                         std::chrono::seconds(60 + make.below(900)), now);
    out.query = link.substr(link.find('?') + 1);
  } else {
    sign_header(unsigned_request, credentials, scope, out.body_sha256, now);
  }
  out.headers = unsigned_request.headers;
  return out;
}

using Verifier = std::function<bool(const Request&)>;

bool accepted(const Request& request) {
  const RawRequest raw{request.method, request.path, request.query, &request.headers};
  const Dialect dialect = request.service == "s3" ? Dialect::s3 : Dialect::query;
  const auto parsed = parse_authorization(raw, dialect);
  if (!parsed || !*parsed) return false;
  if ((*parsed)->access_key_id != key_id) return false;  // the look-up of the secret
  const Expected expected{dialect, request.service, "", request.body_sha256};
  if (!verify(**parsed, secret, raw, expected, now)) return false;
  return check_payload(**parsed, request.body_sha256, dialect).has_value();
}

/// Changes one thing; the name says what, for the failure's message.
std::string mutate(Maker& make, Request& request) {
  const bool presigned = !request.has("authorization");
  switch (make.below(14)) {
    case 0:
      request.method = request.method == "GET" ? "HEAD" : "POST";
      return "method";
    case 1:
      make.replace_byte(request.path.insert(1, "a"));
      return "path byte";
    case 2:
      if (request.service != "s3") request.path += "x";
      request.path += "/";
      return "path end";
    case 3:
      make.replace_byte(request.query);
      return "query byte";
    case 4:
      request.query += (request.query.empty() ? "" : "&") + make.text(4) + "=1";
      return "query parameter added";
    case 5:
      make.replace_byte(request.header("host"));
      return "signed header byte";
    case 6:
      request.headers.emplace_back("x-amz-" + make.text(5), make.text(5));
      return "unsigned x-amz- header";
    case 7: {
      const auto copy = request.headers[make.below(request.headers.size())];
      request.headers.push_back(copy);
      return "repeated header " + copy.first;
    }
    case 8: {
      const std::size_t index = make.below(request.headers.size());
      const std::string name = request.headers[index].first;
      request.headers.erase(request.headers.begin() + static_cast<std::ptrdiff_t>(index));
      return "header removed: " + name;
    }
    case 9:
      if (presigned) {
        make.replace_byte(request.query);
      } else {
        make.replace_byte(request.header("authorization"));
      }
      return "credential, signed headers or signature byte";
    case 10:
      if (presigned) {
        request.headers.emplace_back("authorization",
                                     "AWS4-HMAC-SHA256 Credential=a/20261123/r/s3/aws4_request");
      } else {
        request.query += "&X-Amz-Signature=" + std::string(64, 'a');
      }
      return "two mechanisms";
    case 11:
      make.replace_byte(request.body_sha256);
      if (presigned) request.method = "DELETE";  // its body is not signed
      return "body";
    case 12: {
      std::string& text = presigned ? request.query : request.header("authorization");
      const std::size_t at = text.find("host");
      text.replace(at, 4, "via");
      return "host not signed";
    }
    default: {
      std::string& text = presigned ? request.query : request.header("authorization");
      const std::string from = presigned ? "eu-west-1%2F" : "eu-west-1/";
      text.replace(text.find(from), from.size(), presigned ? "us-east-1%2F" : "us-east-1/");
      return "region";
    }
  }
}

int accepted_mutants(unsigned seed, int count, const Verifier& verifier, std::string* example) {
  Maker make(seed);
  int out = 0;
  for (int i = 0; i < count; ++i) {
    Request request = make_request(make);
    EXPECT_TRUE(accepted(request)) << request.path << "?" << request.query;
    const std::string what = mutate(make, request);
    if (!verifier(request)) continue;
    ++out;
    if (example != nullptr) *example = what + ": " + request.path + "?" + request.query;
  }
  return out;
}

TEST(SigV4Mutation, NoRequestWithOneThingChangedIsAccepted) {
  std::string example;
  EXPECT_EQ(accepted_mutants(mutants_seed(1), mutants_to_try(), accepted, &example), 0) << example;
}

TEST(SigV4Mutation, AVerifierThatForgetsUnsignedHeadersIsCaught) {
  const Verifier lax = [](const Request& request) {
    const RawRequest raw{request.method, request.path, request.query, &request.headers};
    const auto parsed =
        parse_authorization(raw, request.service == "s3" ? Dialect::s3 : Dialect::query);
    if (!parsed || !*parsed) return false;
    const Authorization& claim = **parsed;
    const std::string_view hash =
        claim.payload_hash.empty() ? request.body_sha256 : claim.payload_hash;
    const auto canonical = canonical_request(raw, claim.signed_headers, hash, request.service);
    if (!canonical) return false;
    const std::string key = derive_signing_key(secret, claim.date, claim.region, claim.service);
    return to_hex(hmac_sha256(key, string_to_sign(claim.amz_date, claim.scope(), *canonical))) ==
           claim.signature;
  };
  EXPECT_GT(accepted_mutants(2, 2'000, lax, nullptr), 0);
}

std::string signed_body(Maker& make, ChunkedOptions& how) {
  how.payload = make.below(2) ? Payload::streaming_signed : Payload::streaming_signed_trailer;
  how.signing_key = derive_signing_key(secret, "20261123", "eu-west-1", "s3");
  how.seed_signature = std::string(64, 'e');
  how.amz_date = "20261123T095113Z";
  how.scope = "20261123/eu-west-1/s3/aws4_request";
  std::string out;
  std::string previous = how.seed_signature;
  const std::size_t chunks = make.below(4);
  for (std::size_t i = 0; i <= chunks; ++i) {
    const std::string data = i == chunks ? "" : make.bytes(300);
    how.decoded_bytes += data.size();
    previous = chunk_signature(how.signing_key, how.amz_date, how.scope, previous, data);
    char size[20];
    std::snprintf(size, sizeof size, "%zx", data.size());
    out += size + (";chunk-signature=" + previous) + "\r\n" + data;
    if (i < chunks || how.payload == Payload::streaming_signed) out += "\r\n";
  }
  if (how.payload == Payload::streaming_signed) return out;
  how.trailer_names = {"x-amz-checksum-crc32"};
  const std::string trailer = "x-amz-checksum-crc32:AAAAAA==";
  return out + trailer + "\r\nx-amz-trailer-signature:" +
         trailer_signature(how.signing_key, how.amz_date, how.scope, previous, trailer + "\n") +
         "\r\n\r\n";
}

bool decodes(const ChunkedOptions& how, const std::string& body) {
  ChunkedDecoder decoder(how);
  std::string out;
  return decoder.feed(body, out) && decoder.finish();
}

/// Chunk sizes without leading zeros and in small letters: another spelling is not another body.
std::string without_spelling(std::string body) {
  constexpr std::string_view after = ";chunk-signature=";
  for (std::size_t end = body.find(after); end != std::string::npos;) {
    std::size_t begin = end;
    while (begin > 0 && std::isxdigit(static_cast<unsigned char>(body[begin - 1]))) --begin;
    for (std::size_t i = begin; i < end; ++i) {
      body[i] = static_cast<char>(std::tolower(static_cast<unsigned char>(body[i])));
    }
    while (begin + 1 < end && body[begin] == '0') {
      body.erase(begin, 1);
      --end;
    }
    end = body.find(after, end + 1);
  }
  return body;
}

TEST(SigV4Mutation, NoStreamingBodyWithOneThingChangedIsAccepted) {
  Maker make(mutants_seed(3));
  for (int i = 0, tries = mutants_to_try(); i < tries; ++i) {
    ChunkedOptions how;
    const std::string body = signed_body(make, how);
    ASSERT_TRUE(decodes(how, body));
    std::string changed = body;
    ChunkedOptions changed_how = how;
    switch (make.below(6)) {
      case 0:
        changed.resize(make.below(changed.size()));
        break;
      case 1:
        changed.insert(make.below(changed.size() + 1), 1, make.other('\n'));
        break;
      case 2:
        changed_how.decoded_bytes += 1 + make.below(3);
        break;
      case 3:
        make.replace_byte(changed_how.seed_signature);
        break;
      case 4: {  // a chunk twice
        const std::size_t end = changed.find("\r\n") + 2;
        changed.insert(0, changed.substr(0, end));
        break;
      }
      default:
        make.replace_byte(changed);
        break;
    }
    if (!decodes(changed_how, changed)) continue;
    const bool same_parameters = changed_how.decoded_bytes == how.decoded_bytes &&
                                 changed_how.seed_signature == how.seed_signature;
    EXPECT_TRUE(same_parameters && without_spelling(changed) == without_spelling(body))
        << body << "\nbecame\n"
        << changed;
  }
}

}  // namespace
}  // namespace wolke::identity
