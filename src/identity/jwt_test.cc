#include "wolke/identity/jwt.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "wolke/base/hash.h"

namespace wolke::identity {
namespace {

std::string base64_url(std::string_view bytes) {
  std::string out = to_base64(bytes);
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  while (out.ends_with('=')) out.pop_back();
  return out;
}

std::string number(EVP_PKEY* key, const char* name, int bytes) {
  BIGNUM* value = nullptr;
  EVP_PKEY_get_bn_param(key, name, &value);
  std::string out(static_cast<std::size_t>(bytes == 0 ? BN_num_bytes(value) : bytes), '\0');
  BN_bn2binpad(value, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size()));
  BN_free(value);
  return base64_url(out);
}

/// An issuer with one key of each type.
class Issuer {
 public:
  Issuer() : rsa_(EVP_RSA_gen(2048)), ec_(EVP_EC_gen("P-256")) {}
  ~Issuer() {
    EVP_PKEY_free(rsa_);
    EVP_PKEY_free(ec_);
  }
  Issuer(const Issuer&) = delete;
  Issuer& operator=(const Issuer&) = delete;

  std::string rsa_jwk(const std::string& more = "") const {
    return R"({"kty":"RSA","kid":"r","n":")" + number(rsa_, OSSL_PKEY_PARAM_RSA_N, 0) +
           R"(","e":")" + number(rsa_, OSSL_PKEY_PARAM_RSA_E, 0) + "\"" + more + "}";
  }
  std::string ec_jwk() const {
    return R"({"kty":"EC","kid":"e","crv":"P-256","x":")" + number(ec_, "qx", 32) + R"(","y":")" +
           number(ec_, "qy", 32) + "\"}";
  }
  std::string keys() const { return R"({"keys":[)" + rsa_jwk() + "," + ec_jwk() + "]}"; }

  std::string token(const std::string& header, const std::string& payload) const {
    const std::string text = base64_url(header) + "." + base64_url(payload);
    return text + "." + base64_url(signature(text, header.find("\"ES256\"") != std::string::npos));
  }

 private:
  std::string signature(const std::string& text, bool with_ec) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    std::size_t size = 512;
    std::string out(size, '\0');
    EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, with_ec ? ec_ : rsa_);
    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size,
                   reinterpret_cast<const unsigned char*>(text.data()), text.size());
    EVP_MD_CTX_free(context);
    out.resize(size);
    if (!with_ec) return out;
    const auto* der = reinterpret_cast<const unsigned char*>(out.data());
    ECDSA_SIG* numbers = d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(out.size()));
    std::string raw(64, '\0');
    auto* bytes = reinterpret_cast<unsigned char*>(raw.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(numbers), bytes, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(numbers), bytes + 32, 32);
    ECDSA_SIG_free(numbers);
    return raw;
  }

  EVP_PKEY* rsa_;
  EVP_PKEY* ec_;
};

const std::string rs256 = R"({"alg":"RS256","kid":"r","typ":"JWT"})";
const std::string es256 = R"({"alg":"ES256","kid":"e"})";
const std::string claims =
    R"({"iss":"https://issuer.example/x","sub":"repo:a","aud":"sts","exp":2000000000,"iat":1700000000})";

JwtVerdict verdict(const std::string& token, const std::string& keys) {
  const Result<Jwt> jwt = parse_jwt(token);
  return jwt ? verify_jwt(*jwt, keys) : JwtVerdict::bad_signature;
}

TEST(Jwt, WhatTheIssuerSignedIsVerified) {
  const Issuer issuer;
  EXPECT_EQ(verdict(issuer.token(rs256, claims), issuer.keys()), JwtVerdict::verified);
  EXPECT_EQ(verdict(issuer.token(es256, claims), issuer.keys()), JwtVerdict::verified);
  EXPECT_EQ(verdict(issuer.token(R"({"alg":"RS256"})", claims), issuer.keys()),
            JwtVerdict::verified);
}

TEST(Jwt, AnotherIssuersKeyDoesNotVerify) {
  const Issuer issuer, other;
  EXPECT_EQ(verdict(issuer.token(rs256, claims), other.keys()), JwtVerdict::bad_signature);
  EXPECT_EQ(verdict(issuer.token(es256, claims), other.keys()), JwtVerdict::bad_signature);
}

TEST(Jwt, EveryChangedCharacterIsNoticed) {
  const Issuer issuer;
  for (const std::string& header : {rs256, es256}) {
    const std::string token = issuer.token(header, claims);
    for (std::size_t i = 0; i < token.size(); ++i) {
      std::string changed = token;
      changed[i] = changed[i] == 'A' ? 'B' : 'A';
      if (changed == token) continue;
      EXPECT_NE(verdict(changed, issuer.keys()), JwtVerdict::verified) << i;
    }
  }
}

TEST(Jwt, NoneAndSymmetricAlgorithmsDoNotExist) {
  const Issuer issuer;
  const std::string keys = issuer.keys();
  for (const char* algorithm : {"none", "None", "HS256", "HS512", "PS256", "EdDSA", ""}) {
    const std::string text =
        base64_url(R"({"alg":")" + std::string(algorithm) + "\"}") + "." + base64_url(claims);
    EXPECT_FALSE(parse_jwt(text + ".")) << algorithm;
    EXPECT_FALSE(parse_jwt(text + "." + base64_url("x"))) << algorithm;
    // A public key as the secret of an HMAC.
    EXPECT_FALSE(parse_jwt(text + "." + base64_url(hmac_sha256(keys, text)))) << algorithm;
  }
}

