#include "wolke/cli/client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "wolke/base/env.h"
#include "wolke/base/hash.h"
#include "wolke/base/text.h"

namespace wolke::cli {

namespace {

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* out) {
  static_cast<std::string*>(out)->append(data, size * count);
  return size * count;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* out) {
  std::string_view line(data, size * count);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  std::size_t colon = line.find(':');
  if (colon != std::string_view::npos) {
    static_cast<identity::Headers*>(out)->emplace_back(to_lower(line.substr(0, colon)),
                                                       std::string(trim(line.substr(colon + 1))));
  }
  return size * count;
}

std::string query_text(const QueryPairs& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    out += percent_encode(name) + "=" + percent_encode(value);
  }
  return out;
}

std::string env_or(const char* name, std::string fallback) {
  const char* value = std::getenv(name);
  return value && *value ? value : std::move(fallback);
}

/// A refused key: the caller is told which it was.
bool is_key_refused(const Error& error) {
  for (std::string_view code : {"UnrecognizedClientException", "InvalidClientTokenId",
                                "InvalidAccessKeyId", "SignatureDoesNotMatch"}) {
    if (error.code == code) return true;
  }
  return false;
}

/// The API's error in whichever of the three forms it came.
Error api_error(const ApiResponse& response) {
  Error error{.code = "", .status = response.status, .message = ""};
  if (Result<shape::Json> json = shape::parse_json(response.body); json && json->object()) {
    error.code = json->string_at("__type").value_or(json->string_at("Code").value_or(""));
    error.message = json->string_at("message").value_or(json->string_at("Message").value_or(""));
    if (auto reason = json->string_at("Reason")) error.message += " (" + *reason + ")";
    if (const std::string* type = response.header("x-amzn-errortype"); type && error.code.empty()) {
      error.code = type->substr(0, type->find(':'));
    }
  } else {
    error.code = xml_text(response.body, "Code");
    error.message = xml_text(response.body, "Message");
  }
  if (error.code.empty()) error.code = fmt::format("HTTP {}", response.status);
  return error;
}

}  // namespace

struct Client::Connection {
  CURL* handle = curl_easy_init();
  ~Connection() { curl_easy_cleanup(handle); }
};

const std::string* ApiResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return &value;
  }
  return nullptr;
}

Client::Client(ServerAddress server, std::string region)
    : endpoint_(std::move(server.endpoint)),
      credentials_(std::move(server.credentials)),
      key_origin_(std::move(server.key_origin)),
      region_(std::move(region)),
      connection_(std::make_unique<Connection>()) {}

Client::~Client() = default;

Result<ApiResponse> Client::send(const ApiRequest& request) {
  identity::RequestToSign signed_request{.method = request.method,
                                         .path = request.path,
                                         .query = query_text(request.query),
                                         .headers = request.headers};
  std::size_t scheme = endpoint_.find("://");
  signed_request.headers.emplace_back("host", endpoint_.substr(scheme + 3));
  identity::sign_header(signed_request, credentials_,
                        {.region = region_, .service = request.service},
                        to_hex(sha256(request.body)), system_env().clock.wall());

  CURL* curl = connection_->handle;
  curl_easy_reset(curl);
  std::string url = endpoint_ + request.path;
  if (!request.query.empty()) url += "?" + signed_request.query;
  curl_slist* lines = nullptr;
  for (const auto& [name, value] : signed_request.headers) {
    lines = curl_slist_append(lines, (value.empty() ? name + ";" : name + ": " + value).c_str());
  }
  lines = curl_slist_append(lines, "Expect:");
  ApiResponse response;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &response.body);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &response.headers);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 1000L);  // a synchronous invoke may take 15 minutes
  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  }
  CURLcode code = curl_easy_perform(curl);
  curl_slist_free_all(lines);
  if (code != CURLE_OK) {
    return fail({.code = "Unreachable",
                 .status = 503,
                 .message = fmt::format(
                     "no server answers at {} ({}): start one with `wolke dev`, or name it with "
                     "--data-dir or --endpoint",
                     endpoint_, curl_easy_strerror(code))});
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  return response;
}

