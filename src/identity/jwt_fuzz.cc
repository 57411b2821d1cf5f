// Any bytes as a JSON Web Token, verified against an issuer's fixed keys. Oracle: what verifies is
// what the issuer signed, the corpus' rs256 and es256; the private keys exist no more.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wolke/identity/jwt.h"

namespace {

using namespace wolke::identity;

constexpr std::string_view keys =
    R"({"keys":[{"kty":"RSA","kid":"r","n":"vb_hdUkUKRNlE5mbrPE1DzLtrJw_CwgWzCgAnub2bRyVJv-)"
    R"(kmzlME120F6zNXvQj3tmocHtwXJHyQuYCoPMq5zKQ3lsFDO5vAKHPmsan6WMIQS9B-7xo79CVluPFYN7h0pa)"
    R"(Lp7wGbVND6gs7xvmZtPsfkG1Ipl35-CxlqHSehQhjz2ZiGO7poOJKCHptpetH1jxElC2EaYJKu1csCgE6qEC)"
    R"(EO8RscJav6LIwBhW28NUOmp-FneMXAPhzD52bwbYQSqXKKMdv2yL6iKHGkMstvKCvYN9YtzS6Y_IWyBCGavC)"
    R"(pfyEv8tn8AwExsnAfaBuTBhx34FZI1zZGhGLAJ78lWw","e":"AQAB"},{"kty":"EC","kid":"e","crv")"
    R"(:"P-256","x":"bGRPgvj1SqDUuu4AF-6p5c0ml3LHomQHa1hW6F493J8","y":"y3gP9WJdxr7CKdZNnku4)"
    R"(4XnlCaINONn9xgwWsC8-fqo"}]})";

constexpr std::string_view signed_by_rsa =
    R"(eyJhbGciOiJSUzI1NiIsImtpZCI6InIifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViI)"
    R"(joicmVwbzphIiwiYXVkIjoic3RzLmFtYXpvbmF3cy5jb20iLCJleHAiOjE4MDAwMDAwMDAsImlhdCI6MTc5M)"
    R"(DAwMDAwMH0)";
constexpr std::string_view signed_by_ec =
    R"(eyJhbGciOiJFUzI1NiIsImtpZCI6ImUifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViI)"
    R"(joicmVwbzphIiwiYXVkIjoic3RzLmFtYXpvbmF3cy5jb20iLCJleHAiOjE4MDAwMDAwMDAsImlhdCI6MTc5M)"
    R"(DAwMDAwMH0)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto token = parse_jwt(text);
  if (!token) {
    if (token.error().code != "InvalidIdentityToken") std::abort();
    return 0;
  }
  if (text.size() > jwt_bytes_max || token->issuer.empty() || token->audiences.empty())
    std::abort();
  const bool genuine = token->signed_text == signed_by_rsa || token->signed_text == signed_by_ec;
  if (verify_jwt(*token, keys) == JwtVerdict::verified && !genuine) std::abort();
  // As keys the bytes are read, too, and never fit.
  if (verify_jwt(*token, text) == JwtVerdict::verified) std::abort();
  return 0;
}
