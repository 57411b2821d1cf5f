#include "wolke/store/record.h"

#include <gtest/gtest.h>

#include <limits>

namespace wolke::store {
namespace {

enum class Colour : std::uint8_t { red = 1, blue = 7 };

struct Rule : Fields {
  std::string name;
  std::int32_t weight = 0;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name);
    v(2, weight);
  }
};

struct Everything : Fields {
  bool flag = false;
  std::int64_t number = 0;
  std::uint64_t big = 0;
  double ratio = 0;
  std::string text;
  Timestamp created;
  Colour colour = Colour::red;
  std::optional<std::string> maybe;
  std::optional<Rule> maybe_rule;
  std::vector<Rule> rules;
  std::map<std::string, std::vector<std::string>> tags;
  Body body;
  Millis delay{0};
  static constexpr int format = 2;
  template <class V>
  void visit(V&& v) {
    v(1, flag), v(2, number), v(3, big), v(4, ratio), v(5, text), v(6, created), v(7, colour);
    v(8, maybe), v(9, maybe_rule), v(10, rules), v(11, tags), v(12, body), v(13, delay);
  }
};

Rule rule(std::string name, std::int32_t weight) {
  Rule out;
  out.name = std::move(name);
  out.weight = weight;
  return out;
}

Everything everything() {
  Everything e;
  e.flag = true;
  e.number = std::numeric_limits<std::int64_t>::min();
  e.big = std::numeric_limits<std::uint64_t>::max();
  e.ratio = -0.1;
  e.text = std::string("\0\xFFtext", 6);
  e.created = from_millis(1795427473123);
  e.colour = Colour::blue;
  e.maybe = "";
  e.maybe_rule = rule("inner", -5);
  e.rules = {rule("a", 1), rule("b", 70000)};
  e.tags = {{"k", {"v1", "v2"}}, {"", {}}};
  e.body.blobs = {{.blob = {.id = "abc", .size = 10}, .offset = 2, .length = 8}};
  e.body.digests = {{"md5", std::string(16, 'x')}};
  e.delay = Millis(1500);
  return e;
}

TEST(Record, EveryFieldTypeComesBack) {
  const Everything in = everything();
  const auto out = decode<Everything>(encode(in, "key"), "key");
  ASSERT_TRUE(out);
  EXPECT_EQ(out->flag, true);
  EXPECT_EQ(out->number, in.number);
  EXPECT_EQ(out->big, in.big);
  EXPECT_EQ(out->ratio, in.ratio);
  EXPECT_EQ(out->text, in.text);
  EXPECT_EQ(out->created, in.created);
  EXPECT_EQ(out->colour, Colour::blue);
  EXPECT_EQ(out->maybe, "");
  ASSERT_TRUE(out->maybe_rule);
  EXPECT_EQ(out->maybe_rule->weight, -5);
  ASSERT_EQ(out->rules.size(), 2U);
  EXPECT_EQ(out->rules[1].weight, 70000);
  EXPECT_EQ(out->tags, in.tags);
  EXPECT_EQ(out->body.blobs, in.body.blobs);
  EXPECT_EQ(out->body.digests, in.body.digests);
  EXPECT_EQ(out->delay, in.delay);
  EXPECT_TRUE(out->unknown_fields.empty());
}

TEST(Record, AnyFlippedBitIsNoticed) {
  const std::string value = encode(rule("name", 3), "key");
  for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
    std::string flipped = value;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const auto out = decode<Rule>(flipped, "key");
    ASSERT_FALSE(out) << bit;
    EXPECT_EQ(out.error().code, "Corrupt");
  }
}

TEST(Record, AValueUnderAnotherKeyIsNoticed) {
  const auto out = decode<Rule>(encode(rule("name", 3), "key"), "kez");
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, "Corrupt");
}

TEST(Record, EveryCutIsNoticed) {
  const std::string value = encode(everything(), "key");
  for (std::size_t size = 0; size < value.size(); ++size) {
    EXPECT_FALSE(decode<Everything>(std::string_view(value).substr(0, size), "key"));
  }
}

struct Wider : Fields {
  std::string name;
  std::int32_t weight = 0;
  std::vector<std::string> added_later;
  static constexpr int format = 1;
  template <class V>
  void visit(V&& v) {
    v(1, name);
    v(2, weight);
    v(30, added_later);
  }
};

TEST(Record, FieldsOfANewerWriterSurviveAnOlderOne) {
  Wider wide;
  wide.name = "n";
  wide.added_later = {"x", "y"};
  auto narrow = decode<Rule>(encode(wide, "key"), "key");
  ASSERT_TRUE(narrow);
  narrow->name = "renamed";
  const auto back = decode<Wider>(encode(*narrow, "key"), "key");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->name, "renamed");
  EXPECT_EQ(back->added_later, wide.added_later);
}

TEST(Record, AFieldThatIsMissingKeepsItsDefault) {
  const auto wide = decode<Wider>(encode(rule("n", 9), "key"), "key");
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->weight, 9);
  EXPECT_TRUE(wide->added_later.empty());
}

struct Newer : Rule {
  static constexpr int format = 2;
};

TEST(Record, AFormatFromTheFutureIsRefused) {
  EXPECT_TRUE(decode<Newer>(encode(rule("n", 1), "key"), "key"));
  EXPECT_FALSE(decode<Rule>(encode(Newer(), "key"), "key"));
}

struct Small : Fields {
  std::uint32_t big = 0;
  static constexpr int format = 2;
  void visit(auto&& v) { v(3, big); }
};

TEST(Record, ANumberOutOfItsTypesRangeIsRefused) {
  Everything e;
  e.big = 1ULL << 40;
  EXPECT_FALSE(decode<Small>(encode(e, "key"), "key"));
}

TEST(Cbor, MalformedBytesNeverReadPastTheEnd) {
  // Every two-byte item, and nesting deeper than any record.
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const char bytes[2] = {static_cast<char>(a), static_cast<char>(b)};
      CborReader in(std::string_view(bytes, 2));
      (void)in.item();
    }
  }
  const std::string nested(100'000, '\x81');
  EXPECT_FALSE(CborReader(nested).item());
}

}  // namespace
}  // namespace wolke::store