Result<ApiResponse> Client::call(const ApiRequest& request) {
  TRY(ApiResponse response, send(request));
  if (response.status < 300) return response;
  Error error = api_error(response);
  if (is_key_refused(error)) error.message += fmt::format(" (signed with {})", key_origin_);
  return fail(std::move(error));
}

Result<shape::Json> Client::call_json(const ApiRequest& request) {
  TRY(ApiResponse response, call(request));
  if (response.body.empty()) return shape::Json(shape::Json::Object{});
  return shape::parse_json(response.body);
}

Result<std::string> Client::call_query(const std::string& service, QueryPairs parameters) {
  parameters.emplace_back("Version", service == "sts" ? "2011-06-15" : "2010-05-08");
  TRY(ApiResponse response,
      call({.service = service,
            .method = "POST",
            .headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}},
            .body = query_text(parameters)}));
  return std::move(response.body);
}

Result<shape::Json> Client::call_target(const std::string& service, const std::string& target,
                                        const shape::Json& input) {
  return call_json(
      {.service = service,
       .method = "POST",
       .headers = {{"content-type", "application/x-amz-json-1.1"}, {"x-amz-target", target}},
       .body = input.text()});
}

std::string Client::presign(const std::string& bucket, const std::string& key,
                            std::chrono::seconds lifetime) const {
  std::size_t scheme = endpoint_.find("://");
  identity::RequestToSign request{.method = "GET",
                                  .path = "/" + bucket + "/" + percent_encode(key, true),
                                  .headers = {{"host", endpoint_.substr(scheme + 3)}}};
  return endpoint_ + identity::presign_url(request, credentials_,
                                           {.region = region_, .service = "s3"}, lifetime,
                                           system_env().clock.wall());
}

Result<std::unique_ptr<Client>> connect(const ClientOptions& options) {
  // An option is newer than a variable: --data-dir leads to that directory's server.
  std::string endpoint = options.endpoint;
  if (endpoint.empty() && options.data_dir.empty()) endpoint = env_or("WOLKE_ENDPOINT", "");
  Named named{.endpoint = std::move(endpoint),
              .data_directory = !options.data_dir.empty() || !env_or("WOLKE_DATA_DIR", "").empty(),
              .credentials = {.access_key_id = env_or("WOLKE_ACCESS_KEY_ID", ""),
                              .secret = env_or("WOLKE_SECRET_ACCESS_KEY", ""),
                              .session_token = env_or("WOLKE_SESSION_TOKEN", "")}};
  TRY(ServerAddress server,
      find_server(named, read_data_directory(options.data_dir.empty() ? default_data_dir()
                                                                      : options.data_dir)));
  return std::make_unique<Client>(std::move(server), options.region);
}

std::string xml_text(std::string_view document, std::string_view name) {
  std::string open = fmt::format("<{}>", name), close = fmt::format("</{}>", name);
  std::size_t from = document.find(open);
  if (from == std::string_view::npos) return "";
  from += open.size();
  std::size_t to = document.find(close, from);
  if (to == std::string_view::npos) return "";
  std::string text(document.substr(from, to - from));
  for (auto [entity, character] : {std::pair{"&lt;", "<"},
                                   {"&gt;", ">"},
                                   {"&quot;", "\""},
                                   {"&#34;", "\""},
                                   {"&apos;", "'"},
                                   {"&amp;", "&"}}) {
    for (std::size_t at = 0; (at = text.find(entity, at)) != std::string::npos; ++at) {
      text.replace(at, std::string_view(entity).size(), character);
    }
  }
  return text;
}

std::string default_data_dir() {
  if (const char* dir = std::getenv("WOLKE_DATA_DIR"); dir && *dir) return dir;
  if (::geteuid() == 0) return "/var/lib/wolke";
  if (const char* xdg = std::getenv("XDG_DATA_HOME"); xdg && *xdg)
    return std::string(xdg) + "/wolke";
  const char* home = std::getenv("HOME");
  return std::string(home && *home ? home : ".") + "/.local/share/wolke";
}

}  // namespace wolke::cli
