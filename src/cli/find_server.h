#pragma once
// Which server a verb speaks to, and with which key: a pure function over what the user named and
// what a data directory tells. The user's own AWS configuration is never looked at. A directory
// that was named and holds no running server is an error that says so; nothing is made up instead.

#include <optional>
#include <string>

#include "wolke/base/result.h"
#include "wolke/identity/sign.h"

namespace wolke::cli {

/// What a directory tells of the server that keeps its data there.
struct DataDirectory {
  enum class File { there, absent, denied };
  std::string path;
  File directory = File::absent;
  File endpoint_file = File::absent;  // of a running server only
  std::string endpoint;               // "http://127.0.0.1:4566"
  bool dev = false;
  File credentials_file = File::absent;
  std::optional<identity::Credentials> root;
};
DataDirectory read_data_directory(const std::string& path);

/// What the user said: options, else WOLKE_… variables; empty where they said nothing.
struct Named {
  std::string endpoint;
  bool data_directory = false;  // the directory is the user's choice, not the default
  identity::Credentials credentials;
};

struct ServerAddress {
  std::string endpoint;  // without a slash at the end
  identity::Credentials credentials;
  std::string key_origin;  // "test/test, because …": added to what a refused key is told
};

/// "Usage": no URL. "Unreachable": nothing runs in the named directory. "NoCredentials" (403): the
/// server's key is not to be had.
Result<ServerAddress> find_server(const Named& named, const DataDirectory& directory);

}  // namespace wolke::cli
