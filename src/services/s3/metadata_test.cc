#include "wolke/services/s3/metadata.h"

#include <gtest/gtest.h>

#include "wolke/model/s3/types.h"

namespace wolke::s3 {
namespace {

TEST(UserMetadata, OfOtherLettersIsToldAsTheUserGuidesExample) {
  EXPECT_EQ(mail_safe("ÄMÄZÕÑ S3"), "=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=");
  EXPECT_EQ(mail_safe("Zo\xeb"), "=?UTF-8?B?Wm/Dqw==?=");
}

TEST(UserMetadata, OfAsciiIsToldAsItCame) {
  EXPECT_EQ(mail_safe("AMAZONS3 ~"), "AMAZONS3 ~");
  EXPECT_EQ(mail_safe("=?UTF-8?B?Wm/Dqw==?="), "=?UTF-8?B?Wm/Dqw==?=");
  EXPECT_EQ(mail_safe(""), "");
}

}  // namespace
}  // namespace wolke::s3
