#include "wolke/identity/sigv4.h"

#include <gtest/gtest.h>

#include "wolke/base/hash.h"
#include "wolke/identity/sign.h"
#include "wolke/identity/sigv4_errors.h"

namespace wolke::identity {
namespace {

// The key, dates and signatures of the S3 API Reference's worked examples.
constexpr std::string_view secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const Timestamp day = *parse_amz_date("20130524T000000Z");

Headers get_object_headers() {
  return {{"host", "examplebucket.s3.amazonaws.com"},
          {"range", "bytes=0-9"},
          {"x-amz-content-sha256", std::string(empty_sha256)},
          {"x-amz-date", "20130524T000000Z"},
          {"authorization",
           "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
           "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
           "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"}};
}

Result<Verified> authenticate(const RawRequest& request, const Expected& expected, Timestamp now) {
  TRY(auto parsed, parse_authorization(request, expected.dialect));
  if (!parsed) return fail(missing_authentication(expected.dialect));
  return verify(*parsed, secret, request, expected, now);
}

const Expected s3{.dialect = Dialect::s3, .service = "s3"};

std::string code_of(const Result<Verified>& result) {
  return result ? "" : result.error().code;
}

TEST(SigV4, AcceptsTheHeaderExampleOfTheS3Reference) {
  const Headers headers = get_object_headers();
  EXPECT_EQ(code_of(authenticate({"GET", "/test.txt", "", &headers}, s3, day)), "");
}

TEST(SigV4, AcceptsThePresignedExampleOfTheS3Reference) {
  const Headers headers = {{"host", "examplebucket.s3.amazonaws.com"}};
  const std::string query =
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-"
      "1%2Fs3%2F"
      "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-"
      "Signature="
      "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
  const RawRequest request{"GET", "/test.txt", query, &headers};
  EXPECT_EQ(code_of(authenticate(request, s3, day + std::chrono::hours(24))), "");
  const auto late =
      authenticate(request, s3, day + std::chrono::hours(24) + std::chrono::seconds(1));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, "AccessDenied");
  EXPECT_EQ(late.error().message, "Request has expired");
}

TEST(SigV4, TakesAnS3PathAsSent) {
  RequestToSign request{"GET", "/b//a%20b/../%C3%BC+=", "", {{"host", "h"}}};
  sign_header(request, {"AKIA", std::string(secret)}, {"eu-west-1", "s3"}, "UNSIGNED-PAYLOAD", day);
  EXPECT_EQ(code_of(authenticate({"GET", request.path, "", &request.headers}, s3, day)), "");
  EXPECT_EQ(code_of(authenticate({"GET", "/b/a%20b/../%C3%BC+=", "", &request.headers}, s3, day)),
            "SignatureDoesNotMatch");
}

TEST(SigV4, EncodesAndNormalisesThePathOfOtherServices) {
  const Headers headers = {{"host", "h"}};
  const auto canonical = canonical_request(
      {"GET", "/a//b/./c/../arn%3Aaws:x/", "z=1&a=%20&b", &headers}, {"host"}, "H", "lambda");
  EXPECT_EQ(canonical, "GET\n/a/b/arn%253Aaws%3Ax/\na=%20&b=&z=1\nhost:h\n\nhost\nH");
}

TEST(SigV4, KeepsATrailingSlashAndMakesNone) {
  const Headers headers = {{"host", "h"}};
  auto path = [&headers](std::string_view raw) {
    const auto canonical = canonical_request({"GET", raw, "", &headers}, {"host"}, "H", "lambda");
    return canonical->substr(4, canonical->find('\n', 4) - 4);
  };
  EXPECT_EQ(path("/a/b/"), "/a/b/");
  EXPECT_EQ(path("/a/b/."), "/a/b");
  EXPECT_EQ(path("/a/b/.."), "/a");
  EXPECT_EQ(path("/.."), "/");
  EXPECT_EQ(path("//"), "/");
}

TEST(SigV4, FoldsSpacesAndJoinsRepeatedHeaders) {
  const Headers headers = {{"host", "h"}, {"x-amz-meta-a", "  1   2 "}, {"x-amz-meta-a", "3"}};
  const auto canonical =
      canonical_request({"GET", "/", "", &headers}, {"host", "x-amz-meta-a"}, "H", "s3");
  EXPECT_EQ(canonical, "GET\n/\n\nhost:h\nx-amz-meta-a:1 2,3\n\nhost;x-amz-meta-a\nH");
}

TEST(SigV4, RefusesASignedHeaderThatIsNotThere) {
  Headers headers = get_object_headers();
  std::erase_if(headers, [](const auto& h) { return h.first == "range"; });
  EXPECT_EQ(code_of(authenticate({"GET", "/test.txt", "", &headers}, s3, day)),
            "SignatureDoesNotMatch");
}

TEST(SigV4, RefusesAnUnsignedAmzHeader) {
  Headers headers = get_object_headers();
  headers.emplace_back("x-amz-acl", "public-read");
  const auto result = authenticate({"GET", "/test.txt", "", &headers}, s3, day);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "AccessDenied");
  EXPECT_EQ(result.error().fields.at(0).second, "x-amz-acl");
}

