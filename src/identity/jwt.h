#pragma once
// JSON Web Tokens as OpenID Connect providers sign them: taken apart, then verified against the
// issuer's published keys (a JSON Web Key Set). Nothing of a token counts before verify_jwt() said
// yes, but the issuer, which is only asked for its keys.
//
// The algorithm is chosen by the verifier: RS256, RS384, RS512, ES256, ES384, ES512, each with keys
// of its own type only. "none" and the symmetric ones do not exist here, so a public key can never
// stand as a shared secret. Header parameters that bring or point at keys (jwk, jku, x5u) are not
// read; `crit` refuses. Pure functions; threads: any. Sources: RFC 7515, 7517, 7518, 7519.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/base/time.h"
#include "wolke/shape/json.h"

namespace wolke::identity {

/// STS API Reference, AssumeRoleWithWebIdentity: WebIdentityToken has at most 20,000 characters.
inline constexpr std::size_t jwt_bytes_max = 20'000;

struct Jwt {
  std::string algorithm;
  std::string key_id;  // empty: the header names none
  std::string issuer;
  std::string subject;
  std::vector<std::string> audiences;
  std::string authorized_party;                  // azp
  std::vector<std::string> methods;              // amr
  std::map<std::string, std::string> tags;       // https://aws.amazon.com/tags, principal_tags
  std::vector<std::string> transitive_tag_keys;  // …, transitive_tag_keys
  std::string source_identity;                   // https://aws.amazon.com/source_identity
  Timestamp issued{};
  Timestamp expires{};
  std::optional<Timestamp> not_before;
  std::string signed_text;  // header.payload
  std::string signature;    // raw bytes
};

/// "InvalidIdentityToken" when it is no signed token, or lacks iss, sub, aud, exp or iat.
Result<Jwt> parse_jwt(std::string_view token);

/// One of the set's keys, fit for the token's algorithm and named by its kid where it names one,
/// made the signature. `keys` is the text of a JSON Web Key Set.
enum class JwtVerdict { verified, no_such_key, bad_signature };
JwtVerdict verify_jwt(const Jwt& jwt, std::string_view keys);

}  // namespace wolke::identity
