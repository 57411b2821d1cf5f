#include "wolke/identity/chunked.h"

#include <gtest/gtest.h>

namespace wolke::identity {
namespace {

// The worked examples of the S3 API Reference: 66,560 bytes 'a' in chunks of 65,536, 1,024 and 0.
constexpr std::string_view secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view scope = "20130524/us-east-1/s3/aws4_request";
constexpr std::string_view date = "20130524T000000Z";

ChunkedOptions options(Payload payload, std::string seed) {
  ChunkedOptions out;
  out.payload = payload;
  out.decoded_bytes = 66560;
  out.signing_key = derive_signing_key(secret, "20130524", "us-east-1", "s3");
  out.seed_signature = std::move(seed);
  out.amz_date = date;
  out.scope = scope;
  return out;
}

const std::string seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
const std::string body =
    "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" +
    std::string(65536, 'a') +
    "\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" +
    std::string(1024, 'a') +
    "\r\n0;chunk-signature="
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";

struct Outcome {
  std::string code;  // empty: accepted
  std::string bytes;
  Headers trailers;
};

Outcome decode(ChunkedOptions how, std::string_view bytes, std::size_t piece = 1000) {
  ChunkedDecoder decoder(std::move(how));
  Outcome out;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    if (auto fed = decoder.feed(bytes.substr(0, piece), out.bytes); !fed) {
      out.code = fed.error().code;
      return out;
    }
  }
  auto end = decoder.finish();
  if (!end) {
    out.code = end.error().code;
  } else {
    out.trailers = *end;
  }
  return out;
}

TEST(Chunked, AcceptsTheSignedExampleOfTheS3ReferenceInPiecesOfAnySize) {
  for (std::size_t piece : {1UL, 7UL, 86UL, 65536UL, 1000000UL}) {
    const Outcome out = decode(options(Payload::streaming_signed, seed), body, piece);
    EXPECT_EQ(out.code, "");
    EXPECT_EQ(out.bytes, std::string(66560, 'a'));
  }
}

TEST(Chunked, ReleasesNoByteOfAChunkWhoseSignatureIsWrong) {
  std::string forged = body;
  forged[66000] = 'b';  // inside the second chunk
  const Outcome out = decode(options(Payload::streaming_signed, seed), forged);
  EXPECT_EQ(out.code, "SignatureDoesNotMatch");
  EXPECT_EQ(out.bytes.size(), 65536U);
}

TEST(Chunked, EveryPrefixIsIncomplete) {
  for (std::size_t cut :
       {body.size() - 1, body.size() - 2, body.size() - 80, std::size_t{66000}, std::size_t{0}}) {
    EXPECT_EQ(decode(options(Payload::streaming_signed, seed), body.substr(0, cut)).code,
              "IncompleteBody")
        << cut;
  }
}

TEST(Chunked, RefusesBytesAfterTheEnd) {
  EXPECT_EQ(decode(options(Payload::streaming_signed, seed), body + "x").code, "InvalidRequest");
}

TEST(Chunked, TheDecodedLengthMustBeTheAnnouncedOne) {
  ChunkedOptions fewer = options(Payload::streaming_signed, seed);
  fewer.decoded_bytes = 66559;
  EXPECT_EQ(decode(std::move(fewer), body).code, "IncompleteBody");
  ChunkedOptions more = options(Payload::streaming_signed, seed);
  more.decoded_bytes = 66561;
  EXPECT_EQ(decode(std::move(more), body).code, "IncompleteBody");
}

TEST(Chunked, RefusesAChunkBeyondTheLimit) {
  ChunkedOptions how = options(Payload::streaming_signed, seed);
  how.decoded_bytes = signed_chunk_bytes_max * 2;
  EXPECT_EQ(decode(std::move(how), "400001;chunk-signature=" + std::string(64, 'a') + "\r\n").code,
            "InvalidChunkSizeError");
}

TEST(Chunked, RefusesSizesThatAreNotPlainHexadecimal) {
  for (const char* size : {"0x10", "+10", "-1", " 10", "1_0", "", "11111111111111111"}) {
    ChunkedOptions how;
    how.payload = Payload::streaming_unsigned_trailer;
    how.decoded_bytes = 100;
    EXPECT_EQ(decode(std::move(how), std::string(size) + "\r\n").code, "InvalidRequest") << size;
  }
}

// Signed here, with the trailer of the reference's second example.
std::string signed_trailer_body(std::string_view key, std::string_view trailer_line) {
  std::string out;
  std::string previous = seed;
  for (std::size_t size : {65536UL, 1024UL, 0UL}) {
    const std::string data(size, 'a');
    previous = chunk_signature(key, date, scope, previous, data);
    out += (size == 65536  ? "10000"
            : size == 1024 ? "400"
                           : "0") +
           (";chunk-signature=" + previous) + "\r\n" + data;
    if (size > 0) out += "\r\n";
  }
  out += std::string(trailer_line) + "\r\n";
  return out + "x-amz-trailer-signature:" +
         trailer_signature(key, date, scope, previous, std::string(trailer_line) + "\n") +
         "\r\n\r\n";
}

TEST(Chunked, ReturnsASignedTrailerAndRefusesAForgedOne) {
  ChunkedOptions how = options(Payload::streaming_signed_trailer, seed);
  how.trailer_names = {"x-amz-checksum-crc32c"};
  std::string bytes = signed_trailer_body(how.signing_key, "x-amz-checksum-crc32c:sOO8/Q==");
  const Outcome out = decode(how, bytes);
  EXPECT_EQ(out.code, "");
  EXPECT_EQ(out.trailers, (Headers{{"x-amz-checksum-crc32c", "sOO8/Q=="}}));
  bytes[bytes.find("sOO8")] = 't';
  EXPECT_EQ(decode(how, bytes).code, "SignatureDoesNotMatch");
}

TEST(Chunked, ATrailerSignatureMustBeThereAndLast) {
  ChunkedOptions how = options(Payload::streaming_signed_trailer, seed);
  how.trailer_names = {"x-amz-checksum-crc32c"};
  std::string bytes = signed_trailer_body(how.signing_key, "x-amz-checksum-crc32c:sOO8/Q==");
  const std::size_t at = bytes.find("x-amz-trailer-signature");
  EXPECT_EQ(decode(how, bytes.substr(0, at) + "\r\n").code, "SignatureDoesNotMatch");
  const std::string after = bytes.substr(0, bytes.size() - 2) + "x-amz-meta-a:b\r\n\r\n";
  EXPECT_EQ(decode(how, after).code, "MalformedTrailerError");
}

TEST(Chunked, AnUnsignedBodyBringsExactlyTheAnnouncedTrailers) {
  ChunkedOptions how;
  how.payload = Payload::streaming_unsigned_trailer;
  how.decoded_bytes = 5;
  how.trailer_names = {"x-amz-checksum-crc32"};
  const Outcome out = decode(how, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", 3);
  EXPECT_EQ(out.code, "");
  EXPECT_EQ(out.bytes, "hello");
  EXPECT_EQ(out.trailers, (Headers{{"x-amz-checksum-crc32", "NhCmhg=="}}));
  EXPECT_EQ(decode(how, "5\r\nhello\r\n0\r\n\r\n").code, "MalformedTrailerError");
  EXPECT_EQ(decode(how, "5\r\nhello\r\n0\r\nx-amz-checksum-sha1:a\r\n\r\n").code,
            "MalformedTrailerError");
  EXPECT_EQ(decode(how, "5\r\nhello!\r\n0\r\n\r\n").code, "InvalidRequest");
}

}  // namespace
}  // namespace wolke::identity