TEST(SigV4, AllowsFifteenMinutesOfSkewAndNotASecondMore) {
  const Headers headers = get_object_headers();
  const RawRequest request{"GET", "/test.txt", "", &headers};
  for (int sign : {-1, 1}) {
    EXPECT_EQ(code_of(authenticate(request, s3, day + sign * std::chrono::minutes(15))), "");
    EXPECT_EQ(code_of(authenticate(request, s3, day + sign * std::chrono::seconds(901))),
              "RequestTimeTooSkewed");
  }
}

TEST(SigV4, SaysSignatureExpiredToAQueryService) {
  RequestToSign request{"POST", "/", "", {{"host", "h"}}};
  sign_header(request, {"AKIA", std::string(secret)}, {"us-east-1", "sts"}, empty_sha256, day);
  const Expected expected{.dialect = Dialect::query, .service = "sts", .body_sha256 = empty_sha256};
  const RawRequest raw{"POST", "/", "", &request.headers};
  EXPECT_EQ(code_of(authenticate(raw, expected, day)), "");
  const auto late = authenticate(raw, expected, day + std::chrono::minutes(16));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, "SignatureDoesNotMatch");
  EXPECT_EQ(late.error().message,
            "Signature expired: 20130524T000000Z is now earlier than 20130524T000100Z "
            "(20130524T001600Z - 15 min.)");
}

TEST(SigV4, ChecksServiceRegionAndTerminator) {
  const Headers headers = get_object_headers();
  const RawRequest request{"GET", "/test.txt", "", &headers};
  const auto service = authenticate(request, {.dialect = Dialect::s3, .service = "lambda"}, day);
  EXPECT_EQ(code_of(service), "AuthorizationHeaderMalformed");
  const auto region =
      authenticate(request, {.dialect = Dialect::s3, .service = "s3", .region = "eu-west-1"}, day);
  ASSERT_FALSE(region);
  EXPECT_EQ(region.error().message,
            "The authorization header is malformed; the region 'us-east-1' is wrong; expecting "
            "'eu-west-1'");
  Headers other = get_object_headers();
  other.back().second.replace(other.back().second.find("aws4_request"), 12, "aws5_request");
  EXPECT_EQ(code_of(authenticate({"GET", "/test.txt", "", &other}, s3, day)),
            "AuthorizationHeaderMalformed");
}

struct Form {
  const char* name;
  std::string header;
  std::string query;
  Dialect dialect;
  const char* code;
};

class SigV4Form : public testing::TestWithParam<Form> {};

TEST_P(SigV4Form, IsRefusedByName) {
  Headers headers = {{"host", "h"}, {"x-amz-date", "20130524T000000Z"}};
  if (!GetParam().header.empty()) headers.emplace_back("authorization", GetParam().header);
  const RawRequest request{"GET", "/", GetParam().query, &headers};
  const auto parsed = parse_authorization(request, GetParam().dialect);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, GetParam().code);
}

const std::string sig64(64, 'a');
const std::string good =
    "AWS4-HMAC-SHA256 Credential=A/20130524/r/s3/aws4_request, SignedHeaders=host, Signature=" +
    sig64;
const std::string presigned =
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A/20130524/r/s3/"
    "aws4_request&X-Amz-Date=20130524T000000Z"
    "&X-Amz-SignedHeaders=host&X-Amz-Signature=" +
    sig64 + "&X-Amz-Expires=";