TEST(Jwt, AKeyOfAnotherTypeOrUseIsNotTried) {
  const Issuer issuer;
  const std::string token = issuer.token(rs256, claims);
  auto set = [](const std::string& key) { return R"({"keys":[)" + key + "]}"; };
  EXPECT_EQ(verdict(token, set(issuer.ec_jwk())), JwtVerdict::no_such_key);
  EXPECT_EQ(verdict(token, set(issuer.rsa_jwk(R"(,"use":"enc")"))), JwtVerdict::no_such_key);
  EXPECT_EQ(verdict(token, set(issuer.rsa_jwk(R"(,"alg":"RS512")"))), JwtVerdict::no_such_key);
  EXPECT_EQ(verdict(token, set(issuer.rsa_jwk(R"(,"use":"sig","alg":"RS256")"))),
            JwtVerdict::verified);
}

TEST(Jwt, TheKeyIdNamesTheKeyAndNothingElse) {
  const Issuer issuer;
  for (const char* id : {"../../etc/passwd", "R", "e", "' or 1=1"}) {
    const std::string header = R"({"alg":"RS256","kid":")" + std::string(id) + "\"}";
    EXPECT_EQ(verdict(issuer.token(header, claims), issuer.keys()), JwtVerdict::no_such_key) << id;
  }
  // A key that the token brings along counts for nothing.
  const Issuer other;
  const std::string header = R"({"alg":"RS256","kid":"r","jwk":)" + issuer.rsa_jwk() + "}";
  EXPECT_EQ(verdict(issuer.token(header, claims), other.keys()), JwtVerdict::bad_signature);
  EXPECT_FALSE(parse_jwt(issuer.token(R"({"alg":"RS256","crit":["b64"],"b64":false})", claims)));
}

TEST(Jwt, WeakAndBrokenKeysAreNotTried) {
  const Issuer issuer;
  const std::string token = issuer.token(R"({"alg":"RS256"})", claims);
  for (const char* key :
       {R"({"kty":"RSA","n":"AQAB","e":"AQAB"})", R"({"kty":"RSA","n":"","e":"AQAB"})",
        R"({"kty":"RSA"})", R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})", "7", "[]"}) {
    EXPECT_EQ(verdict(token, R"({"keys":[)" + std::string(key) + "]}"), JwtVerdict::no_such_key);
  }
  for (const char* keys : {"", "{}", "[]", R"({"keys":{}})", R"({"keys":null})"}) {
    EXPECT_EQ(verdict(token, keys), JwtVerdict::no_such_key);
  }
}

TEST(Jwt, EachOfTheClaimsThatCountIsRequired) {
  const Issuer issuer;
  const Result<shape::Json> whole = shape::parse_json(claims);
  ASSERT_TRUE(whole);
  for (const char* claim : {"iss", "sub", "aud", "exp", "iat"}) {
    shape::Json::Object rest;
    for (const auto& member : *whole->object()) {
      if (member.first != claim) rest.push_back(member);
    }
    const Result<Jwt> jwt = parse_jwt(issuer.token(rs256, shape::Json(rest).text()));
    ASSERT_FALSE(jwt) << claim;
    EXPECT_EQ(jwt.error().code, "InvalidIdentityToken");
    EXPECT_NE(jwt.error().message.find(claim), std::string::npos);
  }
}

TEST(Jwt, TagsAndSourceIdentityAreRead) {
  const Issuer issuer;
  std::string payload = claims;
  payload.pop_back();
  payload += R"(,"amr":["mfa","authenticated"],"azp":"app","https://aws.amazon.com/tags":{)"
             R"("principal_tags":{"team":["red"]},"transitive_tag_keys":["team"]},)"
             R"("https://aws.amazon.com/source_identity":"diego"})";
  const Result<Jwt> jwt = parse_jwt(issuer.token(rs256, payload));
  ASSERT_TRUE(jwt);
  EXPECT_EQ(jwt->tags.at("team"), "red");
  EXPECT_EQ(jwt->transitive_tag_keys, std::vector<std::string>{"team"});
  EXPECT_EQ(jwt->source_identity, "diego");
  EXPECT_EQ(jwt->methods, (std::vector<std::string>{"mfa", "authenticated"}));
  EXPECT_EQ(jwt->authorized_party, "app");
}

TEST(Jwt, WhatIsTooLongOrNoTokenIsRefused) {
  const Issuer issuer;
  std::string payload = claims;
  payload.pop_back();
  payload += R"(,"x":")" + std::string(jwt_bytes_max, 'x') + "\"}";
  EXPECT_FALSE(parse_jwt(issuer.token(rs256, payload)));
  for (const char* text : {"", ".", "..", "a.b.c", "a.b.c.d", "e30.e30.e30"}) {
    EXPECT_FALSE(parse_jwt(text)) << text;
  }
}

}  // namespace
}  // namespace wolke::identity
