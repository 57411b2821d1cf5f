// Links of Signature Version 2. The first group is signed by a real client; the mutations are
// signed by the few lines here, which know nothing of the verifier.

#include "wolke/identity/sigv2.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <functional>
#include <random>
#include <set>

#include "wolke/base/hash.h"
#include "wolke/identity/mutants_for_test.h"

namespace wolke::identity {
namespace {

constexpr std::string_view secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::int64_t expires_at = 1'795'438'279;
const Timestamp before = from_millis((expires_at - 60) * 1000);

struct Link {
  std::string method = "GET";
  std::string host = "localhost:4566";
  std::string path = "/";
  std::string query;
  Headers more = {};
  Timestamp now = before;
};

/// "" or the code of the error.
std::string outcome(const Link& link) {
  Headers headers = {{"host", link.host}};
  headers.insert(headers.end(), link.more.begin(), link.more.end());
  const RawRequest raw{link.method, link.path, link.query, &headers};
  const auto parsed = parse_authorization(raw, Dialect::s3);
  if (!parsed) return parsed.error().code;
  if (!*parsed) return "anonymous";
  if ((*parsed)->access_key_id != "AKIAEXAMPLE") return "InvalidAccessKeyId";
  const auto verified =
      verify(**parsed, secret, raw, {.dialect = Dialect::s3, .service = "s3"}, link.now);
  return verified ? "" : verified.error().code;
}

const std::string end = "&Expires=1795438279";
const std::string get_query =
    "response-content-disposition=attachment%3B%20filename%3D%22a%26b.txt%22&versionId=x"
    "&AWSAccessKeyId=AKIAEXAMPLE&Signature=dsa9xu2SS1kCvgXadfenCcGANj0%3D" +
    end;
const std::string put_query =
    "AWSAccessKeyId=AKIAEXAMPLE&Signature=yjdeMS5TWljulftkTC99JDZSGN0%3D&content-type=image%2Fpng"
    "&x-amz-meta-a=b" +
    end;

TEST(SigV2, AcceptsLinksOfARealClient) {
  EXPECT_EQ(outcome({.path = "/photos/a%20b/%C3%A9", .query = get_query}), "");
  EXPECT_EQ(outcome({.method = "PUT", .path = "/photos/k", .query = put_query}), "");
  EXPECT_EQ(outcome({.path = "/photos",
                     .query = "list-type=2&prefix=a%2F&encoding-type=url&AWSAccessKeyId=AKIAEXAMPLE"
                              "&Signature=swzXYdeUJPYh8Go2tHxUpy5w5r0%3D" +
                              end}),
            "");
  EXPECT_EQ(
      outcome(
          {.query = "AWSAccessKeyId=AKIAEXAMPLE&Signature=u9SbPBE5AJDhmKqlEJO7n%2BtnLco%3D" + end}),
      "");
}

TEST(SigV2, PutsTheBucketOfAVirtualHostInFrontOfThePath) {
  const std::string query =
      "AWSAccessKeyId=AKIAEXAMPLE&Signature=3YNn8P2DjV7RcTa7BYEBk42xdjA%3D&content-type=image%2Fpng"
      "&x-amz-meta-a=b&x-amz-security-token=tok%2Fen%2B%3D" +
      end;
  EXPECT_EQ(outcome({"PUT", "photos.localhost:4566", "/k", query}), "");
  EXPECT_EQ(outcome({"PUT", "photos.s3.amazonaws.com", "/k", query}), "");
  EXPECT_EQ(outcome({"PUT", "other.localhost:4566", "/k", query}), "SignatureDoesNotMatch");
  EXPECT_EQ(outcome({"PUT", "other.localhost:4566", "/photos/k", query}), "SignatureDoesNotMatch");
  EXPECT_EQ(outcome({"GET", "photos.localhost:4566", "/",
                     "list-type=2&prefix=a%2F&encoding-type=url&AWSAccessKeyId=AKIAEXAMPLE"
                     "&Signature=ot0pDrBg6qXdrlMPojUKnYiNAik%3D"
                     "&x-amz-security-token=tok%2Fen%2B%3D" +
                         end}),
            "");
}

TEST(SigV2, GivesTheTokenOfASession) {
  const Headers headers = {{"host", "h"}};
  const std::string query = "AWSAccessKeyId=A&Signature=x&Expires=1&x-amz-security-token=a%2Bb";
  const auto parsed = parse_authorization({"GET", "/b/k", query, &headers}, Dialect::s3);
  ASSERT_TRUE(parsed && *parsed);
  EXPECT_EQ((*parsed)->security_token, "a+b");
  EXPECT_EQ((*parsed)->payload, Payload::unsigned_payload);
  EXPECT_EQ((*parsed)->carrier, Carrier::query);
}

TEST(SigV2, RefusesALinkAfterItsEnd) {
  Link link{.path = "/photos/a%20b/%C3%A9", .query = get_query};
  link.now = from_millis(expires_at * 1000);
  EXPECT_EQ(outcome(link), "");
  link.now = from_millis(expires_at * 1000 + 1);
  EXPECT_EQ(outcome(link), "AccessDenied");
}

TEST(SigV2, TakesTheHeaderWhenTheLinkNamesOneToo) {
  Link link{.method = "PUT", .path = "/photos/k", .query = put_query};
  link.more = {{"content-type", "image/png"}, {"x-amz-meta-a", "b"}};
  EXPECT_EQ(outcome(link), "");
  link.more = {{"content-type", "text/html"}};
  EXPECT_EQ(outcome(link), "SignatureDoesNotMatch");
  link.more = {{"x-amz-meta-a", "c"}};
  EXPECT_EQ(outcome(link), "SignatureDoesNotMatch");
}

TEST(SigV2, IsForLinksOfS3Only) {
  const Headers headers = {{"host", "h"}};
  const RawRequest raw{"GET", "/", "AWSAccessKeyId=A&Signature=x&Expires=1", &headers};
  for (const Dialect dialect : {Dialect::query, Dialect::json, Dialect::rest_json}) {
    EXPECT_FALSE(parse_authorization(raw, dialect));
  }
}

// Mutations.

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t bound) { return random_() % bound; }
  std::string text(std::size_t max) {
    std::string out(1 + below(max), ' ');
    for (char& c : out) c = static_cast<char>('a' + below(26));
    return out;
  }
  std::string other_than(const std::string& text) {
    std::string out = text;
    char& c = out[below(out.size())];
    c = c == 'q' ? 'z' : 'q';
    return out;
  }

