// The classes of HTTP/1 parser bugs that the HTTP Garden's collection lists, one row for each: 48
// of servers (S), 24 of proxies (P; its number 8 is not used) and 7 others (O). Proxies' bugs
// matter to a server, too: it is what stands behind them. A row gives the bytes of a connection and
// all that may come of them: the requests read from it, with their bodies, and the refusal that
// ends it.
//
// Source: HTTP Garden, "Bugs" (TROPHIES.md); RFC 9112 for what is right.

#include <gtest/gtest.h>

#include <ostream>
#include <set>
#include <vector>

#include "wolke/net/http1.h"

namespace wolke::net::http1 {
namespace {

using namespace std::string_literals;

std::optional<std::string> read_chunked(std::string_view& rest) {
  ChunkedDecoder decoder;
  std::string body;
  while (!decoder.done()) {
    Parsed<ChunkedDecoder::Step> step = decoder.step(rest, 1000);
    if (!step) return std::nullopt;
    if (step->consumed == 0) return body + "…";
    body += step->data;
    rest.remove_prefix(step->consumed);
  }
  return body;
}

/// One request off the front of `rest`; sets `ended` when the connection takes no more.
std::string read_request(std::string_view& rest, bool& ended) {
  HeadScanner scanner;
  RequestHead head;
  ended = true;
  Parsed<std::size_t> size = scanner.scan(rest);
  if (!size) return std::to_string(size.error().status);
  if (*size == 0) return "waits";
  Parsed<Framing> framing = parse_request_head(rest.substr(0, *size), head);
  if (!framing) return std::to_string(framing.error().status);
  rest.remove_prefix(*size);
  std::string out = head.method + " " + head.target;
  for (const auto& [name, value] : head.headers) {
    if (name == "kept") out += " {" + value + "}";
  }
  if (framing->body == BodyKind::chunked) {
    const std::optional<std::string> body = read_chunked(rest);
    if (!body) return "400";
    out += " [" + *body + "]";
  } else if (framing->body == BodyKind::length) {
    const std::string_view body = rest.substr(0, framing->length);
    out += " [" + std::string(body) + (body.size() < framing->length ? "…]" : "]");
    rest.remove_prefix(body.size());
  }
  ended = !framing->keep_alive;
  return out;
}

std::string outcome(std::string_view bytes) {
  std::string out;
  bool ended = false;
  while (!ended && !bytes.empty()) {
    if (!out.empty()) out += ", ";
    out += read_request(bytes, ended);
  }
  return out;
}

struct Row {
  std::string number;
  const char* bug;
  std::string bytes;
  std::string outcome;
};
void PrintTo(const Row& row, std::ostream* os) {
  *os << row.number << ": " << row.bug;
}

std::string get(const std::string& lines) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + lines + "\r\n";
}
std::string post(const std::string& lines) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + lines + "\r\n";
}
std::string chunked(const std::string& body) {
  return post("Transfer-Encoding: chunked\r\n") + body;
}
std::string line(const std::string& first) {
  return first + "\r\nHost: h\r\n\r\n";
}
const std::string last = "0\r\n\r\n";
const std::string evil = "GET /evil HTTP/1.1\r\nHost: h\r\n\r\n";

