// Forms signed by a real client, and what is changed in them.

#include "wolke/identity/form.h"

#include <gtest/gtest.h>

namespace wolke::identity {
namespace {

constexpr std::string_view secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const Timestamp years_later = *parse_iso8601("2036-11-23T17:22:04Z");

const Headers version4 = {
    {"key", "k"},
    {"x-amz-algorithm", "AWS4-HMAC-SHA256"},
    {"x-amz-credential", "AKIAEXAMPLE/20261123/eu-central-1/s3/aws4_request"},
    {"x-amz-date", "20261123T172204Z"},
    {"policy",
     "eyJleHBpcmF0aW9uIjogIjIwMjYtMTEtMjNUMTg6MjI6MDRaIiwgImNvbmRpdGlvbnMiOiBbeyJidWNrZXQiOiAicGhv"
     "dG9zIn0sIHsia2V5IjogImsifSwgeyJ4LWFtei1hbGdvcml0aG0iOiAiQVdTNC1ITUFDLVNIQTI1NiJ9LCB7IngtYW16"
     "LWNyZWRlbnRpYWwiOiAiQUtJQUVYQU1QTEUvMjAyNjExMjMvZXUtY2VudHJhbC0xL3MzL2F3czRfcmVxdWVzdCJ9LCB7"
     "IngtYW16LWRhdGUiOiAiMjAyNjExMjNUMTcyMjA0WiJ9XX0="},
    {"x-amz-signature", "70351216867fed10b7a3ced05db39bb37e6208b3af47bf1296d4b2eb4758cd34"}};
const Headers version2 = {
    {"key", "k"},
    {"awsaccesskeyid", "AKIAEXAMPLE"},
    {"policy",
     "eyJleHBpcmF0aW9uIjogIjIwMjYtMTEtMjNUMTg6MjI6MDRaIiwgImNvbmRpdGlvbnMiOiBbeyJidWNrZXQiOiAicGhv"
     "dG9zIn0sIHsia2V5IjogImsifV19"},
    {"signature", "19vKmi8uAAdV7AYFPgoNIBXSUBU="}};

Headers changed(Headers fields, std::string_view name, std::string value) {
  for (auto& [field, old] : fields) {
    if (field == name) old = std::move(value);
  }
  return fields;
}

Headers without(Headers fields, std::string_view name) {
  std::erase_if(fields, [&](const auto& field) { return field.first == name; });
  return fields;
}

/// "" or the code of the error.
std::string outcome(const Headers& fields, const Headers& headers = {{"host", "localhost"}},
                    std::string_view query = "") {
  const RawRequest raw{"POST", "/photos", query, &headers, &fields};
  const auto parsed = parse_authorization(raw, Dialect::s3);
  if (!parsed) return parsed.error().code;
  if (!*parsed) return "anonymous";
  EXPECT_EQ((*parsed)->access_key_id, "AKIAEXAMPLE");
  EXPECT_EQ((*parsed)->carrier, Carrier::form);
  const auto verified =
      verify(**parsed, secret, raw, {.dialect = Dialect::s3, .service = "s3"}, years_later);
  return verified ? "" : verified.error().code;
}

TEST(Form, AcceptsThoseOfARealClientHoweverOld) {
  EXPECT_EQ(outcome(version4), "");
  EXPECT_EQ(outcome(version2), "");
}

TEST(Form, RefusesAnotherDocumentOrSignature) {
  EXPECT_EQ(outcome(changed(version4, "policy", "e30=")), "SignatureDoesNotMatch");
  EXPECT_EQ(outcome(changed(version2, "policy", "e30=")), "SignatureDoesNotMatch");
  EXPECT_EQ(outcome(changed(version4, "policy", "")), "SignatureDoesNotMatch");
  EXPECT_EQ(outcome(changed(version4, "x-amz-signature", "")), "SignatureDoesNotMatch");
  EXPECT_EQ(outcome(changed(version2, "signature", "")), "SignatureDoesNotMatch");
}

TEST(Form, RefusesAnotherScope) {
  auto scope = [](const char* text) {
    return outcome(changed(version4, "x-amz-credential", std::string("AKIAEXAMPLE/") + text));
  };
  EXPECT_EQ(scope("20261123/us-east-1/s3/aws4_request"), "SignatureDoesNotMatch");
  EXPECT_EQ(scope("20261124/eu-central-1/s3/aws4_request"), "AuthorizationQueryParametersError");
  EXPECT_EQ(scope("20261123/eu-central-1/iam/aws4_request"), "AuthorizationQueryParametersError");
  EXPECT_EQ(scope("20261123/eu-central-1/s3/aws3_request"), "AuthorizationQueryParametersError");
  EXPECT_EQ(scope("20261123/eu-central-1/s3"), "AuthorizationQueryParametersError");
  EXPECT_EQ(outcome(changed(version4, "x-amz-date", "today")), "AuthorizationQueryParametersError");
  EXPECT_EQ(outcome(changed(version4, "x-amz-algorithm", "AWS4-HMAC-SHA1")),
            "AuthorizationQueryParametersError");
}

TEST(Form, WantsAClaimWholeOrNotAtAll) {
  for (const char* name :
       {"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "policy"}) {
    EXPECT_EQ(outcome(without(version4, name)), "InvalidArgument") << name;
  }
  for (const char* name : {"awsaccesskeyid", "signature", "policy"})
    EXPECT_EQ(outcome(without(version2, name)), "InvalidArgument") << name;
  EXPECT_EQ(outcome({{"key", "k"}, {"policy", "e30="}}), "anonymous");
}

TEST(Form, RefusesASecondClaim) {
  Headers both = version4;
  both.insert(both.end(), version2.begin(), version2.end());
  EXPECT_NE(outcome(both), "");
  EXPECT_NE(outcome(version4, {{"host", "h"}, {"authorization", "AWS4-HMAC-SHA256 x"}}), "");
  EXPECT_NE(outcome(version4, {{"host", "h"}}, "X-Amz-Signature=0"), "");
  EXPECT_NE(outcome({}, {{"host", "h"}}, "AWSAccessKeyId=A&Signature=x&Expires=1"), "anonymous");
}

}  // namespace
}  // namespace wolke::identity
