#pragma once
// Client: the command line's door to a server's public APIs: signed HTTP requests (libcurl), JSON
// and XML answers. It knows nothing of the server's insides; whatever a verb does, a user can do
// with the aws CLI.
//
// Lifetime: one process, one thread. Failure: "Unreachable" when no server answers, else the API's
// own code and message.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/base/uri.h"
#include "wolke/cli/find_server.h"
#include "wolke/cli/options.h"
#include "wolke/identity/sign.h"
#include "wolke/shape/json.h"

namespace wolke::cli {

struct ApiRequest {
  std::string service;  // signing name
  std::string method = "GET";
  std::string path = "/";  // percent-encoded
  QueryPairs query;
  identity::Headers headers;  // names lower case
  std::string body;
};

struct ApiResponse {
  int status = 0;
  identity::Headers headers;
  std::string body;

  const std::string* header(std::string_view name) const;
};

class Client {
 public:
  Client(ServerAddress server, std::string region);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Any HTTP status is a response; the error is that none came.
  Result<ApiResponse> send(const ApiRequest& request);
  /// A status of 300 or more becomes the API's error.
  Result<ApiResponse> call(const ApiRequest& request);
  /// restJson and `/_wolke` answers.
  Result<shape::Json> call_json(const ApiRequest& request);
  /// awsQuery: Action and its parameters; the answer's XML text.
  Result<std::string> call_query(const std::string& service, QueryPairs parameters);
  /// awsJson1.1.
  Result<shape::Json> call_target(const std::string& service, const std::string& target,
                                  const shape::Json& input);

  std::string presign(const std::string& bucket, const std::string& key,
                      std::chrono::seconds lifetime) const;

  const std::string& endpoint() const { return endpoint_; }
  const std::string& region() const { return region_; }
  const identity::Credentials& credentials() const { return credentials_; }

 private:
  struct Connection;
  std::string endpoint_;  // "http://127.0.0.1:4566"
  identity::Credentials credentials_;
  std::string key_origin_;
  std::string region_;
  std::unique_ptr<Connection> connection_;
};

/// Endpoint and credentials by the rules of ClientOptions; never from the user's own AWS
/// configuration.
Result<std::unique_ptr<Client>> connect(const ClientOptions& options);

/// The text of the first <name>…</name> in an XML answer, unescaped; empty when there is none.
std::string xml_text(std::string_view document, std::string_view name);

}  // namespace wolke::cli
