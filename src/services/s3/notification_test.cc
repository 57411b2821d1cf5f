#include "wolke/services/s3/notification.h"

#include <gtest/gtest.h>

namespace wolke::s3 {
namespace {

FunctionNotification configuration(std::string id, std::vector<std::string> events,
                                   std::string prefix = "", std::string suffix = "") {
  FunctionNotification out;
  out.id = std::move(id);
  out.function_arn = "arn:aws:lambda:us-east-1:111122223333:function:thumbnail";
  out.events = std::move(events);
  auto add = [&](const char* name, std::string value) {
    if (value.empty()) return;
    FilterRule& rule = out.rules.emplace_back();
    rule.name = name;
    rule.value = std::move(value);
  };
  add("prefix", std::move(prefix));
  add("suffix", std::move(suffix));
  return out;
}

std::string check(std::vector<FunctionNotification> all) {
  Result<void> checked = check_notifications(all);
  return checked ? "ok" : checked.error().code + ": " + checked.error().message;
}

TEST(NotificationRules, EventsMustBeKnown) {
  EXPECT_EQ(check({configuration("a", {"s3:ObjectCreated:*"})}), "ok");
  EXPECT_EQ(check({configuration("a", {"s3:ObjectCreated:Nonsense"})}),
            "InvalidArgument: The event is not supported for notifications");
  EXPECT_TRUE(check({configuration("a", {"s3:ObjectRestore:Post"})}).starts_with("NotImplemented"));
  EXPECT_TRUE(check({configuration("a", {})}).starts_with("MalformedXML"));
}

TEST(NotificationRules, SameEventTwiceOverlaps) {
  EXPECT_EQ(check({configuration("a", {"s3:ObjectCreated:*"}),
                   configuration("b", {"s3:ObjectCreated:Put"})}),
            "InvalidArgument: Configurations overlap. Configurations on the same bucket cannot "
            "share a common event "
            "type.");
  EXPECT_EQ(check({configuration("a", {"s3:ObjectCreated:*"}),
                   configuration("b", {"s3:ObjectRemoved:*"})}),
            "ok");
}

TEST(NotificationRules, FiltersThatDoNotOverlapAreFine) {
  EXPECT_EQ(check({configuration("a", {"s3:ObjectCreated:*"}, "images/", ".jpg"),
                   configuration("b", {"s3:ObjectCreated:*"}, "images/", ".png"),
                   configuration("c", {"s3:ObjectCreated:*"}, "logs/")}),
            "ok");
  EXPECT_TRUE(check({configuration("a", {"s3:ObjectCreated:*"}, "images/", ".jpg"),
                     configuration("b", {"s3:ObjectCreated:*"}, "images/raw/", "g")})
                  .starts_with("InvalidArgument: Configuration is ambiguously defined."));
}

TEST(NotificationRules, FilterNamesArePrefixAndSuffixOnceEach) {
  FunctionNotification twice = configuration("a", {"s3:ObjectCreated:*"}, "a");
  twice.rules.push_back(twice.rules.front());
  EXPECT_TRUE(check({twice}).starts_with("InvalidArgument"));
  FunctionNotification other = configuration("a", {"s3:ObjectCreated:*"}, "a");
  other.rules.front().name = "infix";
  EXPECT_TRUE(check({other}).starts_with("InvalidArgument: filter rule name must be"));
}

TEST(NotificationRules, IdsAreUnique) {
  EXPECT_TRUE(check({configuration("a", {"s3:ObjectCreated:Put"}),
                     configuration("a", {"s3:ObjectRemoved:*"})})
                  .starts_with("InvalidArgument: Same ID"));
}

TEST(NotificationMatch, IsByEventPrefixAndSuffix) {
  FunctionNotification jpg = configuration("a", {"s3:ObjectCreated:*"}, "in/", ".jpg");
  EXPECT_TRUE(matches(jpg, event_put, "in/x.jpg"));
  EXPECT_TRUE(matches(jpg, event_complete, "in/x.jpg"));
  EXPECT_FALSE(matches(jpg, event_delete, "in/x.jpg"));
  EXPECT_FALSE(matches(jpg, event_put, "out/x.jpg"));
  EXPECT_FALSE(matches(jpg, event_put, "in/x.png"));
}

TEST(EventJson, HasS3sMembersInS3sOrder) {
  ObjectEvent event{.name = event_put,
                    .time = *parse_iso8601("2026-11-23T09:51:13.250Z"),
                    .region = "us-east-1",
                    .principal_id = "AWS:AIDAEXAMPLE",
                    .source_ip = "10.1.2.3",
                    .request_id = "R1",
                    .configuration_id = "thumb",
                    .bucket = "photos",
                    .owner_principal_id = "A3NL1KOZZKExample",
                    .key = "my photos/ü+1.jpg",
                    .size = 5,
                    .etag = "5d41402abc4b2a76b9719d911017c592",
                    .sequencer = "0055AED6DCD90281E5"};
  EXPECT_EQ(
      event_json(event),
      R"({"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1",)"
      R"("eventTime":"2026-11-23T09:51:13.250Z","eventName":"ObjectCreated:Put",)"
      R"("userIdentity":{"principalId":"AWS:AIDAEXAMPLE"},"requestParameters":{"sourceIPAddress":"10.1.2.3"},)"
      R"("responseElements":{"x-amz-request-id":"R1","x-amz-id-2":"p5E2b29iASVO3KyexyAXsS2KaVE7Xh4poppASP+xbic="},)"
      R"("s3":{"s3SchemaVersion":"1.0","configurationId":"thumb","bucket":{"name":"photos",)"
      R"("ownerIdentity":{"principalId":"A3NL1KOZZKExample"},"arn":"arn:aws:s3:::photos"},)"
      R"("object":{"key":"my+photos/%C3%BC%2B1.jpg","size":5,"eTag":"5d41402abc4b2a76b9719d911017c592",)"
      R"("sequencer":"0055AED6DCD90281E5"}}}]})");
}

TEST(EventJson, RemovalTellsNeitherSizeNorETag) {
  ObjectEvent event{.name = event_delete, .key = "a", .sequencer = "00"};
  std::string json = event_json(event);
  EXPECT_EQ(json.find("size"), std::string::npos);
  EXPECT_EQ(json.find("eTag"), std::string::npos);
}

TEST(Sequencer, GrowsAsText) {
  Timestamp created = *parse_iso8601("2026-11-23T09:51:13Z");
  EXPECT_LT(sequencer(created, 1), sequencer(created, 2));
  EXPECT_LT(sequencer(created, 15), sequencer(created, 16));
  EXPECT_EQ(sequencer(created, 1).size(), 18U);
}

}  // namespace
}  // namespace wolke::s3
