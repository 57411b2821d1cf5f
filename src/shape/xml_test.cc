#include "wolke/shape/xml.h"

#include <gtest/gtest.h>

namespace wolke::shape {
namespace {

bool refused(std::string_view text) {
  Result<XmlElement> root = parse_xml(text);
  return !root && root.error().code == "MalformedXML";
}

TEST(Xml, reads_elements_attributes_and_text) {
  Result<XmlElement> root = parse_xml(
      "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- hi --><a xmlns=\"urn:x\">\n"
      "<s:b xmlns:s='urn:y' s:type=\"t&amp;u\">one &lt;two&gt;</s:b><c/><c>3</c></a>\n");
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(root->name, "a");
  ASSERT_EQ(root->children.size(), 3);
  EXPECT_EQ(root->children[0].name, "b");
  EXPECT_EQ(root->children[0].text, "one <two>");
  ASSERT_NE(root->children[0].attribute("xsi:type"), nullptr);
  EXPECT_EQ(*root->children[0].attribute("xsi:type"), "t&u");
  EXPECT_EQ(root->children[2].text, "3");
}

TEST(Xml, resolves_references_and_cdata_and_keeps_spaces) {
  Result<XmlElement> root = parse_xml("<k> &#65;&#x1F600;&quot;&apos;<![CDATA[<&>]]>&#1; </k>");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->text, " A😀\"'<&>\x01 ");
}

TEST(Xml, turns_line_ends_into_newlines) {
  EXPECT_EQ(parse_xml("<k>a\r\nb\rc\n</k>")->text, "a\nb\nc\n");
  EXPECT_EQ(parse_xml("<k><![CDATA[a\r\nb\r]]></k>")->text, "a\nb\n");
}

TEST(Xml, refuses_document_types_and_unknown_entities) {
  EXPECT_TRUE(refused("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>"));
  EXPECT_TRUE(refused("<?xml version=\"1.0\"?><!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"));
  EXPECT_TRUE(refused("<a>&nbsp;</a>"));
  EXPECT_TRUE(refused("<a>&</a>"));
  EXPECT_TRUE(refused("<a>&#0;</a>"));
  EXPECT_TRUE(refused("<a>&#xD800;</a>"));
  EXPECT_TRUE(refused("<a>&#x110000;</a>"));
}

TEST(Xml, refuses_what_is_not_well_formed) {
  for (const char* text : {"",
                           " ",
                           "text",
                           "<a>",
                           "<a></b>",
                           "<a></a",
                           "<a/><b/>",
                           "<a/>x",
                           "<a b></a>",
                           "<a b=c/>",
                           "<a b=\"1\" b=\"2\"/>",
                           "<a b=\"<\"/>",
                           "<1/>",
                           "< a/>",
                           "<a b='1'c='2'/>",
                           "<a><![CDATA[x</a>",
                           "<a><!-- x -- y --></a>",
                           "<a><!-- x</a>",
                           "<a>\x01</a>",
                           "<a>\xff</a>",
                           "<a/ >"}) {
    EXPECT_TRUE(refused(text)) << text;
  }
}

TEST(Xml, refuses_nesting_beyond_the_limit) {
  auto nested = [](int depth) {
    std::string open, close;
    for (int i = 0; i < depth; ++i) open += "<a>", close += "</a>";
    return open + close;
  };
  EXPECT_FALSE(refused(nested(64)));
  EXPECT_TRUE(refused(nested(65)));
}

TEST(Xml, refuses_more_elements_than_the_limit) {
  std::string text = "<a>";
  for (std::size_t i = 0; i < xml_elements_max; ++i) text += "<b/>";
  EXPECT_TRUE(refused(text + "</a>"));
}

TEST(Xml, escapes_text_so_that_it_reads_back) {
  std::string text = "a<b>&\"c\rd\ne\tf\x02ä", out;
  append_xml_text(out, text);
  EXPECT_EQ(out, "a&lt;b&gt;&amp;&quot;c&#xD;d\ne\tf&#x2;ä");
  EXPECT_EQ(parse_xml("<k>" + out + "</k>")->text, text);
}

}  // namespace
}  // namespace wolke::shape
