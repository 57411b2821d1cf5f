#include "wolke/app/trust.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "wolke/app/catalogue.h"

namespace wolke::app {
namespace {

TEST(AwsHosts, LeadToTheSandboxsOwnLoopbackInItsRegionAndTheDefaultOne) {
  const auto hosts = aws_hosts("eu-central-1");
  for (const char* name : {"s3.amazonaws.com", "s3.eu-central-1.amazonaws.com",
                           "lambda.us-east-1.amazonaws.com", "iam.amazonaws.com"}) {
    EXPECT_TRUE(std::any_of(hosts.begin(), hosts.end(), [&](const auto& host) {
      return host.first == name && host.second == "127.0.0.1";
    })) << name;
  }
}

TEST(AwsHosts, ARegionThatIsTheDefaultIsNotListedTwice) {
  auto hosts = aws_hosts("us-east-1");
  std::sort(hosts.begin(), hosts.end());
  EXPECT_EQ(std::adjacent_find(hosts.begin(), hosts.end()), hosts.end());
}

TEST(TrustBundle, StartsWithOurAuthorityAndIsReadableForEverySandbox) {
  std::string directory = (std::filesystem::temp_directory_path() / "wolke-trust-XXXXXX").string();
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  ASSERT_TRUE(write_trust_bundle("OURS\n", directory).has_value());
  std::ifstream file(directory + "/ca.pem");
  const std::string bundle(std::istreambuf_iterator<char>(file), {});
  EXPECT_TRUE(bundle.starts_with("OURS\n"));
  struct stat status{};
  ASSERT_EQ(::stat((directory + "/ca.pem").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644U);
  std::filesystem::remove_all(directory);
  EXPECT_EQ(write_trust_bundle("OURS\n", directory).error().code, "DiskError");
}

TEST(Catalogue, IsSortedNamesTheServiceAndHasNoDoubles) {
  const std::vector<std::string> operations = served_operations();
  EXPECT_TRUE(std::is_sorted(operations.begin(), operations.end()));
  EXPECT_EQ(std::adjacent_find(operations.begin(), operations.end()), operations.end());
  EXPECT_TRUE(std::binary_search(operations.begin(), operations.end(), "s3 PutObject"));
  EXPECT_TRUE(std::binary_search(operations.begin(), operations.end(), "lambda Invoke"));
}

}  // namespace
}  // namespace wolke::app
