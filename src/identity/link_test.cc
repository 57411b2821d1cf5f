#include "wolke/identity/link.h"

#include <gtest/gtest.h>

#include "wolke/base/env.h"

namespace wolke::identity {
namespace {

class ContentLink : public testing::Test {
 protected:
  Result<BlobRef> open(const std::string& url, Timestamp at) const {
    const std::size_t question = url.find('?');
    return open_content_link(seal, url.substr(0, question),
                             parse_query(url.substr(question + 1)).value(), at);
  }

  Env env = system_env();
  Seal seal{std::string(32, 'k'), env.random};
  Timestamp now = from_millis(1'795'444'005'000);
  BlobRef blob{.id = "00112233445566778899aabbccddeeff", .size = 1234};
  std::string link = make_content_link(seal, blob, now);
};

TEST_F(ContentLink, GivesItsBlobForTenMinutes) {
  EXPECT_EQ(open(link, now).value(), blob);
  EXPECT_EQ(open(link, now + std::chrono::minutes(10) - Millis(1)).value(), blob);
  const Error expired = open(link, now + std::chrono::minutes(10)).error();
  EXPECT_EQ(expired.code, "AccessDenied");
  EXPECT_EQ(expired.status, 403);
  EXPECT_EQ(expired.message, "Request has expired");
}

TEST_F(ContentLink, NoByteOfItCanBeChanged) {
  for (std::size_t at = std::string("/_wolke/content/").size(); at < link.size(); ++at) {
    std::string changed = link;
    changed[at] = changed[at] == '0' ? '1' : '0';
    if (changed.find('?') == std::string::npos) continue;
    EXPECT_FALSE(open(changed, now)) << changed;
  }
  EXPECT_EQ(open(link + "0", now).error().code, "SignatureDoesNotMatch");
}

TEST_F(ContentLink, PartsCannotBeMovedFromOneFieldToAnother) {
  const std::string moved = "/_wolke/content/" + blob.id +
                            "%0A1234?Size=&Expires=" + link.substr(link.find("Expires=") + 8);
  EXPECT_FALSE(open(moved, now));
  EXPECT_EQ(open("/_wolke/content/" + blob.id + "?Size=1234", now).error().code, "AccessDenied");
}

TEST_F(ContentLink, AnotherInstallationsLinkIsRefused) {
  const Seal other(std::string(32, 'o'), env.random);
  EXPECT_EQ(open(make_content_link(other, blob, now), now).error().code, "SignatureDoesNotMatch");
}

}  // namespace
}  // namespace wolke::identity
