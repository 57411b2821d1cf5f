// A Lambda function without a language runtime: a C++ program that speaks the Runtime API itself.
// It counts the words of the event's "text". Statically linked, it starts in about a millisecond.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

struct Response {
  int status = 0;
  std::string headers, body;
};

/// One connection, kept alive: a function that polls thousands of times a second should not connect
/// each time.
class Api {
 public:
  explicit Api(const std::string& address) : address_(address) {}

  Response call(const std::string& method, const std::string& path, const std::string& body) {
    std::string request = method + " /2018-06-01/runtime/" + path +
                          " HTTP/1.1\r\nHost: " + address_ +
                          "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    if (fd_ < 0) connect();
    for (std::size_t sent = 0; sent < request.size();) {
      ssize_t n = ::send(fd_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) fail("send");
      sent += static_cast<std::size_t>(n);
    }
    return read_response();
  }

  [[noreturn]] static void fail(const char* what) {
    std::perror(what);
    std::exit(1);
  }

 private:
  void connect() {
    std::size_t colon = address_.find(':');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<unsigned short>(std::stoi(address_.substr(colon + 1))));
    if (::inet_pton(AF_INET, address_.substr(0, colon).c_str(), &to.sin_addr) != 1)
      fail("AWS_LAMBDA_RUNTIME_API");
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) fail("connect");
  }

  Response read_response() {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) read_more();
    Response out;
    out.headers = buffer_.substr(0, end + 2);
    out.status = std::stoi(out.headers.substr(std::strlen("HTTP/1.1 ")));
    std::size_t length =
        static_cast<std::size_t>(std::stoull(header(out.headers, "content-length")));
    while (buffer_.size() < end + 4 + length) read_more();
    out.body = buffer_.substr(end + 4, length);
    buffer_.erase(0, end + 4 + length);
    return out;
  }

  void read_more() {
    char piece[16384];
    ssize_t n = ::recv(fd_, piece, sizeof piece, 0);
    if (n <= 0) std::exit(0);  // the service is gone
    buffer_.append(piece, static_cast<std::size_t>(n));
  }

 public:
  /// The header's value; the name in lower case.
  static std::string header(const std::string& headers, const std::string& name) {
    std::size_t at = headers.find("\r\n");
    while (at != std::string::npos && at + 2 < headers.size()) {
      std::size_t line = at + 2, colon = headers.find(':', line), end = headers.find("\r\n", line);
      std::string found = headers.substr(line, colon - line);
      for (char& c : found) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (found == name) {
        std::size_t value = headers.find_first_not_of(' ', colon + 1);
        return headers.substr(value, end - value);
      }
      at = end;
    }
    return "";
  }

 private:
  std::string address_;
  std::string buffer_;
  int fd_ = -1;
};

/// The words of the event's "text" member; a function with more to read would bring a JSON library.
int count_words(const std::string& event) {
  std::size_t at = event.find("\"text\"");
  if (at == std::string::npos) return -1;
  at = event.find('"', event.find(':', at));
  int words = 0;
  bool inside = false;
  for (++at; at < event.size() && event[at] != '"'; ++at) {
    bool space = event[at] == ' ' || event[at] == '\t';
    if (!space && !inside) ++words;
    inside = !space;
  }
  return words;
}

}  // namespace

int main() {
  const char* address = std::getenv("AWS_LAMBDA_RUNTIME_API");
  if (!address) {
    std::fprintf(stderr,
                 "AWS_LAMBDA_RUNTIME_API is not set: this program runs as a Lambda function.\n");
    return 1;
  }
  Api api(address);
  for (;;) {
    Response next = api.call("GET", "invocation/next", "");
    if (next.status != 200) return 1;
    std::string id = Api::header(next.headers, "lambda-runtime-aws-request-id");
    int words = count_words(next.body);
    if (words < 0) {
      api.call(
          "POST", "invocation/" + id + "/error",
          R"({"errorType":"Function.NoText","errorMessage":"The event has no member \"text\"."})");
    } else {
      std::printf("%d words\n", words);
      std::fflush(stdout);
      api.call("POST", "invocation/" + id + "/response",
               "{\"words\":" + std::to_string(words) + "}");
    }
  }
}
