#include "wolke/gateway/form_upload.h"

#include <gtest/gtest.h>

namespace wolke::gateway {
namespace {

TEST(FormKey, TakesTheNameOfTheFile) {
  auto key = [](std::string text, const std::optional<std::string>& name) {
    FormFields fields = {{"key", std::move(text)}};
    return key_of_form(fields, name).value_or("refused");
  };
  EXPECT_EQ(key("in/${filename}", "a.txt"), "in/a.txt");
  EXPECT_EQ(key("${filename}-${filename}", "${filename}"), "${filename}-${filename}");
  EXPECT_EQ(key("in/${filename}", ""), "in/");
  EXPECT_EQ(key("in/${filename}", std::nullopt), "in/${filename}");
  EXPECT_EQ(key("", "a.txt"), "refused");
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "${filename}";
  EXPECT_LT(key(many, std::string(8000, 'n')).size(), 50'000U) << "too long for a key anyway";
}

TEST(FormHeaders, AreTheFieldsThatSayWhatTheObjectIs) {
  const auto headers = headers_of_form({{"key", "k"},
                                        {"acl", "private"},
                                        {"content-type", "text/plain"},
                                        {"x-amz-meta-a", "b"},
                                        {"x-amz-signature", "s"},
                                        {"x-amz-security-token", "t"},
                                        {"policy", "p"},
                                        {"authorization", "x"},
                                        {"content-length", "1"}});
  ASSERT_TRUE(headers);
  EXPECT_EQ(*headers,
            (net::HeaderList{
                {"x-amz-acl", "private"}, {"content-type", "text/plain"}, {"x-amz-meta-a", "b"}}));
}

TEST(FormHeaders, TellMetadataOfOtherLettersAsAWordOfRfc2047) {
  const auto headers = headers_of_form({{"x-amz-meta-a", "Zoë"}, {"x-amz-meta-b", "Zoe"}});
  ASSERT_TRUE(headers);
  EXPECT_EQ(*headers,
            (net::HeaderList{{"x-amz-meta-a", "=?UTF-8?B?Wm/Dqw==?="}, {"x-amz-meta-b", "Zoe"}}));
}

TEST(FormHeaders, RefuseASecondLine) {
  EXPECT_FALSE(headers_of_form({{"x-amz-meta-a", "b\r\nx-amz-acl: public-read"}}));
}

TEST(FormHeaders, ReadTagsFromTheirDocument) {
  auto tags = [](std::string document) {
    const auto headers = headers_of_form({{"tagging", std::move(document)}});
    return headers ? headers->at(0).second : headers.error().code;
  };
  EXPECT_EQ(tags("<Tagging><TagSet><Tag><Key>a b</Key><Value>1</Value></Tag>"
                 "<Tag><Key>c</Key><Value>&amp;</Value></Tag></TagSet></Tagging>"),
            "a%20b=1&c=%26");
  EXPECT_EQ(tags("<Other></Other>"), "");
  EXPECT_EQ(tags("not-xml"), "MalformedXML");
}

shape::WireResponse answer(const FormFields& fields) {
  shape::WireResponse response{.headers = {{"etag", "\"e\""}, {"content-type", "application/xml"}}};
  answer_form(fields, {.location = "http://h/b/a%20k", .bucket = "b", .key = "a k"}, response);
  return response;
}

TEST(FormAnswer, HasNoContentUnlessItIsAskedFor) {
  EXPECT_EQ(answer({}).status, 204);
  EXPECT_EQ(answer({{"success_action_status", "404"}}).status, 204);
  EXPECT_EQ(answer({{"success_action_status", "200"}}).status, 200);
  EXPECT_EQ(answer({}).body, "");
  EXPECT_EQ(net::find_header(answer({}).headers, "content-type"), nullptr);
}

TEST(FormAnswer, TellsTheObjectInADocument) {
  const auto created = answer({{"success_action_status", "201"}});
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(*net::find_header(created.headers, "location"), "http://h/b/a%20k");
  EXPECT_NE(
      created.body.find("<PostResponse><Location>http://h/b/a%20k</Location><Bucket>b</Bucket>"
                        "<Key>a k</Key><ETag>"),
      std::string::npos);
}

TEST(FormAnswer, SendsTheBrowserOn) {
  auto location = [](std::string page) {
    const auto sent = answer({{"success_action_redirect", std::move(page)}});
    return std::to_string(sent.status) + " " + *net::find_header(sent.headers, "location");
  };
  EXPECT_EQ(location("http://x/y"), "303 http://x/y?bucket=b&key=a%20k&etag=%22e%22");
  EXPECT_EQ(location("http://x/y?z#f"), "303 http://x/y?z&bucket=b&key=a%20k&etag=%22e%22#f");
  for (const char* page : {"/relative", "javascript:x", "http://x/\r\nset-cookie: a=b"})
    EXPECT_EQ(location(page), "204 http://h/b/a%20k") << page;
}

}  // namespace
}  // namespace wolke::gateway
