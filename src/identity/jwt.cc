#include "wolke/identity/jwt.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"

namespace wolke::identity {
namespace {

using shape::Json;

constexpr std::size_t keys_max = 200;  // AWS: 100 of RSA and 100 of EC
constexpr int rsa_bits_min = 2048;
constexpr int rsa_bits_max = 8192;
constexpr int exponent_bits_max = 64;
constexpr std::string_view aws_claims = "https://aws.amazon.com/";

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

struct Algorithm {
  std::string_view name;
  std::string_view key_type;  // JWK's kty
  std::string_view curve;     // JWK's crv
  const char* group;          // OpenSSL's name of it
  const EVP_MD* (*digest)();
  std::size_t number_bytes;  // of r and of s
};

constexpr Algorithm algorithms[] = {
    {"RS256", "RSA", "", nullptr, EVP_sha256, 0},
    {"RS384", "RSA", "", nullptr, EVP_sha384, 0},
    {"RS512", "RSA", "", nullptr, EVP_sha512, 0},
    {"ES256", "EC", "P-256", "prime256v1", EVP_sha256, 32},
    {"ES384", "EC", "P-384", "secp384r1", EVP_sha384, 48},
    {"ES512", "EC", "P-521", "secp521r1", EVP_sha512, 66},
};

const Algorithm* find_algorithm(std::string_view name) {
  const auto* it = std::ranges::find(algorithms, name, &Algorithm::name);
  return it == std::end(algorithms) ? nullptr : it;
}

Error invalid_token(std::string text) {
  return {"InvalidIdentityToken", 400, std::move(text)};
}

/// Without padding, as RFC 7515 has it.
std::optional<std::string> from_base64_url(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  std::string plain(text);
  std::ranges::replace(plain, '-', '+');
  std::ranges::replace(plain, '_', '/');
  plain.append((4 - plain.size() % 4) % 4, '=');
  return from_base64(plain);
}

std::optional<Json> decode_object(std::string_view part) {
  const std::optional<std::string> text = from_base64_url(part);
  if (!text || !is_valid_utf8(*text)) return std::nullopt;
  Result<Json> json = shape::parse_json(*text);
  if (!json || json->object() == nullptr) return std::nullopt;
  return *std::move(json);
}

/// "x" or ["x", …]; other things are nothing.
std::vector<std::string> texts_of(const Json* json) {
  std::vector<std::string> out;
  if (json == nullptr) return out;
  if (json->string() != nullptr) out.push_back(*json->string());
  if (json->array() == nullptr) return out;
  for (const Json& item : *json->array()) {
    if (item.string() != nullptr) out.push_back(*item.string());
  }
  return out;
}

/// Seconds since 1970, which may have a fraction.
std::optional<Timestamp> time_of(const Json* json) {
  if (json == nullptr || json->number() == nullptr) return std::nullopt;
  const double seconds = std::strtod(json->number()->text.c_str(), nullptr);
  constexpr double year_9999 = 253'402'300'799.0;
  if (!std::isfinite(seconds) || seconds < 0 || seconds > year_9999) return std::nullopt;
  return from_millis(static_cast<std::int64_t>(seconds * 1000));
}

/// Each tag is a list of one value. Source: IAM User Guide, "Passing session tags".
Result<void> read_tags(const Json& payload, Jwt& out) {
  const Json* tags = payload.find(std::string(aws_claims) + "tags");
  if (tags == nullptr) return {};
  const Json* principal_tags = tags->find("principal_tags");
  if (principal_tags != nullptr) {
    if (principal_tags->object() == nullptr)
      return fail(invalid_token("principal_tags is not an object."));
    for (const auto& [key, value] : *principal_tags->object()) {
      const std::vector<std::string> values = texts_of(&value);
      if (values.size() != 1) return fail(invalid_token("A session tag has exactly one value."));
      out.tags[key] = values.front();
    }
  }
  out.transitive_tag_keys = texts_of(tags->find("transitive_tag_keys"));
  return {};
}

Result<void> read_claims(const Json& payload, Jwt& out) {
  out.issuer = payload.string_at("iss").value_or("");
  out.subject = payload.string_at("sub").value_or("");
  out.audiences = texts_of(payload.find("aud"));
  out.authorized_party = payload.string_at("azp").value_or("");
  out.methods = texts_of(payload.find("amr"));
  out.source_identity = payload.string_at(std::string(aws_claims) + "source_identity").value_or("");
  const std::optional<Timestamp> expires = time_of(payload.find("exp"));
  const std::optional<Timestamp> issued = time_of(payload.find("iat"));
  std::string_view missing;
  if (!issued) missing = "iat";
  if (!expires) missing = "exp";
  if (out.audiences.empty()) missing = "aud";
  if (out.subject.empty()) missing = "sub";
  if (out.issuer.empty()) missing = "iss";
  if (!missing.empty())
    return fail(invalid_token("Missing a required claim: " + std::string(missing)));
  out.expires = *expires;
  out.issued = *issued;
  if (payload.find("nbf") != nullptr) {
    out.not_before = time_of(payload.find("nbf"));
    if (!out.not_before) return fail(invalid_token("nbf is not a time."));
  }
  return read_tags(payload, out);
}

Number number_of(const Json& key, std::string_view member) {
  const std::optional<std::string> bytes = from_base64_url(key.string_at(member).value_or(""));
  if (!bytes || bytes->empty() || bytes->size() > rsa_bits_max / 8 + 1) return nullptr;
  return Number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes->data()),
                          static_cast<int>(bytes->size()), nullptr));
}

