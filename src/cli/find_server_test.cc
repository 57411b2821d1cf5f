#include "wolke/cli/find_server.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace wolke::cli {
namespace {

using File = DataDirectory::File;

DataDirectory running(bool dev) {
  DataDirectory out{.path = "/data",
                    .directory = File::there,
                    .endpoint_file = File::there,
                    .endpoint = "http://127.0.0.1:7000",
                    .dev = dev,
                    .root = {}};
  if (!dev) {
    out.credentials_file = File::there;
    out.root = identity::Credentials{.access_key_id = "AKIAROOT", .secret = "s"};
  }
  return out;
}

TEST(FindServer, TheDirectoryGivesAddressAndRootKey) {
  const ServerAddress found = find_server({}, running(false)).value();
  EXPECT_EQ(found.endpoint, "http://127.0.0.1:7000");
  EXPECT_EQ(found.credentials.access_key_id, "AKIAROOT");
  EXPECT_EQ(found.key_origin, "the key in /data/root-credentials");
}

TEST(FindServer, ADevelopmentServerIsSpokenToAsTest) {
  EXPECT_EQ(find_server({}, running(true)).value().credentials.access_key_id, "test");
}

TEST(FindServer, WhatIsNamedWinsAndLosesItsLastSlash) {
  Named named{.endpoint = "https://elsewhere:1/",
              .credentials = {.access_key_id = "mine", .secret = "s", .session_token = "t"}};
  const ServerAddress found = find_server(named, running(false)).value();
  EXPECT_EQ(found.endpoint, "https://elsewhere:1");
  EXPECT_EQ(found.credentials.access_key_id, "mine");
  EXPECT_EQ(found.credentials.session_token, "t");
}

TEST(FindServer, WithNothingNamedAndNothingThereItIsTheDefaultAddressAndTest) {
  const ServerAddress found =
      find_server({}, {.path = "/data", .endpoint = {}, .root = {}}).value();
  EXPECT_EQ(found.endpoint, "http://127.0.0.1:4566");
  EXPECT_EQ(found.credentials.access_key_id, "test");
  EXPECT_NE(found.key_origin.find("/data/root-credentials"), std::string::npos);
}

TEST(FindServer, ANamedDirectoryThatIsNotThereIsNamedInTheError) {
  const Error error = find_server({.endpoint = {}, .data_directory = true, .credentials = {}},
                                  {.path = "/typo", .endpoint = {}, .root = {}})
                          .error();
  EXPECT_EQ(error.code, "Unreachable");
  EXPECT_EQ(error.message,
            "there is no directory /typo: give the one that a server was started with, or start "
            "one there with `wolke dev --data-dir /typo`");
}

TEST(FindServer, ANamedDirectoryWithoutARunningServerIsAnError) {
  const Error error =
      find_server({.endpoint = {}, .data_directory = true, .credentials = {}},
                  {.path = "/empty", .directory = File::there, .endpoint = {}, .root = {}})
          .error();
  EXPECT_EQ(error.code, "Unreachable");
  EXPECT_EQ(error.message,
            "no server runs with its data in /empty: start one with `wolke dev --data-dir /empty`");
}

TEST(FindServer, ADirectoryOfSomebodyElseIsToldApart) {
  DataDirectory directory{.path = "/theirs",
                          .directory = File::there,
                          .endpoint_file = File::denied,
                          .endpoint = {},
                          .root = {}};
  const Error error =
      find_server({.endpoint = {}, .data_directory = true, .credentials = {}}, directory).error();
  EXPECT_EQ(error.code, "Unreachable");
  EXPECT_NE(error.message.find("/theirs is not yours to read"), std::string::npos);
}

TEST(FindServer, AServerWhoseKeyIsAwayIsNeverSignedForWithTest) {
  DataDirectory directory = running(false);
  directory.root.reset();
  directory.credentials_file = File::absent;
  Error error = find_server({}, directory).error();
  EXPECT_EQ(error.code, "NoCredentials");
  EXPECT_EQ(error.status, 403);
  EXPECT_NE(error.message.find("/data/root-credentials is not there"), std::string::npos);
  directory.credentials_file = File::denied;
  error = find_server({}, directory).error();
  EXPECT_NE(error.message.find("is not yours to read"), std::string::npos);
}

TEST(FindServer, AnEndpointWithoutASchemeIsAUsageError) {
  EXPECT_EQ(find_server({.endpoint = "127.0.0.1:4566", .credentials = {}}, {}).error().code,
            "Usage");
}

TEST(FindServer, ADirectoryIsReadAsTheServerWritesIt) {
  std::string pattern = (std::filesystem::temp_directory_path() / "wolke-find-XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  std::ofstream(pattern + "/endpoint") << "http://127.0.0.1:9\ndev\n";
  std::ofstream(pattern + "/root-credentials")
      << "# the root\naws_access_key_id = AKIA\naws_secret_access_key = a=b\n";
  const DataDirectory found = read_data_directory(pattern);
  EXPECT_EQ(found.directory, File::there);
  EXPECT_EQ(found.endpoint, "http://127.0.0.1:9");
  EXPECT_TRUE(found.dev);
  ASSERT_TRUE(found.root.has_value());
  EXPECT_EQ(found.root->access_key_id, "AKIA");
  EXPECT_EQ(found.root->secret, "a=b");
  std::filesystem::remove_all(pattern);
  EXPECT_EQ(read_data_directory(pattern).directory, File::absent);
}

}  // namespace
}  // namespace wolke::cli
