#include "wolke/app/trust.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <set>

namespace wolke::app {

Result<void> write_trust_bundle(const std::string& authority_pem, const std::string& directory) {
  const std::string path = directory + "/ca.pem";
  // A host without a bundle has nothing to add: its functions reach AWS's names here, and nothing
  // else.
  std::ifstream host("/etc/ssl/certs/ca-certificates.crt", std::ios::binary);
  std::string bundle(std::istreambuf_iterator<char>(host), {});
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << authority_pem << bundle;
  out.close();
  // Sandboxes have uids of their own; certificates are no secret.
  const bool shared = ::chmod(path.c_str(), 0644) == 0 && ::chmod(directory.c_str(), 0755) == 0;
  if (!out || !shared)
    return fail({.code = "DiskError", .status = 500, .message = "cannot write " + path});
  return {};
}

std::vector<std::string> aws_domains() {
  return {"amazonaws.com", "amazonaws.com.cn", "api.aws", "on.aws"};
}

std::vector<std::pair<std::string, std::string>> aws_hosts(const std::string& region) {
  constexpr const char* loopback = "127.0.0.1";
  std::vector<std::pair<std::string, std::string>> hosts = {{"s3.amazonaws.com", loopback},
                                                            {"iam.amazonaws.com", loopback},
                                                            {"sts.amazonaws.com", loopback}};
  for (const std::string& place : std::set<std::string>{region, "us-east-1"}) {
    for (const char* service :
         {"s3", "lambda", "sts", "logs", "sqs", "sns", "dynamodb", "events", "ssm",
          "secretsmanager", "states", "monitoring", "kinesis", "kms"}) {
      hosts.emplace_back(fmt::format("{}.{}.amazonaws.com", service, place), loopback);
    }
  }
  return hosts;
}

}  // namespace wolke::app