// long: a table
std::vector<Row> framing_rows() {
  return {
      {"S1", "chunk-size by Python's int", chunked("0_2e\r\n\r\n" + evil + last), "400"},
      {"S10", "content-length by Python's int", post("Content-Length: +1_0\r\n") + "0123456789",
       "400"},
      {"S11", "two chunked codings are no body",
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") + "1\r\nZ\r\n" + last,
       "400"},
      {"S12", "A0 and 85 stripped around a coding",
       post("Transfer-Encoding: \xa0"
            "chunked\xa0\r\n") +
           last,
       "501"},
      {"S16", "empty content-length is 0", post("Content-Length: \r\n"), "400"},
      {"S17", "empty chunk-size is 0", chunked("\r\n\r\n" + evil), "400"},
      {"S21", ",chunked is not chunked",
       post("Transfer-Encoding: ,chunked\r\nContent-Length: 5\r\n") + last, "501"},
      {"S22", "longest valid prefix of a chunk-size", chunked("2x\r\nab\r\n" + last), "400"},
      {"S23", "two content-lengths, the first counts",
       post("Content-Length: 1\r\nContent-Length: 0\r\n") + "Z", "400"},
      {"S25", "chunk-size by strtoll", chunked("-0x0\r\n\r\n"), "400"},
      {"S26", "negative content-length loops", post("Content-Length: -48\r\n"), "400"},
      {"S29", "longest valid prefix of a content-length", post("Content-Length: 1Z\r\n") + "Z",
       "400"},
      {"S31", "a chunk line ends at CR and any byte",
       chunked("5\r\r;ABCD\r\n34\r\nE\r\n" + last + evil), "400"},
      {"S32", "content-length in octal", post("Content-Length: 010\r\n") + "0123456789" + evil,
       "POST / [0123456789], GET /evil"},
      {"S33", "two content-lengths, the last counts",
       post("Content-Length: 0\r\nContent-Length: 1\r\n") + "Z", "400"},
      {"S36", "CR in the space of a chunk extension", chunked("3;a=b\r\rXXX\r\n" + last + evil),
       "400"},
      {"S38", "empty content-length reads until a timeout", get("Content-Length: \r\n") + evil,
       "400"},
      {"S39", "a chunked body ends at CRLF and any two bytes",
       chunked("0\r\nX:POST / HTTP/1.1\r\n\r\n") + evil, "POST / [], GET /evil"},
      {"S42", "empty content-length before another",
       post("Content-Length: \r\nContent-Length: 43\r\n") + evil, "400"},
      {"S44", "an unknown coding is chunked",
       post("Transfer-Encoding: blegh\r\n") + "1\r\nZ\r\n" + last, "501"},
      {"S47", "after an invalid chunk the next line is a request", chunked("INVALID!!!\r\n" + evil),
       "400"},
      {"S48", "a pipelined request is the body of the one before",
       post("Content-Length: 0\r\n") + post("Content-Length: 3\r\n") + "abc" + evil,
       "POST /, POST / [abc], GET /evil"},
      {"P1", "0x in a content-length", post("Content-Length: 0x10\r\n") + "Z", "400"},
      {"P2", "letters as a chunk-size", chunked("Z\r\nZZ\r\nZZZ\r\n\r\n"), "400"},
      {"P3", "CR before a chunk extension", chunked("2\r\r;a\r\n02\r\n41\r\n" + last), "400"},
      {"P4", "the body of invalid chunks is left out", chunked("1\r0\n"), "400"},
      {"P5", "an empty content-length goes on", get("content-length: \r\n"), "400"},
      {"P7", "a chunk-size as its longest prefix, written anew",
       chunked("1these-bytes\r\nZ\r\n" + last), "400"},
      {"P9", ",chunked goes on as chunked", post("Transfer-Encoding: ,chunked\r\n") + last, "501"},
      {"P11", "an empty content-length before another goes on",
       get("content-length: \r\ncontent-length: 59\r\n") + evil, "400"},
      {"P13", "a chunk's data ends at a bare LF", chunked("a\r\n0123456789\n" + last), "400"},
      {"P15", "both framings, and the coding unknown",
       post("Transfer-Encoding: ,chunked\r\nContent-Length: 5\r\n") + last, "501"},
      {"P17", "an empty line before the last chunk", chunked("1\r\nZ\r\n\r\n" + last + evil),
       "400"},
      {"P18", ",chunked goes on, not understood",
       get("Transfer-Encoding: ,chunked\r\n") + last + evil, "501"},
      {"P19", "signs and 0x in chunk-sizes", chunked("+0x1\r\nZ\r\n" + last), "400"},
      {"P21", "a GET's body is dropped and its length stays",
       get("Content-Length: 10\r\n") + "1234567890" + evil, "GET / [1234567890], GET /evil"},
      {"P22", "two content-lengths go on",
       post("Content-Length: 0\r\nContent-Length: 31\r\n") + evil, "400"},
      {"P23", "content-length and a coding go on",
       post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + last, "400"},
      {"P24", "space before a chunk-size", chunked("     0\r\n\r\n"), "400"},
      {"P25", "two chunked codings go on as one",
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") + last, "400"},
  };
}

std::vector<Row> head_rows() {
  return {
      {"S2", "NUL, CR or LF in a value", get("A: v\0\ralue\r\n"s), "400"},
      {"S3", "space stripped from the end of a name", get("Content-Length : 3\r\n") + "abc", "400"},
      {"S4", "space stripped from the start of the first name",
       "GET / HTTP/1.1\r\n\tContent-Length: 1\r\nHost: h\r\n\r\nX", "400"},
      {"S5", "a version as its longest valid prefix", line("GET / HTTP/1.32"), "400"},
      {"S6", "a method as its longest valid prefix", line("G=\":<>(e),[T];?\" / HTTP/1.1"), "400"},
      {"S7", "targets are not checked", line("GET ! HTTP/1.1"), "400"},
      {"S8", "other than ASCII in a name",
       get("\xef"
           "foo: bar\r\n"),
       "400"},
      {"S9", "LF between the parts of the first line", line("GET /\nHTTP/1.1"), "400"},
      {"S13", "CR ends a header", get("Visible: :/\rSmuggled: :)\r\n"), "400"},
      {"S14", "control characters and separators in a name", get("\x01(),/;<=>?@[]{}: a\r\n"),
       "400"},
      {"S15", "versions are not checked", line("GET / HTTP/\r\r1.1"), "400"},
      {"S18", "an empty name", get(": ignored\r\n"), "400"},
      {"S19", "LF stripped from the start of a value", get("Useless:\n\nGET / HTTP/1.1\r\n"),
       "400"},
      {"S20", "A0 and 85 stripped from the end of a name", get("Content-Length\x85: 3\r\n") + "abc",
       "400"},
      {"S24", "a version number that wraps", line("GET / HTTP/4294967295.255"), "400"},
      {"S27", "a header without name and value ends the head", get(":\r\nA: chopped off\r\n"),
       "400"},
      {"S28", "no colon needed", get("Content-Length 10\r\n") + "0123456789", "400"},
      {"S30", "the head ends at CRLF, CR and any byte",
       "GET / HTTP/1.1\r\nHost: h\r\n\rZGET /evil: HTTP/1.1\r\nHost: h\r\n\r\n", "400"},
      {"S34", "CR in a value", get("A: va\rlue\r\n"), "400"},
      {"S35", "a value is cut at NUL", get("A: test\0dropped\r\n"s), "400"},
      {"S37", "a name goes on in the next line",
       post("Transfer-\r\nEncoding: chunked\r\nContent-Length: 5\r\n") + last, "400"},
      {"S40", "methods and versions are not checked", line("\0 / HTTP/....0596.7407."s), "400"},
      {"S41", "A0 and 85 stripped around a value",
       get("Kept: \x85"
           "admin\xa0\r\n"),
       "GET / {\x85"
       "admin\xa0}"},
      {"S43", "NUL stripped from the end of a value", get("Evil: evil\0\r\n"s), "400"},
      {"S45", "an invalid request after the last one cuts its answer",
       get("Connection: close\r\n") + "Invalid\r\n\r\n", "GET /"},
      {"S46", "bytes above 80 stripped around a host",
       "POST / HTTP/1.1\r\nHost: \xff"
       "h\xff\r\n\r\n",
       "400"},
      {"P6", "bytes that no name has go on", get("Header\x85: value\r\n"), "400"},
      {"P10", "CR in a value goes on", get("A: this\ris\rinvalid\r\n"), "400"},
      {"P12", "NUL in a value goes on", "GET / HTTP/1.1\r\nHost: h\0.x\r\n\r\n"s, "400"},
      {"P14", "a line without a colon goes on", get("Te\nst: test\r\n"), "400"},
      {"P16", "LF as the end of lines goes on", "GET / HTTP/1.1\nHost: h\n\n", "400"},
      {"P20", "a header with NUL joins the one before", get("a:b\r\nc\0\r\n"s), "400"},
  };
}

std::vector<Row> other_rows() {
  return {
      {"O1", "an empty body is copied from nowhere", post("Content-Length: 0\r\n"), "POST /"},
      {"O2", "a session is used after its end", get("Connection: close\r\n") + evil, "GET /"},
      {"O3", "a byte after a chunked body crashes", chunked(last + "\0"s), "POST / [], 400"},
      {"O4", "a chunked body is echoed", chunked("1\r\nZ\r\n" + last) + evil,
       "POST / [Z], GET /evil"},
      {"O5", "any request dereferences nothing", get(""), "GET /"},
      {"O6", "HTTP/2: space around a value goes on to HTTP/1", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
       "505"},
      {"O7", "HTTP/2: an empty name goes on to HTTP/1",
       "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string(9, '\0'), "505"},
  };
}

std::vector<Row> all_rows() {
  std::vector<Row> out = framing_rows();
  for (Row& row : head_rows()) out.push_back(std::move(row));
  for (Row& row : other_rows()) out.push_back(std::move(row));
  return out;
}

class BugClass : public ::testing::TestWithParam<Row> {};

TEST_P(BugClass, GivesNothingElse) {
  EXPECT_EQ(outcome(GetParam().bytes), GetParam().outcome);
}

INSTANTIATE_TEST_SUITE_P(HttpGarden, BugClass, ::testing::ValuesIn(all_rows()),
                         [](const auto& info) { return info.param.number; });

TEST(BugClasses, AreAllThere) {
  std::set<std::string> numbers;
  for (const Row& row : all_rows()) numbers.insert(row.number);
  std::set<std::string> wanted;
  for (int i = 1; i <= 48; ++i) wanted.insert("S" + std::to_string(i));
  for (int i = 1; i <= 25; ++i) {
    if (i != 8) wanted.insert("P" + std::to_string(i));
  }
  for (int i = 1; i <= 7; ++i) wanted.insert("O" + std::to_string(i));
  EXPECT_EQ(numbers, wanted);
  EXPECT_EQ(all_rows().size(), 79U);
}

}  // namespace
}  // namespace wolke::net::http1
