#include <gtest/gtest.h>

#include "wolke/base/crc.h"
#include "wolke/base/env.h"
#include "wolke/base/hash.h"
#include "wolke/base/text.h"
#include "wolke/base/time.h"
#include "wolke/base/uri.h"

namespace wolke {
namespace {

TEST(Time, FormatsAndParsesTheFourForms) {
  Timestamp t = from_millis(1795427473123);
  EXPECT_EQ(format_iso8601(t), "2026-11-23T09:51:13.123Z");
  EXPECT_EQ(format_rfc1123(t), "Mon, 23 Nov 2026 09:51:13 GMT");
  EXPECT_EQ(format_amz_date(t), "20261123T095113Z");
  EXPECT_EQ(format_unix_seconds(t), "1795427473.123");
  EXPECT_EQ(parse_iso8601("2026-11-23T09:51:13.123Z"), t);
  EXPECT_EQ(parse_iso8601("2026-11-23T10:51:13.123+01:00"), t);
  EXPECT_EQ(parse_rfc1123("Mon, 23 Nov 2026 09:51:13 GMT"), from_millis(1795427473000));
  EXPECT_EQ(parse_amz_date("20261123T095113Z"), from_millis(1795427473000));
  EXPECT_EQ(parse_unix_seconds("1795427473.123"), t);
}

TEST(Time, RefusesWhatIsNoDate) {
  EXPECT_FALSE(parse_iso8601("2026-13-01T00:00:00Z"));
  EXPECT_FALSE(parse_iso8601("2026-02-30T00:00:00Z"));
  EXPECT_FALSE(parse_iso8601("2026-11-23T09:51:13+99:99"));
  EXPECT_FALSE(parse_iso8601("2026-11-23T09:51:13-24:00"));
  EXPECT_FALSE(parse_amz_date("20261123T095113"));
  EXPECT_FALSE(parse_unix_seconds("1e9"));
}

TEST(Hash, KnowsTheCheckValues) {
  EXPECT_EQ(to_hex(digest(HashKind::crc32, "123456789")), "cbf43926");
  EXPECT_EQ(to_hex(digest(HashKind::crc32c, "123456789")), "e3069283");
  EXPECT_EQ(to_hex(digest(HashKind::crc64nvme, "123456789")), "ae8b14860a799888");
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(to_hex(digest(HashKind::md5, "")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Hash, CombinesTheCrcsOfTwoPartsIntoThatOfTheWhole) {
  std::string a(1000, 'a'), b = "some other text, of odd length";
  for (HashKind kind : {HashKind::crc32, HashKind::crc32c, HashKind::crc64nvme}) {
    EXPECT_EQ(crc_combine(kind, digest(kind, a), digest(kind, b), b.size()), digest(kind, a + b));
    EXPECT_EQ(crc_combine(kind, digest(kind, a), digest(kind, ""), 0), digest(kind, a));
  }
}

TEST(Hash, Base64IsStrict) {
  for (std::string text : {"", "f", "fo", "foo", "foob"})
    EXPECT_EQ(from_base64(to_base64(text)), text);
  EXPECT_FALSE(from_base64("Zg="));
  EXPECT_FALSE(from_base64("Zh=="));
  EXPECT_FALSE(from_base64("Z=g="));
  EXPECT_FALSE(from_base64("Zm9v\n"));
}

TEST(Hash, SealedTextOpensOnlyWithItsKeyNonceAndContext) {
  std::string key(32, 'k'), nonce(12, 'n');
  std::string sealed = aead_seal(key, nonce, "secret", "aad");
  EXPECT_EQ(aead_open(key, nonce, sealed, "aad"), "secret");
  EXPECT_FALSE(aead_open(key, nonce, sealed, "other"));
  EXPECT_FALSE(aead_open(std::string(32, 'x'), nonce, sealed, "aad"));
  sealed[0] = static_cast<char>(sealed[0] ^ 1);
  EXPECT_FALSE(aead_open(key, nonce, sealed, "aad"));
}

TEST(Uri, DecodesWhatItEncodes) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(percent_encode("a/b c", true), "a/b%20c");
  EXPECT_FALSE(percent_decode("%4"));
  EXPECT_FALSE(percent_decode("%zz"));
}

TEST(Uri, SplitsAQuery) {
  auto pairs = parse_query("uploads&prefix=a%2Fb&x=1+2");
  ASSERT_TRUE(pairs);
  EXPECT_EQ(*find_query(*pairs, "uploads"), "");
  EXPECT_EQ(*find_query(*pairs, "prefix"), "a/b");
  EXPECT_EQ(*find_query(*pairs, "x"), "1 2");
  EXPECT_EQ(find_query(*pairs, "y"), nullptr);
}

TEST(Text, GlobsWithStarsAndQuestionMarks) {
  EXPECT_TRUE(glob_match("arn:aws:s3:::b/*", "arn:aws:s3:::b/k/x"));
  EXPECT_TRUE(glob_match("a*b?d", "aXXbcd"));
  EXPECT_FALSE(glob_match("a*b?d", "aXXbd"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_FALSE(glob_match("", "x"));
  EXPECT_FALSE(glob_match("a*a*a*a*a*b", std::string(5000, 'a')));
}

TEST(Text, MakesTerminalEscapesVisible) {
  EXPECT_EQ(printable("a\x1b[31mb\n"), "a\\x1b[31mb\n");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
}

TEST(Text, RefusesOverlongAndSurrogateUtf8) {
  EXPECT_TRUE(is_valid_utf8("\xf0\x9f\x98\x80"));
  EXPECT_FALSE(is_valid_utf8("\xc0\xaf"));
  EXPECT_FALSE(is_valid_utf8("\xed\xa0\x80"));
  EXPECT_FALSE(is_valid_utf8("\xe2\x82"));
}

TEST(Env, ADirectoryAndAFileRoundTrip) {
  Env env = system_env();
  std::string root = testing::TempDir() + "wolke-base-" + env.random.hex(8);
  ASSERT_TRUE(env.disk.make_directory(root + "/a/b"));
  auto file = env.disk.open(root + "/a/b/f", OpenMode::create_new);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->write_at(3, "xyz"));
  ASSERT_TRUE((*file)->sync());
  EXPECT_EQ((*file)->size().value(), 6u);
  EXPECT_EQ(env.disk.open(root + "/none", OpenMode::read).error().code, "NotFound");
  ASSERT_TRUE(env.disk.remove(root + "/a/b/f"));
  EXPECT_TRUE(env.disk.list(root + "/a/b").value().empty());
}

TEST(Random, UuidsAreVersionFour) {
  std::string uuid = system_env().random.uuid();
  ASSERT_EQ(uuid.size(), 36u);
  EXPECT_EQ(uuid[14], '4');
  EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
}

}  // namespace
}  // namespace wolke
