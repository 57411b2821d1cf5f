// A runtime of C++ and libcurl: one handle for all requests, `Expect:` as curl sends it for large
// answers.
#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace {

const std::string fault =
    R"({"errorMessage":"refused","errorType":"Sample.Refused","stackTrace":["bootstrap"]})";

struct Answer {
  std::string body;
  std::map<std::string, std::string> headers;
};

size_t keep_body(char* data, size_t, size_t size, void* answer) {
  static_cast<Answer*>(answer)->body.append(data, size);
  return size;
}

size_t keep_header(char* data, size_t, size_t size, void* answer) {
  const std::string line(data, size);
  const auto colon = line.find(": ");
  if (colon != std::string::npos) {
    std::string name = line.substr(0, colon);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    static_cast<Answer*>(answer)->headers[name] =
        line.substr(colon + 2, line.find_last_not_of("\r\n") - colon - 1);
  }
  return size;
}

class Api {
 public:
  Answer get(const std::string& path) { return ask(path, nullptr, false); }
  void post(const std::string& path, const std::string& body, bool failed) {
    ask(path, &body, failed);
  }

 private:
  Answer ask(const std::string& path, const std::string* body, bool failed) {
    Answer answer;
    const std::string url = std::string("http://") + std::getenv("AWS_LAMBDA_RUNTIME_API") +
                            "/2018-06-01/runtime/" + path;
    curl_easy_reset(curl_);
    curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl_, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, keep_header);
    curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &answer);
    curl_slist* headers = nullptr;
    if (failed)
      headers = curl_slist_append(headers, "Lambda-Runtime-Function-Error-Type: Sample.Refused");
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers);
    if (body != nullptr) {
      curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE, static_cast<long>(body->size()));
      curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, body->data());
    }
    const CURLcode code = curl_easy_perform(curl_);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
      std::fprintf(stderr, "%s: %s\n", path.c_str(), curl_easy_strerror(code));
      std::exit(2);
    }
    return answer;
  }
  CURL* curl_ = curl_easy_init();
};

}  // namespace

int main() {
  Api api;
  if (std::getenv("BROKEN") != nullptr) {
    api.post("init/error", fault, true);
    return 1;
  }
  for (int count = 1;; ++count) {
    auto next = api.get("invocation/next");
    const std::string id = next.headers["lambda-runtime-aws-request-id"];
    std::printf("line of %s\n", id.c_str());
    std::fflush(stdout);
    if (next.body.find("fail") != std::string::npos) {
      api.post("invocation/" + id + "/error", fault, true);
      continue;
    }
    api.post("invocation/" + id + "/response",
             "{\"event\":" + next.body + ",\"count\":" + std::to_string(count) + ",\"id\":\"" + id +
                 "\",\"arn\":\"" + next.headers["lambda-runtime-invoked-function-arn"] +
                 "\",\"deadline\":" + next.headers["lambda-runtime-deadline-ms"] + "}",
             false);
  }
}