INSTANTIATE_TEST_SUITE_P(
    Wrong, SigV4Form,
    testing::Values(
        Form{"SigV2", "AWS A:sig", "", Dialect::s3, "InvalidRequest"},
        Form{"SigV2QueryOfIam", "", "AWSAccessKeyId=A&Signature=x&Expires=1", Dialect::query,
             "IncompleteSignature"},
        Form{"SigV2WithoutExpires", "", "AWSAccessKeyId=A&Signature=x", Dialect::s3,
             "AccessDenied"},
        Form{"SigV2BadExpires", "", "AWSAccessKeyId=A&Signature=x&Expires=1h", Dialect::s3,
             "AccessDenied"},
        Form{"SigV2AndV4", "", "AWSAccessKeyId=A&Signature=x&Expires=1&X-Amz-Algorithm=y",
             Dialect::s3, "InvalidArgument"},
        Form{"SigV4A", "AWS4-ECDSA-P256-SHA256 Credential=A", "", Dialect::s3, "InvalidRequest"},
        Form{"Basic", "Basic YTpi", "", Dialect::query, "IncompleteSignature"},
        Form{"Both", good, presigned + "60", Dialect::s3, "InvalidArgument"},
        Form{"NoHash", good, "", Dialect::s3, "InvalidRequest"},
        Form{"ShortCredential",
             "AWS4-HMAC-SHA256 Credential=A/20130524/r/s3, SignedHeaders=host, Signature=" + sig64,
             "", Dialect::s3, "AuthorizationHeaderMalformed"},
        Form{"NoSignature",
             "AWS4-HMAC-SHA256 Credential=A/20130524/r/sts/aws4_request, SignedHeaders=host", "",
             Dialect::query, "IncompleteSignature"},
        Form{"RestJson", "AWS4-HMAC-SHA256 Nonsense", "", Dialect::rest_json,
             "IncompleteSignatureException"},
        Form{"TwoCredentials", good + ", Credential=B/20130524/r/s3/aws4_request", "", Dialect::s3,
             "AuthorizationHeaderMalformed"},
        Form{"UnsortedHeaders",
             "AWS4-HMAC-SHA256 Credential=A/20130524/r/s3/aws4_request, "
             "SignedHeaders=x-amz-date;host, Signature=" +
                 sig64,
             "", Dialect::s3, "AuthorizationHeaderMalformed"},
        Form{"ExpiresZero", "", presigned + "0", Dialect::s3, "AuthorizationQueryParametersError"},
        Form{"ExpiresNegative", "", presigned + "-1", Dialect::s3,
             "AuthorizationQueryParametersError"},
        Form{"ExpiresText", "", presigned + "1h", Dialect::s3, "AuthorizationQueryParametersError"},
        Form{"ExpiresTooLong", "", presigned + "604801", Dialect::s3,
             "AuthorizationQueryParametersError"},
        Form{"TwoSignatures", "", presigned + "60&X-Amz-Signature=" + sig64, Dialect::s3,
             "AuthorizationQueryParametersError"},
        Form{"OnlyAlgorithm", "", "X-Amz-Algorithm=AWS4-HMAC-SHA256", Dialect::s3,
             "AuthorizationQueryParametersError"},
        Form{"BadEscape", "", "a=%zz", Dialect::s3, "InvalidURI"}),
    [](const auto& info) { return info.param.name; });

TEST(SigV4, CallsARequestWithoutAuthenticationAnonymous) {
  const Headers headers = {{"host", "h"}};
  const auto parsed = parse_authorization({"GET", "/b/k", "versionId=1", &headers}, Dialect::s3);
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->has_value());
}

TEST(SigV4, ComparesTheBodyWithItsSignedHash) {
  Authorization authorization;
  authorization.payload = Payload::literal;
  authorization.payload_hash = empty_sha256;
  EXPECT_TRUE(check_payload(authorization, empty_sha256, Dialect::s3));
  const auto wrong = check_payload(authorization, to_hex(sha256("x")), Dialect::s3);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, "XAmzContentSHA256Mismatch");
}

TEST(SigV4, NamesAnUnknownKeyAsEachDialectDoes) {
  EXPECT_EQ(unknown_access_key(Dialect::s3, "AKIAX").code, "InvalidAccessKeyId");
  EXPECT_EQ(unknown_access_key(Dialect::query, "AKIAX").code, "InvalidClientTokenId");
  EXPECT_EQ(unknown_access_key(Dialect::json, "AKIAX").code, "UnrecognizedClientException");
}

}  // namespace
}  // namespace wolke::identity
