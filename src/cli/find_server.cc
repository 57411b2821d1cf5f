#include "wolke/cli/find_server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "wolke/base/text.h"

namespace wolke::cli {

namespace {

using File = DataDirectory::File;

constexpr std::string_view default_endpoint = "http://127.0.0.1:4566";

File look(const std::string& path) {
  if (::access(path.c_str(), R_OK) == 0) return File::there;
  return errno == EACCES ? File::denied : File::absent;
}

/// The credentials file that the server wrote at its first start.
std::optional<identity::Credentials> read_credentials(const std::string& path) {
  std::ifstream file(path);
  identity::Credentials out;
  for (std::string line; std::getline(file, line);) {
    std::size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    std::string_view name = trim(std::string_view(line).substr(0, equals));
    std::string_view value = trim(std::string_view(line).substr(equals + 1));
    if (name == "aws_access_key_id") out.access_key_id = value;
    if (name == "aws_secret_access_key") out.secret = value;
  }
  if (out.access_key_id.empty() || out.secret.empty()) return std::nullopt;
  return out;
}

std::unexpected<Error> unreachable(std::string sentence) {
  return fail({.code = "Unreachable", .status = 503, .message = std::move(sentence)});
}

Result<std::string> choose_endpoint(const Named& named, const DataDirectory& directory) {
  const std::string start = fmt::format("`wolke dev --data-dir {}`", directory.path);
  std::string endpoint = named.endpoint;
  if (endpoint.empty()) endpoint = directory.endpoint;
  if (endpoint.empty() && named.data_directory) {
    if (directory.directory == File::absent) {
      return unreachable(
          fmt::format("there is no directory {}: give the one that a server was started with, or "
                      "start one there with {}",
                      directory.path, start));
    }
    if (directory.directory == File::denied || directory.endpoint_file == File::denied) {
      return unreachable(
          fmt::format("{} is not yours to read, so the server's address and key are not known: be "
                      "its owner, or give --endpoint, WOLKE_ACCESS_KEY_ID and "
                      "WOLKE_SECRET_ACCESS_KEY",
                      directory.path));
    }
    return unreachable(fmt::format("no server runs with its data in {}: start one with {}",
                                   directory.path, start));
  }
  if (endpoint.empty()) endpoint = default_endpoint;
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (!endpoint.starts_with("http://") && !endpoint.starts_with("https://")) {
    return fail({.code = "Usage",
                 .status = 400,
                 .message = "--endpoint must be http://HOST:PORT, not " + endpoint});
  }
  return endpoint;
}

}  // namespace

DataDirectory read_data_directory(const std::string& path) {
  DataDirectory out{.path = path, .directory = look(path), .endpoint = {}, .root = {}};
  out.endpoint_file = look(path + "/endpoint");
  out.credentials_file = look(path + "/root-credentials");
  std::ifstream file(path + "/endpoint");
  std::string mode;
  std::getline(file, out.endpoint);
  std::getline(file, mode);
  out.dev = mode == "dev";
  out.root = read_credentials(path + "/root-credentials");
  return out;
}

Result<ServerAddress> find_server(const Named& named, const DataDirectory& directory) {
  TRY(std::string endpoint, choose_endpoint(named, directory));
  ServerAddress out{.endpoint = std::move(endpoint), .credentials = {}, .key_origin = {}};
  const std::string file = directory.path + "/root-credentials";
  if (!named.credentials.access_key_id.empty()) {
    out.credentials = named.credentials;
    out.key_origin = "the key of WOLKE_ACCESS_KEY_ID";
    return out;
  }
  // A development server's users are test/test: the command line sees the same account as they do.
  const identity::Credentials test{.access_key_id = "test", .secret = "test"};
  if (directory.dev) {
    out.credentials = test;
    out.key_origin = "test/test, the key of a development server";
  } else if (directory.root) {
    out.credentials = *directory.root;
    out.key_origin = "the key in " + file;
  } else if (named.data_directory || !directory.endpoint.empty()) {
    const bool denied = directory.credentials_file == File::denied;
    return fail({.code = "NoCredentials",
                 .status = 403,
                 .message = fmt::format("{} {}: set WOLKE_ACCESS_KEY_ID and "
                                        "WOLKE_SECRET_ACCESS_KEY, or give --data-dir of the server",
                                        file, denied ? "is not yours to read" : "is not there")});
  } else {
    out.credentials = test;
    out.key_origin = fmt::format(
        "test/test, because there is no {} and no WOLKE_ACCESS_KEY_ID; --data-dir names the "
        "server's directory",
        file);
  }
  return out;
}

}  // namespace wolke::cli
