// CPU time of the codec per request: scanning and parsing the head of a signed SDK call, and
// writing the head of its answer. `--smoke` runs few rounds, to hold that it works.

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <string_view>

#include "wolke/net/http1.h"

namespace {

using namespace wolke::net;

constexpr std::string_view sdk_request =
    "PUT /photos/2026/11/cat.jpg?x-id=PutObject HTTP/1.1\r\n"
    "host: 127.0.0.1:4566\r\n"
    "content-type: image/jpeg\r\n"
    "x-amz-user-agent: aws-sdk-js/3.600.0\r\n"
    "user-agent: aws-sdk-js/3.600.0 ua/2.0 os/linux#6.1.0 lang/js md/nodejs#22.1.0 "
    "api/s3#3.600.0\r\n"
    "amz-sdk-invocation-id: 9e2b2cbb-7ff2-4f6f-bd0f-44a1b0fba4a4\r\n"
    "amz-sdk-request: attempt=1; max=3\r\n"
    "x-amz-date: 20261123T095113Z\r\n"
    "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n"
    "authorization: AWS4-HMAC-SHA256 "
    "Credential=AKIAIOSFODNN7EXAMPLE/20261123/us-east-1/s3/aws4_request, "
    "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
    "Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024\r\n"
    "content-length: 18\r\n"
    "connection: keep-alive\r\n\r\n";
constexpr std::string_view small_request = "GET / HTTP/1.1\r\nHost: 127.0.0.1:4566\r\n\r\n";

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

template <class Work>
void measure(const char* what, int rounds, Work work) {
  double begin = cpu_seconds();
  for (int i = 0; i < rounds; ++i) work();
  fmt::print("{:<34} {:>8.0f} CPU-ns\n", what, (cpu_seconds() - begin) / rounds * 1e9);
}

void parse(std::string_view bytes, RequestHead& head) {
  http1::HeadScanner scanner;
  std::size_t size = scanner.scan(bytes).value();
  ASSERT(http1::parse_request_head(bytes.substr(0, size), head).has_value());
}

}  // namespace

int main(int argc, char** argv) {
  bool smoke = argc > 1 && std::string_view(argv[1]) == "--smoke";
  int rounds = smoke ? 1000 : 1'000'000;
  RequestHead head;
  measure("parse a signed SDK request", rounds, [&] { parse(sdk_request, head); });
  measure("parse a small GET", rounds, [&] { parse(small_request, head); });
  std::string out;
  ResponseHead response{200, {{"Content-Type", "application/xml"}, {"x-amz-request-id", "7J2K9"}}};
  measure("write a response head", rounds, [&] {
    out.clear();
    http1::Framing framing{.body = http1::BodyKind::length, .length = 512};
    ASSERT(http1::append_response_head(out, response, framing, 1, "Mon, 23 Nov 2026 09:51:13 GMT"));
  });
  return 0;
}
