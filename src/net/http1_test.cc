// The codec's rules, one case per class of parser bug known from the field (the HTTP Garden's
// collection and the request smuggling literature): what must be refused, with its status, and the
// near neighbours that must be accepted.

#include "wolke/net/http1.h"

#include <gtest/gtest.h>

#include <ostream>
#include <vector>

#include "wolke/base/http_limits.h"
#include "wolke/base/limits.h"

namespace wolke::net::http1 {
namespace {

using namespace std::string_literals;

/// Scans and parses one head; the status of the failure, or 0.
int status_of(std::string_view bytes, RequestHead* out = nullptr, Framing* framing = nullptr) {
  HeadScanner scanner;
  Parsed<std::size_t> size = scanner.scan(bytes);
  if (!size) return size.error().status;
  if (*size == 0) return -1;
  RequestHead head;
  Parsed<Framing> parsed = parse_request_head(bytes.substr(0, *size), out ? *out : head);
  if (!parsed) return parsed.error().status;
  if (framing) *framing = *parsed;
  return 0;
}

struct Case {
  const char* name;
  std::string bytes;
  int status;  // 0: accepted; -1: more bytes are needed
};
void PrintTo(const Case& c, std::ostream* os) {
  *os << c.name;
}

class RequestCase : public ::testing::TestWithParam<Case> {};

TEST_P(RequestCase, HasItsStatus) {
  EXPECT_EQ(status_of(GetParam().bytes), GetParam().status);
}

/// A GET with these header lines after the Host.
std::string with(std::string lines) {
  return "GET / HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n";
}
/// A request whose first line is this.
std::string first_line(std::string line) {
  return line + "\r\nHost: x\r\n\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    Lines, RequestCase,
    ::testing::Values(Case{"Plain", with(""), 0}, Case{"OneEmptyLineBefore", "\r\n" + with(""), 0},
                      Case{"TwoEmptyLinesBefore", "\r\n\r\n" + with(""), 400},
                      Case{"BareLfBefore", "\n" + with(""), 400},
                      Case{"SpaceBefore", " " + with(""), 400},
                      Case{"BareLfAfterRequestLine", "GET / HTTP/1.1\nHost: x\r\n\r\n", 400},
                      Case{"BareLfAfterHeader", "GET / HTTP/1.1\r\nHost: x\n\r\n", 400},
                      Case{"BareLfAtEnd", "GET / HTTP/1.1\r\nHost: x\r\n\n", 400},
                      Case{"LfCr", "GET / HTTP/1.1\n\rHost: x\n\r\n\r", 400},
                      Case{"BareCrInRequestLine", "GET /\r HTTP/1.1\r\nHost: x\r\n\r\n", 400},
                      Case{"BareCrAsLineEnd", "GET / HTTP/1.1\rHost: x\r\n\r\n", 400},
                      Case{"BareCrInValue", with("A: b\rC: d\r\n"), 400},
                      Case{"BareCrBeforeCrLf", with("A: b\r\r\n"), 400},
                      Case{"CrCrLfAtEnd", "GET / HTTP/1.1\r\nHost: x\r\n\r\r\n", 400},
                      Case{"CrLfX", "GET / HTTP/1.1\r\nHost: x\r\nX\r\n\r\n", 400},
                      Case{"Cut", "GET / HTTP/1.1\r\nHost: x\r\n", -1},
                      Case{"TlsHello", "\x16\x03\x01\x02\x00"s, 400}, Case{"Nul", "\0"s, 400}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    RequestLine, RequestCase,
    ::testing::Values(Case{"TwoSpacesAfterMethod", first_line("GET  / HTTP/1.1"), 400},
                      Case{"TwoSpacesAfterTarget", first_line("GET /  HTTP/1.1"), 400},
                      Case{"SpaceInTarget", first_line("GET /a b HTTP/1.1"), 400},
                      Case{"TrailingSpace", first_line("GET / HTTP/1.1 "), 400},
                      Case{"TabInsteadOfSpace", first_line("GET\t/\tHTTP/1.1"), 400},
                      Case{"TabInTarget", first_line("GET /\ta HTTP/1.1"), 400},
                      Case{"VerticalTab", first_line("GET\v/ HTTP/1.1"), 400},
                      Case{"NoTarget", first_line("GET HTTP/1.1"), 400},
                      Case{"Http09", first_line("GET /"), 400},
                      Case{"NoMethod", first_line(" / HTTP/1.1"), 400},
                      Case{"LowerCaseMethod", first_line("get / HTTP/1.1"), 400},
                      Case{"MethodWithColon", first_line("GE:T / HTTP/1.1"), 400},
                      Case{"MethodWithNul", first_line("GE\0T / HTTP/1.1"s), 400},
                      Case{"MethodWithDigit", first_line("GET1 / HTTP/1.1"), 400},
                      Case{"MethodTooLong", first_line(std::string(33, 'A') + " / HTTP/1.1"), 400},
                      Case{"UnknownMethod", first_line("PROPFIND / HTTP/1.1"), 0},
                      Case{"Connect", first_line("CONNECT x:80 HTTP/1.1"), 405},
                      Case{"Trace", first_line("TRACE / HTTP/1.1"), 405},
                      Case{"NulInTarget", first_line("GET /\0 HTTP/1.1"s), 400},
                      Case{"DelInTarget", first_line("GET /\x7f HTTP/1.1"), 400},
                      Case{"ByteAboveAsciiInTarget", first_line("GET /\xc3\xa9 HTTP/1.1"), 400},
                      Case{"Fragment", first_line("GET /a#b HTTP/1.1"), 400},
                      Case{"BadEscape", first_line("GET /%2x HTTP/1.1"), 400},
                      Case{"CutEscape", first_line("GET /%2 HTTP/1.1"), 400},
                      Case{"EscapeThenQuery", first_line("GET /%?20 HTTP/1.1"), 400},
                      Case{"PercentInQuery", first_line("GET /%20?a=100% HTTP/1.1"), 0},
                      Case{"RelativeTarget", first_line("GET a HTTP/1.1"), 400},
                      Case{"StarOnlyForOptions", first_line("GET * HTTP/1.1"), 400},
                      Case{"OptionsStar", first_line("OPTIONS * HTTP/1.1"), 0},
                      Case{"BackslashStaysData", first_line("GET /\\ HTTP/1.1"), 0},
                      Case{"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
                      Case{"Http12", first_line("GET / HTTP/1.2"), 505},
                      Case{"Http10WithoutHost", "GET / HTTP/1.0\r\n\r\n", 0},
                      Case{"Http11x", first_line("GET / HTTP/1.1x"), 400},
                      Case{"Http111", first_line("GET / HTTP/1.11"), 400},
                      Case{"Http011", first_line("GET / HTTP/01.1"), 400},
                      Case{"HttpPlus1", first_line("GET / HTTP/+1.1"), 400},
                      Case{"HttpComma", first_line("GET / HTTP/1,1"), 400},
                      Case{"HttpWithoutMinor", first_line("GET / HTTP/1."), 400},
                      Case{"HttpWithoutDot", first_line("GET / HTTP/11"), 400},
                      Case{"LowerCaseHttp", first_line("GET / http/1.1"), 400},
                      Case{"OtherProtocol", first_line("GET / ICAP/1.1"), 400},
                      Case{"SpaceInVersion", first_line("GET / HTTP/ 1.1"), 400}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Headers, RequestCase,
    ::testing::Values(
        Case{"SpaceBeforeColon", with("A : b\r\n"), 400},
        Case{"TabBeforeColon", with("A\t: b\r\n"), 400}, Case{"NoColon", with("A\r\n"), 400},
        Case{"EmptyName", with(": b\r\n"), 400}, Case{"EmptyValue", with("A:\r\n"), 0},
        Case{"ObsFold", with("A: b\r\n c\r\n"), 400},
        Case{"ObsFoldTab", with("A: b\r\n\tc\r\n"), 400},
        Case{"ObsFoldFirst", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400},
        Case{"ObsFoldEmpty", with("A: b\r\n \r\n"), 400},
        Case{"SpaceInName", with("A B: c\r\n"), 400}, Case{"NulInName", with("A\0: b\r\n"s), 400},
        Case{"ByteAboveAsciiInName", with("\xc3\xa9: b\r\n"), 400},
        Case{"SlashInName", with("A/B: c\r\n"), 400},
        Case{"QuoteInName", with("\"A\": c\r\n"), 400},
        Case{"ParenthesisInName", with("A(: c\r\n"), 400},
        Case{"NulInValue", with("A: b\0c\r\n"s), 400}, Case{"DelInValue", with("A: \x7f\r\n"), 400},
        Case{"BellInValue", with("A: \a\r\n"), 400},
        Case{"EscapeInValue", with("A: \x1b[0m\r\n"), 400},
        Case{"FormFeedInValue", with("A: \f\r\n"), 400},
        Case{"VerticalTabAroundValue", with("A:\vb\r\n"), 400},
        Case{"TabInValue", with("A: b\tc\r\n"), 0},
        Case{"ObsTextInValue", with("A: \xc3\xa9\r\n"), 0},
        Case{"UnderscoreInName", with("a_b: c\r\n"), 0}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Host, RequestCase,
    ::testing::Values(Case{"Missing", "GET / HTTP/1.1\r\n\r\n", 400},
                      Case{"Twice", with("Host: x\r\n"), 400},
                      Case{"TwiceInHttp10", "GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n", 400},
                      Case{"TwiceOtherCase", with("hOST: y\r\n"), 400},
                      Case{"Empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
                      Case{"TabBefore", "GET / HTTP/1.1\r\nHost: \tx\r\n\r\n", 400},
                      Case{"TabAfter", "GET / HTTP/1.1\r\nHost: x\t\r\n\r\n", 400},
                      Case{"TwoDots", "GET / HTTP/1.1\r\nHost: x..y\r\n\r\n", 400},
                      Case{"DotFirst", "GET / HTTP/1.1\r\nHost: .x\r\n\r\n", 400},
                      Case{"DotLast", "GET / HTTP/1.1\r\nHost: x.\r\n\r\n", 0},
                      Case{"WithPath", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400},
                      Case{"WithUser", "GET / HTTP/1.1\r\nHost: a@x\r\n\r\n", 400},
                      Case{"WithSpace", "GET / HTTP/1.1\r\nHost: x y\r\n\r\n", 400},
                      Case{"WithComma", "GET / HTTP/1.1\r\nHost: x,y\r\n\r\n", 400},
                      Case{"BadPort", "GET / HTTP/1.1\r\nHost: x:8a\r\n\r\n", 400},
                      Case{"EmptyPort", "GET / HTTP/1.1\r\nHost: x:\r\n\r\n", 400},
                      Case{"HugePort", "GET / HTTP/1.1\r\nHost: x:65536\r\n\r\n", 400},
                      Case{"TwoPorts", "GET / HTTP/1.1\r\nHost: x:1:2\r\n\r\n", 400},
                      Case{"Port", "GET / HTTP/1.1\r\nHost: photos.s3.localhost:4566\r\n\r\n", 0},
                      Case{"Ip6", "GET / HTTP/1.1\r\nHost: [::1]:4566\r\n\r\n", 0},
                      Case{"Ip6Open", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
                      Case{"Ip6Rest", "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", 400},
                      Case{"AbsoluteSame", "GET http://X/a HTTP/1.1\r\nHost: x\r\n\r\n", 0},
                      Case{"AbsoluteOther", "GET http://y/a HTTP/1.1\r\nHost: x\r\n\r\n", 400},
                      Case{"AbsoluteOtherPort", "GET http://x:81/a HTTP/1.1\r\nHost: x:80\r\n\r\n",
                           400},
                      Case{"AbsoluteWithUser", "GET http://x@y/ HTTP/1.1\r\nHost: y\r\n\r\n", 400},
                      Case{"AbsoluteEmpty", "GET http:/// HTTP/1.1\r\nHost: x\r\n\r\n", 400},
                      Case{"AbsoluteOtherScheme", "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Framing, RequestCase,
    ::testing::Values(
        Case{"Length", with("Content-Length: 5\r\n"), 0},
        Case{"LengthTwiceSame", with("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
        Case{"LengthTwiceOther", with("Content-Length: 5\r\ncontent-length: 6\r\n"), 400},
        Case{"LengthList", with("Content-Length: 5, 5\r\n"), 400},
        Case{"LengthEmpty", with("Content-Length:\r\n"), 400},
        Case{"LengthSpaces", with("Content-Length:   \r\n"), 400},
        Case{"LengthNegative", with("Content-Length: -5\r\n"), 400},
        Case{"LengthMinusZero", with("Content-Length: -0\r\n"), 400},
        Case{"LengthPlus", with("Content-Length: +5\r\n"), 400},
        Case{"LengthTab", with("Content-Length: \t5\r\n"), 400},
        Case{"ChunkedTab", with("Transfer-Encoding: chunked\t\r\n"), 400},
        Case{"OtherTab", with("A:\tb\t\r\n"), 0},
        Case{"LengthHex", with("Content-Length: 0x5\r\n"), 400},
        Case{"LengthOctalLooking", with("Content-Length: 010\r\n"), 0},
        Case{"LengthUnderscore", with("Content-Length: 1_0\r\n"), 400},
        Case{"LengthDecimalPoint", with("Content-Length: 5.0\r\n"), 400},
        Case{"LengthExponent", with("Content-Length: 1e1\r\n"), 400},
        Case{"LengthInnerSpace", with("Content-Length: 1 0\r\n"), 400},
        Case{"LengthTrailingLetter", with("Content-Length: 5a\r\n"), 400},
        Case{"LengthNul", with("Content-Length: 5\0\r\n"s), 400},
        Case{"LengthTooLarge", with("Content-Length: 9223372036854775808\r\n"), 400},
        Case{"LengthWraps", with("Content-Length: 18446744073709551617\r\n"), 400},
        Case{"LengthUnicodeDigit", with("Content-Length: \xd9\xa5\r\n"), 400},
        Case{"Chunked", with("Transfer-Encoding: Chunked\r\n"), 0},
        Case{"BothChunkedFirst", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
        Case{"BothLengthFirst", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
        Case{"BothLengthZero", with("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"), 400},
        Case{"ChunkedTwice", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
             400},
        Case{"ChunkedChunked", with("Transfer-Encoding: chunked, chunked\r\n"), 501},
        Case{"CommaChunked", with("Transfer-Encoding: ,chunked\r\n"), 501},
        Case{"ChunkedComma", with("Transfer-Encoding: chunked,\r\n"), 501},
        Case{"EmptyCoding", with("Transfer-Encoding:\r\n"), 501},
        Case{"Identity", with("Transfer-Encoding: identity\r\n"), 501},
        Case{"GzipChunked", with("Transfer-Encoding: gzip, chunked\r\n"), 501},
        Case{"ChunkedIdentity", with("Transfer-Encoding: chunked, identity\r\n"), 501},
        Case{"XChunked", with("Transfer-Encoding: xchunked\r\n"), 501},
        Case{"ChunkedParameter", with("Transfer-Encoding: chunked;a=b\r\n"), 501},
        Case{"ChunkedQuoted", with("Transfer-Encoding: \"chunked\"\r\n"), 501},
        Case{"ChunkedVerticalTab", with("Transfer-Encoding: \vchunked\r\n"), 400},
        Case{"ChunkedCr", with("Transfer-Encoding: chunked\r\r\n"), 400},
        Case{"ChunkedInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        Case{"SpaceBeforeColonOfCoding", with("Transfer-Encoding : chunked\r\n"), 400},
        Case{"FoldedCoding", with("Transfer-Encoding:\r\n chunked\r\n"), 501},
        Case{"UnknownExpectation", with("Expect: 200-ok\r\n"), 417},
        Case{"EmptyExpectation", with("Expect:\r\n"), 0}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Limits, RequestCase,
    ::testing::Values(
        Case{"LineTooLong",
             first_line("GET /" + std::string(limits::http_line_bytes_max, 'a') + " HTTP/1.1"),
             414},
        Case{"LineTooLongAndCut", "GET /" + std::string(limits::http_line_bytes_max, 'a'), 414},
        Case{"HeaderTooLong", with("A: " + std::string(limits::http_line_bytes_max, 'a') + "\r\n"),
             431},
        Case{"HeadersTooLarge", with([] {
               std::string lines;
               for (int i = 0; i < 8; ++i) lines += "A: " + std::string(10'000, 'a') + "\r\n";
               return lines;
             }()),
             431},
        Case{"TooManyHeaders", with([] {
               std::string lines;
               for (std::size_t i = 0; i < limits::http_headers_count_max; ++i) lines += "A:\r\n";
               return lines;
             }()),
             431},
        Case{"AsManyHeadersAsAllowed", with([] {
               std::string lines;
               for (std::size_t i = 1; i < limits::http_headers_count_max; ++i) lines += "A:\r\n";
               return lines;
             }()),
             0}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(RequestHeadParser, GivesNamesInLowerCaseAndTrimmedValuesInOrder) {
  RequestHead head;
  Framing framing;
  ASSERT_EQ(status_of("PUT /a%20b?c=d HTTP/1.1\r\nHost: x:1\r\nX-Two: \t 1  1 \r\nx-TWO:2\r\n"
                      "Content-Length: 7\r\nExpect: 100-Continue\r\nConnection: close\r\n\r\n",
                      &head, &framing),
            0);
  EXPECT_EQ(head.method, "PUT");
  EXPECT_EQ(head.target, "/a%20b?c=d");
  EXPECT_EQ(head.minor_version, 1);
  EXPECT_EQ(head.headers, (HeaderList{{"host", "x:1"},
                                      {"x-two", "1  1"},
                                      {"x-two", "2"},
                                      {"content-length", "7"},
                                      {"expect", "100-Continue"},
                                      {"connection", "close"}}));
  EXPECT_EQ(*find_header(head.headers, "x-two"), "1  1");
  EXPECT_EQ(find_header(head.headers, "y"), nullptr);
  EXPECT_EQ(framing.body, BodyKind::length);
  EXPECT_EQ(framing.length, 7U);
  EXPECT_TRUE(framing.expect_continue);
  EXPECT_FALSE(framing.keep_alive);
}

TEST(RequestHeadParser, KeepsNothingOfTheRequestBefore) {
  RequestHead head;
  ASSERT_EQ(status_of(with("A: 1\r\nB: 2\r\nC: 3\r\n"), &head), 0);
  ASSERT_EQ(status_of("HEAD /z HTTP/1.0\r\nD: 4\r\n\r\n", &head), 0);
  EXPECT_EQ(head.headers, (HeaderList{{"d", "4"}}));
  EXPECT_EQ(head.method, "HEAD");
  EXPECT_EQ(head.target, "/z");
  EXPECT_EQ(head.minor_version, 0);
}

TEST(RequestHeadParser, ReducesTheAbsoluteFormToTheOriginForm) {
  for (auto [target, origin] : {std::pair{"http://x", "/"},
                                {"HTTP://x/", "/"},
                                {"https://x?q", "/?q"},
                                {"http://x/a?b", "/a?b"}}) {
    RequestHead head;
    ASSERT_EQ(status_of(first_line("GET " + std::string(target) + " HTTP/1.1"), &head), 0)
        << target;
    EXPECT_EQ(head.target, origin);
  }
}

TEST(HeadScanner, FindsTheSameEndHoweverTheBytesArrive) {
  std::string bytes = "\r\n" + with("A: b\r\n") + "GET /next";
  HeadScanner whole;
  std::size_t end = whole.scan(bytes).value();
  EXPECT_EQ(bytes.substr(end), "GET /next");
  HeadScanner cut;
  for (std::size_t size = 0; size < end; ++size) {
    ASSERT_EQ(cut.scan(std::string_view(bytes).substr(0, size)).value(), 0U) << size;
  }
  EXPECT_EQ(cut.scan(bytes).value(), end);
}

// ---- chunked bodies

struct ChunkResult {
  bool failed = false;
  bool done = false;
  std::string data;
  std::size_t consumed = 0;
};

/// Feeds the bytes in pieces of `piece`, and takes data in portions of at most `data_max`.
ChunkResult decode(std::string_view bytes, std::size_t piece, std::size_t data_max = 1000) {
  ChunkedDecoder decoder;
  ChunkResult out;
  std::size_t offered = 0;
  while (!decoder.done()) {
    if (out.consumed == offered) {
      if (offered == bytes.size()) break;
      offered = std::min(bytes.size(), offered + piece);
    }
    Parsed<ChunkedDecoder::Step> step =
        decoder.step(bytes.substr(out.consumed, offered - out.consumed), data_max);
    if (!step) {
      out.failed = true;
      return out;
    }
    out.data += step->data;
    out.consumed += step->consumed;
  }
  out.done = decoder.done();
  return out;
}

class ChunkCase : public ::testing::TestWithParam<Case> {};

TEST_P(ChunkCase, HasItsOutcomeHoweverItIsCut) {
  for (std::size_t piece : {1UL, 2UL, 3UL, 7UL, 100'000UL}) {
    ChunkResult out = decode(GetParam().bytes, piece);
    int status = out.failed ? 400 : out.done ? 0 : -1;
    EXPECT_EQ(status, GetParam().status) << "in pieces of " << piece;
  }
}

const std::string last = "0\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(
    Chunks, ChunkCase,
    ::testing::Values(
        Case{"Plain", "3\r\nabc\r\n" + last, 0}, Case{"Empty", last, 0},
        Case{"UpperAndLowerHex", "A\r\n0123456789\r\na\r\n0123456789\r\n" + last, 0},
        Case{"LeadingZeros", "0003\r\nabc\r\n000\r\n\r\n", 0},
        Case{"Prefix0x", "0x3\r\nabc\r\n" + last, 400}, Case{"Plus", "+3\r\nabc\r\n" + last, 400},
        Case{"Minus", "-3\r\nabc\r\n" + last, 400},
        Case{"Underscore", "0_3\r\nabc\r\n" + last, 400}, Case{"NoSize", "\r\nabc\r\n" + last, 400},
        Case{"OnlyExtension", ";a\r\nabc\r\n" + last, 400},
        Case{"SpaceBefore", " 3\r\nabc\r\n" + last, 400},
        Case{"SpaceAfter", "3 \r\nabc\r\n" + last, 400},
        Case{"TabAfter", "3\t\r\nabc\r\n" + last, 400},
        Case{"NulAfter", "3\0\r\nabc\r\n"s + last, 400},
        Case{"BareLfAfterSize", "3\nabc\r\n" + last, 400},
        Case{"BareCrAfterSize", "3\rabc\r\n" + last, 400},
        Case{"CrCrLfAfterSize", "3\r\r\nabc\r\n" + last, 400},
        Case{"BareLfAfterData", "3\r\nabc\n" + last, 400},
        Case{"BareCrAfterData", "3\r\nabc\r" + last, 400},
        Case{"NothingAfterData", "3\r\nabc" + last, 400},
        Case{"TwoBytesAfterData", "3\r\nabcXX" + last, 400},
        Case{"DataTooLong", "3\r\nabcd\r\n" + last, 400},
        Case{"SizeWraps", "10000000000000003\r\nabc\r\n" + last, 400},
        Case{"SizeHuge", "ffffffffffffffff\r\nabc\r\n" + last, 400},
        Case{"ManyLeadingZeros", std::string(16, '0') + "3\r\nabc\r\n" + last, 400},
        Case{"OtherLetter", "g\r\nabc\r\n" + last, 400},
        Case{"Extension", "3;a\r\nabc\r\n0;b=c;d=\"e;\\\"\"\r\n\r\n", 0},
        Case{"ExtensionWithSpace", "3; a\r\nabc\r\n" + last, 400},
        Case{"ExtensionWithoutName", "3;\r\nabc\r\n" + last, 400},
        Case{"ExtensionWithoutValue", "3;a=\r\nabc\r\n" + last, 400},
        Case{"ExtensionBareLf", "3;a\nabc\r\n" + last, 400},
        Case{"ExtensionBareLfQuoted", "3;a=\"\n\"\r\nabc\r\n" + last, 400},
        Case{"ExtensionBareCrQuoted", "3;a=\"\r\n\"\r\nabc\r\n" + last, 400},
        Case{"ExtensionNul", "3;a\0\r\nabc\r\n"s + last, 400},
        Case{"ExtensionAfterQuote", "3;a=\"b\"c\r\nabc\r\n" + last, 400},
        Case{"ExtensionTooLong",
             "3;" + std::string(limits::http_chunk_line_bytes_max, 'a') + "\r\nabc\r\n" + last,
             400},
        Case{"ExtensionsTooMany",
             [] {
               std::string many;
               for (int i = 0; i < 40; ++i) many += "1;" + std::string(500, 'a') + "\r\nx\r\n";
               return many + last;
             }(),
             400},
        Case{"Trailer", "0\r\nA: b\r\nC:\r\n\r\n", 0},
        Case{"TrailerSpaceBeforeColon", "0\r\nA : b\r\n\r\n", 400},
        Case{"TrailerFolded", "0\r\nA: b\r\n c\r\n\r\n", 400},
        Case{"TrailerWithoutColon", "0\r\nA\r\n\r\n", 400},
        Case{"TrailerBareLf", "0\r\nA: b\n\r\n", 400},
        Case{"TrailerBareCr", "0\r\nA: b\rC: d\r\n\r\n", 400},
        Case{"TrailerNul", "0\r\nA: \0\r\n\r\n"s, 400},
        Case{"TrailerContentLength", "0\r\nContent-Length: 5\r\n\r\n", 400},
        Case{"TrailerTransferEncoding", "0\r\ntransfer-encoding: chunked\r\n\r\n", 400},
        Case{"TrailerHost", "0\r\nHost: y\r\n\r\n", 400},
        Case{"TrailersTooLarge",
             "0\r\nA: " + std::string(limits::http_trailers_bytes_max, 'a') + "\r\n\r\n", 400},
        Case{"BareLfAtEnd", "0\r\n\n", 400}, Case{"CrXAtEnd", "0\r\n\rX", 400},
        Case{"CutInSize", "3", -1}, Case{"CutInData", "3\r\nab", -1},
        Case{"CutAfterLast", "0\r\n\r", -1}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ChunkedDecoder, GivesTheDataAndStopsBehindTheBody) {
  std::string bytes = "5\r\nhello\r\n6;x=1\r\n world\r\n0\r\nT: v\r\n\r\n";
  for (std::size_t piece : {1UL, 4UL, 1000UL}) {
    for (std::size_t data_max : {1UL, 3UL, 1000UL}) {
      ChunkResult out = decode(bytes + "GET /next", piece, data_max);
      EXPECT_TRUE(out.done);
      EXPECT_EQ(out.data, "hello world");
      EXPECT_EQ(out.consumed, bytes.size());
    }
  }
}

TEST(ChunkedDecoder, DataMayBeTakenPastIt) {
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.step("a\r\nxy", 100).value().data, "xy");
  EXPECT_EQ(decoder.data_left(), 8U);
  decoder.skip_data(8);
  EXPECT_EQ(decoder.data_left(), 0U);
  EXPECT_EQ(decoder.step("\r\n0\r\n\r\n", 100).value().consumed, 7U);
  EXPECT_TRUE(decoder.done());
}

// ---- responses

class ResponseCase : public ::testing::TestWithParam<Case> {};

TEST_P(ResponseCase, HasItsStatus) {
  ResponseMessageHead head;
  Parsed<Framing> framing = parse_response_head(GetParam().bytes, "GET", head);
  EXPECT_EQ(framing ? 0 : framing.error().status, GetParam().status);
}

std::string answer(std::string lines) {
  return "HTTP/1.1 200 OK\r\n" + lines + "\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    Responses, ResponseCase,
    ::testing::Values(
        Case{"Plain", answer("Content-Length: 2\r\n"), 0},
        Case{"NoReason", "HTTP/1.1 200\r\n\r\n", 0},
        Case{"EmptyReason", "HTTP/1.1 200 \r\n\r\n", 0},
        Case{"TwoDigits", "HTTP/1.1 20 OK\r\n\r\n", 400},
        Case{"FourDigits", "HTTP/1.1 2000 OK\r\n\r\n", 400},
        Case{"PlusStatus", "HTTP/1.1 +20 OK\r\n\r\n", 400},
        Case{"LowStatus", "HTTP/1.1 099 OK\r\n\r\n", 400},
        Case{"HighStatus", "HTTP/1.1 600 OK\r\n\r\n", 400},
        Case{"Version2", "HTTP/2.0 200 OK\r\n\r\n", 505}, Case{"NoVersion", "200 OK\r\n\r\n", 400},
        Case{"TwoSpaces", "HTTP/1.1  200 OK\r\n\r\n", 400},
        Case{"ControlInReason", "HTTP/1.1 200 O\x01K\r\n\r\n", 400},
        Case{"LengthTwice", answer("Content-Length: 2\r\nContent-Length: 2\r\n"), 400},
        Case{"Both", answer("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"), 400},
        Case{"BareLf", "HTTP/1.1 200 OK\nA: b\n\n", 400},
        Case{"Folded", answer("A: b\r\n c\r\n"), 400}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ResponseHeadParser, SaysHowTheBodyEnds) {
  auto kind = [](std::string_view bytes, std::string_view method) {
    ResponseMessageHead head;
    return parse_response_head(bytes, method, head).value().body;
  };
  EXPECT_EQ(kind(answer("Content-Length: 2\r\n"), "GET"), BodyKind::length);
  EXPECT_EQ(kind(answer("Content-Length: 0\r\n"), "GET"), BodyKind::none);
  EXPECT_EQ(kind(answer("Content-Length: 2\r\n"), "HEAD"), BodyKind::none);
  EXPECT_EQ(kind(answer("Transfer-Encoding: chunked\r\n"), "GET"), BodyKind::chunked);
  EXPECT_EQ(kind(answer(""), "GET"), BodyKind::until_close);
  EXPECT_EQ(kind("HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", "GET"), BodyKind::none);
  EXPECT_EQ(kind("HTTP/1.1 100 Continue\r\n\r\n", "PUT"), BodyKind::none);
}

// ---- writing

TEST(ResponseWriter, WritesStatusHeadersDateAndFraming) {
  std::string out;
  ASSERT_TRUE(append_response_head(out, {404, {{"X-A", "b"}}},
                                   {.body = BodyKind::length, .length = 12}, 1, "D"));
  EXPECT_EQ(out, "HTTP/1.1 404 Not Found\r\nX-A: b\r\nDate: D\r\nContent-Length: 12\r\n\r\n");
}

TEST(ResponseWriter, LeavesOutWhatBelongsToTheConnection) {
  std::string out;
  ASSERT_TRUE(append_response_head(out,
                                   {200,
                                    {{"Content-Length", "99"},
                                     {"transfer-encoding", "gzip"},
                                     {"Connection", "upgrade"},
                                     {"Date", "x"},
                                     {"Keep-Alive", "x"}}},
                                   {.body = BodyKind::chunked, .keep_alive = false}, 1, ""));
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}

TEST(ResponseWriter, RefusesWhatWouldSplitTheMessage) {
  for (auto [name, value] : {std::pair{"A"s, "b\r\nC: d"s},
                             {"A"s, "b\n"s},
                             {"A"s, "\0"s},
                             {"A\r\nB"s, "c"s},
                             {"A B"s, "c"s},
                             {""s, "c"s},
                             {"A:"s, "c"s}}) {
    std::string out = "before";
    EXPECT_FALSE(append_response_head(out, {200, {{name, value}}}, {}, 1, ""));
    EXPECT_EQ(out, "before");
  }
  std::string out;
  EXPECT_FALSE(append_response_head(out, {42, {}}, {}, 1, ""));
  EXPECT_FALSE(append_request_head(out, "GET", "/ HTTP/1.1\r\nA: b", {}, 0));
  EXPECT_FALSE(append_request_head(out, "GET", "/", {{"a", "b\r\nc: d"}}, 0));
  EXPECT_EQ(out, "");
}

TEST(RequestWriter, WritesWhatTheParserReads) {
  std::string out;
  ASSERT_TRUE(append_request_head(out, "POST", "/a?b", {{"host", "x"}, {"x-y", "z"}}, 3));
  RequestHead head;
  Framing framing;
  ASSERT_EQ(status_of(out, &head, &framing), 0);
  EXPECT_EQ(head.target, "/a?b");
  EXPECT_EQ(framing.length, 3U);
  EXPECT_EQ(head.headers, (HeaderList{{"host", "x"}, {"x-y", "z"}, {"content-length", "3"}}));
}

}  // namespace
}  // namespace wolke::net::http1