Key make_key(const char* type, OSSL_PARAM_BLD* builder) {
  const std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>> params(
      OSSL_PARAM_BLD_to_param(builder));
  const std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return Key(key);
}

using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;

Key rsa_key(const Json& json) {
  const Number modulus = number_of(json, "n");
  const Number exponent = number_of(json, "e");
  if (!modulus || !exponent || BN_num_bits(modulus.get()) < rsa_bits_min ||
      BN_num_bits(modulus.get()) > rsa_bits_max ||
      BN_num_bits(exponent.get()) > exponent_bits_max) {
    return nullptr;
  }
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return nullptr;
  }
  return make_key("RSA", builder.get());
}

/// OpenSSL refuses a point that is not on the curve.
Key ec_key(const Json& json, const Algorithm& algorithm) {
  const std::optional<std::string> x = from_base64_url(json.string_at("x").value_or(""));
  const std::optional<std::string> y = from_base64_url(json.string_at("y").value_or(""));
  if (json.string_at("crv") != algorithm.curve || !x || !y || x->size() != algorithm.number_bytes ||
      y->size() != algorithm.number_bytes) {
    return nullptr;
  }
  const std::string point = '\x04' + *x + *y;
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, algorithm.group,
                                      0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return make_key("EC", builder.get());
}

/// r and s, each of fixed length (RFC 7518, 3.4), as the DER that OpenSSL wants.
std::optional<std::string> der_of(std::string_view signature, const Algorithm& algorithm) {
  if (signature.size() != 2 * algorithm.number_bytes) return std::nullopt;
  const auto* bytes = reinterpret_cast<const unsigned char*>(signature.data());
  const int half = static_cast<int>(algorithm.number_bytes);
  const std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>> numbers(ECDSA_SIG_new());
  Number r(BN_bin2bn(bytes, half, nullptr));
  Number s(BN_bin2bn(bytes + half, half, nullptr));
  if (!numbers || !r || !s || ECDSA_SIG_set0(numbers.get(), r.get(), s.get()) != 1)
    return std::nullopt;
  static_cast<void>(r.release());  // they belong to `numbers` now
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(numbers.get(), &der);
  if (size <= 0) return std::nullopt;
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

bool made_signature(EVP_PKEY* key, const Algorithm& algorithm, const Jwt& jwt) {
  std::string signature = jwt.signature;
  if (algorithm.key_type == "EC") {
    const std::optional<std::string> der = der_of(jwt.signature, algorithm);
    if (!der) return false;
    signature = *der;
  }
  const std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  return context &&
         EVP_DigestVerifyInit(context.get(), nullptr, algorithm.digest(), nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(),
                          reinterpret_cast<const unsigned char*>(jwt.signed_text.data()),
                          jwt.signed_text.size()) == 1;
}

/// What the key says of itself must agree with what it is asked to do.
bool fits(const Json& key, const Algorithm& algorithm, const std::string& key_id) {
  if (key.string_at("kty") != algorithm.key_type) return false;
  if (key.find("use") != nullptr && key.string_at("use") != "sig") return false;
  if (key.find("alg") != nullptr && key.string_at("alg") != algorithm.name) return false;
  return key_id.empty() || key.string_at("kid") == key_id;
}

}  // namespace

Result<Jwt> parse_jwt(std::string_view token) {
  const auto no_jwt = [] {
    return fail(
        invalid_token("The ID Token provided is not a valid JWT. (You may see this error "
                      "if you sent an Access Token)"));
  };
  if (token.size() > jwt_bytes_max) return no_jwt();
  const std::vector<std::string_view> parts = split(token, '.');
  if (parts.size() != 3) return no_jwt();
  const std::optional<Json> header = decode_object(parts[0]);
  const std::optional<Json> payload = decode_object(parts[1]);
  std::optional<std::string> signature = from_base64_url(parts[2]);
  if (!header || !payload || !signature || signature->empty()) return no_jwt();
  Jwt out;
  out.algorithm = header->string_at("alg").value_or("");
  out.key_id = header->string_at("kid").value_or("");
  // A parameter that must be understood is one that is not understood here.
  if (find_algorithm(out.algorithm) == nullptr || header->find("crit") != nullptr) return no_jwt();
  TRY(read_claims(*payload, out));
  out.signed_text = token.substr(0, token.size() - parts[2].size() - 1);
  out.signature = *std::move(signature);
  return out;
}

JwtVerdict verify_jwt(const Jwt& jwt, std::string_view keys) {
  const Algorithm* algorithm = find_algorithm(jwt.algorithm);
  const Result<Json> set = shape::parse_json(keys);
  if (algorithm == nullptr || !set) return JwtVerdict::no_such_key;
  const Json* list = set->find("keys");
  if (list == nullptr || list->array() == nullptr) return JwtVerdict::no_such_key;
  bool tried = false;
  std::size_t looked_at = 0;
  for (const Json& json : *list->array()) {
    if (++looked_at > keys_max) break;
    if (!fits(json, *algorithm, jwt.key_id)) continue;
    const Key key = algorithm->key_type == "RSA" ? rsa_key(json) : ec_key(json, *algorithm);
    if (!key) continue;
    tried = true;
    if (made_signature(key.get(), *algorithm, jwt)) return JwtVerdict::verified;
  }
  return tried ? JwtVerdict::bad_signature : JwtVerdict::no_such_key;
}

}  // namespace wolke::identity