 private:
  std::mt19937 random_;
};

/// A valid link in its parts, all of which are signed.
struct Parts {
  std::string method = "PUT";
  std::string bucket;
  std::string key;
  bool virtual_host = false;
  std::string expires = std::to_string(expires_at);
  std::string access_key_id = "AKIAEXAMPLE";
  std::string content_type;
  std::string meta;
  std::string version;
  std::string language;
  std::string signature;
  std::string extra;  // query
  Headers more;

  void sign() {
    std::string text = method + "\n\n" + content_type + "\n" + expires + "\n";
    if (!meta.empty()) text += "x-amz-meta-a:" + meta + "\n";
    text += "/" + bucket + "/" + key;
    text += "?response-content-language=" + language + "&versionId=" + version;
    unsigned char mac[20];
    unsigned size = 0;
    ::HMAC(::EVP_sha1(), secret.data(), static_cast<int>(secret.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
    signature = to_base64({reinterpret_cast<const char*>(mac), size});
    for (std::size_t at = 0; (at = signature.find_first_of("+/=", at)) != std::string::npos;) {
      const char c = signature[at];
      signature.replace(at, 1, c == '+' ? "%2B" : c == '/' ? "%2F" : "%3D");
    }
  }
  Link link() const {
    Link out;
    out.method = method;
    out.host = virtual_host ? bucket + ".s3.amazonaws.com" : "s3.amazonaws.com";
    out.path = (virtual_host ? "/" : "/" + bucket + "/") + key;
    out.query = "versionId=" + version + "&response-content-language=" + language +
                "&AWSAccessKeyId=" + access_key_id + "&Expires=" + expires +
                "&Signature=" + signature;
    if (!content_type.empty()) out.query += "&content-type=" + content_type;
    if (!meta.empty()) out.query += "&x-amz-meta-a=" + meta;
    out.query += extra;
    out.more = more;
    return out;
  }
};

Parts make_parts(Maker& make) {
  Parts out;
  out.method = make.below(2) ? "GET" : "PUT";
  out.bucket = make.text(9);
  out.key = make.text(9);
  out.virtual_host = make.below(2);
  if (make.below(2)) out.content_type = make.text(6);
  if (make.below(2)) out.meta = make.text(6);
  out.version = make.text(6);
  out.language = make.text(2);
  out.sign();
  return out;
}

Link mutate(Maker& make, Parts parts, std::string& what) {
  const std::pair<const char*, std::function<void(Parts&)>> changes[] = {
      {"method", [&](Parts& p) { p.method = p.method == "GET" ? "HEAD" : "DELETE"; }},
      {"bucket", [&](Parts& p) { p.bucket = make.other_than(p.bucket); }},
      {"key", [&](Parts& p) { p.key = make.other_than(p.key); }},
      {"key's end", [&](Parts& p) { p.key += "/"; }},
      {"expires", [&](Parts& p) { p.expires = std::to_string(expires_at + 1); }},
      {"expires in another form", [&](Parts& p) { p.expires.insert(0, "0"); }},
      {"key id", [&](Parts& p) { p.access_key_id += "X"; }},
      {"signature", [&](Parts& p) { p.signature = make.other_than(p.signature.substr(0, 5)); }},
      {"signature cut", [&](Parts& p) { p.signature.resize(10); }},
      {"no signature", [&](Parts& p) { p.signature.clear(); }},
      {"content type", [&](Parts& p) { p.content_type += "x"; }},
      {"content type header", [&](Parts& p) { p.more.emplace_back("content-type", "x-y"); }},
      {"content md5 header", [&](Parts& p) { p.more.emplace_back("content-md5", "AAAA"); }},
      {"x-amz header", [&](Parts& p) { p.more.emplace_back("x-amz-acl", "public-read"); }},
      {"x-amz parameter", [&](Parts& p) { p.extra = "&x-amz-acl=public-read"; }},
      {"copy source", [&](Parts& p) { p.more.emplace_back("x-amz-copy-source", "/a/b"); }},
      {"token", [&](Parts& p) { p.extra = "&x-amz-security-token=t"; }},
      {"meta", [&](Parts& p) { p.meta += "x"; }},
      {"meta twice", [&](Parts& p) { p.extra = "&x-amz-meta-a=" + make.text(3); }},
      {"version", [&](Parts& p) { p.version = make.other_than(p.version); }},
      {"version gone", [&](Parts& p) { p.version.clear(); }},
      {"language", [&](Parts& p) { p.language += "x"; }},
      {"sub-resource", [&](Parts& p) { p.extra = "&acl"; }},
      {"sub-resource that is never signed", [&](Parts& p) { p.extra = "&retention"; }},
      {"parameter nobody knows", [&](Parts& p) { p.extra = "&" + make.text(4) + "=1"; }},
      {"expires twice", [&](Parts& p) { p.extra = "&Expires=1995438279"; }},
      {"key id twice", [&](Parts& p) { p.extra = "&AWSAccessKeyId=AKIAEXAMPLE"; }},
      {"header too", [&](Parts& p) { p.more.emplace_back("authorization", "AWS a:b"); }},
      {"version 4 too", [&](Parts& p) { p.extra = "&X-Amz-Algorithm=AWS4-HMAC-SHA256"; }},
      {"control character", [&](Parts& p) { p.meta += "%0Ax-amz-acl:private"; }},
      {"two parameters as one",
       [&](Parts& p) {
         p.language += "%26versionId%3D" + p.version;
         p.version.clear();
       }},
  };
  const auto& [name, change] = changes[make.below(std::size(changes))];
  what = name;
  change(parts);
  Link out = parts.link();
  // An empty versionId would still be there.
  if (parts.version.empty()) out.query.erase(0, out.query.find('&') + 1);
  return out;
}

/// What was changed in the links that `verifier` takes nevertheless.
std::set<std::string> accepted_mutants(unsigned seed, int count,
                                       const std::function<std::string(const Link&)>& verifier) {
  Maker make(seed);
  std::set<std::string> out;
  for (int i = 0; i < count; ++i) {
    const Parts parts = make_parts(make);
    EXPECT_EQ(outcome(parts.link()), "") << parts.link().query;
    std::string what;
    const std::string code = verifier(mutate(make, parts, what));
    if (code.empty() || code == "anonymous") out.insert(what);
  }
  return out;
}

TEST(SigV2Mutation, NoLinkWithOneThingChangedIsAccepted) {
  EXPECT_EQ(accepted_mutants(mutants_seed(4), mutants_to_try(), outcome), std::set<std::string>());
}

TEST(SigV2Mutation, AVerifierThatForgetsHeadersIsCaught) {
  const auto forgets = [](Link link) {
    link.more.clear();
    return outcome(link);
  };
  const std::set<std::string> found = {"content type header", "content md5 header", "copy source",
                                       "header too", "x-amz header"};
  EXPECT_EQ(accepted_mutants(6, 2'000, forgets), found);
}

TEST(SigV2Mutation, AVerifierThatForgetsParametersIsCaught) {
  const auto forgets = [](Link link) {
    for (const char* name : {"&x-amz-acl=", "&acl", "&retention"}) {
      const std::size_t at = link.query.find(name);
      if (at != std::string::npos) link.query.resize(at);
    }
    return outcome(link);
  };
  const std::set<std::string> found = {"x-amz parameter", "sub-resource",
                                       "sub-resource that is never signed"};
  EXPECT_EQ(accepted_mutants(7, 2'000, forgets), found);
}

TEST(SigV2Mutation, OptionsOfListingsAreNotPartOfTheSignature) {
  Maker make(5);
  Parts parts = make_parts(make);
  parts.extra = "&prefix=a&max-keys=3&x-id=GetObject";
  EXPECT_EQ(outcome(parts.link()), "");
}

}  // namespace
}  // namespace wolke::identity
