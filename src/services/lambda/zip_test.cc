#include "wolke/services/lambda/zip.h"

#include <gtest/gtest.h>

#include "wolke/services/lambda/zip_fixture.h"

namespace wolke::lambda {
namespace {

using namespace fixture;

std::string refusal(const std::string& bytes, const ZipLimits& limits = {}) {
  const auto archive = read_zip(bytes, limits);
  if (archive) return "accepted";
  return archive.error().message;
}

Result<std::string> content_of(const std::string& bytes) {
  TRY(const Archive archive, read_zip(bytes));
  std::string out;
  TRY(extract(archive, archive.entries.at(0), [&](std::string_view piece) -> Result<void> {
    out += piece;
    return {};
  }));
  return out;
}

std::string named(const std::string& name) {
  return refusal(zip({stored(name, "x")}));
}

TEST(Zip, StoredDeflatedAndStreamedEntriesAreRead) {
  const std::string text(100'000, 'a');
  EXPECT_EQ(*content_of(zip({stored("index.js", text)})), text);
  EXPECT_EQ(*content_of(zip({deflated("index.js", text)})), text);
  EXPECT_EQ(*content_of(zip({streamed("index.js", text)})), text);
}

TEST(Zip, Zip64ValuesInALocalHeaderAreRead) {
  Entry entry = stored("big", "zip64");
  entry.local.size = entry.local.compressed = 0xffffffff;
  entry.local.extra = le(1, 2) + le(16, 2) + le(5, 8) + le(5, 8);
  EXPECT_EQ(*content_of(zip({entry})), "zip64");
  entry.local.extra = le(1, 2) + le(8, 2) + le(5, 8);
  EXPECT_EQ(refusal(zip({entry})), "a zip64 field is truncated");
}

TEST(Zip, AnEmptyArchiveIsAnArchive) {
  EXPECT_EQ(refusal(zip({})), "accepted");
}

TEST(Zip, AnArchiveCommentIsFine) {
  EXPECT_EQ(refusal(zip({stored("a", "x")}, {.comment = "hello"})), "accepted");
}

TEST(Zip, KindsAndTheExecutableBitComeFromUnixAttributes) {
  const std::string bytes = zip({stored("bin/", "", 0040755), stored("bin/run", "x", 0106755),
                                 stored("lib", "bin", 0120777)});
  const auto archive = read_zip(bytes);
  ASSERT_TRUE(archive) << archive.error().message;
  EXPECT_EQ(archive->entries[0].kind, ZipEntry::Kind::directory);
  EXPECT_TRUE(archive->entries[1].executable);
  EXPECT_EQ(archive->entries[2].kind, ZipEntry::Kind::symlink);
}

// H1: names that leave their place.
TEST(ZipAttack, NamesThatLeaveTheirPlaceAreRefused) {
  for (const char* name :
       {"../x", "a/../../x", "/etc/passwd", "a//b", "a/./b", "..", ".", "C:\\x", "C:x", "a\\b"}) {
    EXPECT_NE(named(name), "accepted") << name;
  }
  EXPECT_NE(named(std::string("a\0b", 3)), "accepted");
  EXPECT_NE(named("\xff\xfe"), "accepted");
  EXPECT_NE(named(std::string(256, 'n')), "accepted");
  EXPECT_EQ(named(std::string(255, 'n')), "accepted");
  std::string deep = "d";
  while (deep.size() <= zip_name_bytes_max) deep += "/d";
  EXPECT_NE(named(deep), "accepted");
  EXPECT_EQ(named("./index.js"), "accepted");
}

// H2: links and special files.
TEST(ZipAttack, DevicesPipesAndSocketsAreRefused) {
  for (const unsigned mode : {0020666U, 0060666U, 0010666U, 0140666U}) {
    EXPECT_EQ(refusal(zip({stored("x", "", mode)})), "an entry is a device, pipe or socket");
  }
  EXPECT_EQ(refusal(zip({stored("x", "", 0100666)})), "accepted");  // the control: a file
}

TEST(ZipAttack, NothingMayLieBelowALink) {
  EXPECT_EQ(refusal(zip({stored("link", "/etc", 0120777), stored("link/passwd", "x")})),
            "an entry lies below a file or a link");
  // The control: a directory of that name.
  EXPECT_EQ(refusal(zip({stored("link/", "", 0040755), stored("link/passwd", "x")})), "accepted");
}

TEST(ZipAttack, LinksStayInside) {
  EXPECT_TRUE(link_stays_inside("node_modules/.bin/x", "../x/cli.js"));
  EXPECT_TRUE(link_stays_inside("a", "b/c"));
  EXPECT_FALSE(link_stays_inside("a", "../b"));
  EXPECT_FALSE(link_stays_inside("d/a", "../../b"));
  EXPECT_FALSE(link_stays_inside("a", "/etc/passwd"));
  EXPECT_FALSE(link_stays_inside("d/a", "e/../../../x"));
  EXPECT_FALSE(link_stays_inside("a", ""));
}

// H3: bombs.
TEST(ZipAttack, DeclaredSizesAreCappedBeforeAnythingIsInflated) {
  Entry entry = deflated("zeros", "0");
  entry.local.size = entry.central.size = 0xfffffff0;
  EXPECT_EQ(read_zip(zip({entry})).error().code, "TooLarge");
  const std::string two =
      zip({stored("a", std::string(600, 'x')), stored("b", std::string(600, 'x'))});
  EXPECT_EQ(read_zip(two, {.unzipped_bytes_max = 1000}).error().code, "TooLarge");
  EXPECT_EQ(refusal(two, {.unzipped_bytes_max = 1200}), "accepted");  // the control
}

TEST(ZipAttack, ContentLongerOrShorterThanDeclaredIsRefused) {
  Entry entry = deflated("bomb", std::string(1'000'000, '0'));
  entry.local.size = entry.central.size = 10;
  EXPECT_EQ(content_of(zip({entry})).error().message, "an entry is longer than it says");
  entry.local.size = entry.central.size = 1'000'001;
  EXPECT_EQ(content_of(zip({entry})).error().message, "an entry is shorter than it says");
}

TEST(ZipAttack, OverlappingEntriesAreRefused) {
  // All entries share the first one's data.
  std::vector<Entry> entries;
  for (int i = 0; i < 20; ++i) entries.push_back(deflated("same", std::string(10'000, '0')));
  std::vector<Entry> apart;
  for (int i = 0; i < 20; ++i) {
    apart.push_back(deflated(std::to_string(i), std::string(10'000, '0')));
  }
  EXPECT_EQ(refusal(zip(apart)), "accepted");  // the control
  const std::string bytes = zip(entries, {.move_offsets = [](auto& offsets) {
                                  for (auto& offset : offsets) offset = offsets.front();
                                }});
  EXPECT_EQ(refusal(bytes), "entries overlap");
}

TEST(ZipAttack, TooManyEntriesAreRefused) {
  const std::string bytes = zip({stored("a", ""), stored("b", ""), stored("c", "")});
  EXPECT_EQ(read_zip(bytes, {.entries_max = 2}).error().code, "TooLarge");
  EXPECT_EQ(refusal(bytes, {.entries_max = 3}), "accepted");  // the control
}

// H4: two parsers, two readings.
TEST(ZipAttack, HeadersThatDisagreeAreRefused) {
  const auto with = [](auto change) {
    Entry entry = deflated("a.js", "content");
    change(entry);
    return refusal(zip({entry}));
  };
  const std::string disagree = "an entry's two headers disagree";
  EXPECT_EQ(with([](Entry&) {}), "accepted");  // the control
  EXPECT_EQ(with([](Entry& e) { e.local.name = "b.js"; }), disagree);
  EXPECT_EQ(with([](Entry& e) { e.local.method = 0; }), disagree);
  EXPECT_EQ(with([](Entry& e) { e.local.crc ^= 1; }), disagree);
  EXPECT_EQ(with([](Entry& e) { e.local.size += 1; }), disagree);
  EXPECT_EQ(with([](Entry& e) { e.local.compressed -= 1; }), disagree);
  EXPECT_EQ(with([](Entry& e) { e.local.flags = 1 << 11; }), disagree);
}

TEST(ZipAttack, ADescriptorThatDisagreesIsRefused) {
  Entry entry = streamed("a.js", "content");
  entry.after[5] = static_cast<char>(entry.after[5] ^ 1);
  EXPECT_EQ(refusal(zip({entry})), "an entry's data descriptor disagrees with its header");
}

TEST(ZipAttack, ASecondNameIsRefused) {
  Entry entry = stored("good.js", "x");
  entry.central.extra = le(0x7075, 2) + le(5 + 6, 2) + le(1, 1) + le(0, 4) + "bad.js";
  EXPECT_EQ(refusal(zip({entry})), "an entry has two different names");
}

TEST(ZipAttack, DuplicatesAreRefused) {
  EXPECT_EQ(refusal(zip({stored("a", "1"), stored("a", "2")})), "two entries have the same name");
  EXPECT_EQ(refusal(zip({stored("a", "1"), stored("./a", "2")})), "two entries have the same name");
  EXPECT_NE(refusal(zip({stored("a", "1"), stored("a/b", "2")})), "accepted");
}

TEST(ZipAttack, BytesBeforeOrAfterTheArchiveAreRefused) {
  EXPECT_NE(refusal(zip({stored("a", "x")}, {.before = "#!/bin/sh\n"})), "accepted");
  EXPECT_NE(refusal(zip({stored("a", "x")}, {.after = "tail"})), "accepted");
  EXPECT_NE(refusal(zip({stored("a", "x")}, {.count_difference = 1})), "accepted");
  EXPECT_NE(refusal(zip({stored("a", "x"), stored("b", "x")}, {.count_difference = -1})),
            "accepted");
}

TEST(ZipAttack, EncryptedAndForeignMethodsAreRefused) {
  Entry entry = stored("a", "x");
  entry.local.flags = entry.central.flags = 1;
  EXPECT_EQ(refusal(zip({entry})), "an entry is encrypted");
  entry = stored("a", "x");
  entry.local.method = entry.central.method = 12;
  EXPECT_EQ(refusal(zip({entry})), "an entry uses compression method 12");
}

TEST(ZipAttack, EveryTruncationIsRefused) {
  const std::string whole =
      zip({deflated("index.js", "some content"), streamed("lib/x.js", "more content")});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(refusal(whole.substr(0, size)), "accepted") << size;
  }
}

TEST(ZipAttack, EveryFlippedBitIsRefusedOrHarmless) {
  // What is accepted has the content whose checksum the archive carries, under a plain name.
  const std::string whole = zip({deflated("index.js", "some content")});
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const auto content = content_of(flipped);
    if (content && !content->empty()) EXPECT_EQ(*content, "some content") << bit;
  }
}

}  // namespace
}  // namespace wolke::lambda
