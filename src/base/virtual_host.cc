#include "wolke/base/virtual_host.h"

#include "wolke/base/text.h"

namespace wolke {
namespace {

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.rfind(':'));
}

bool is_s3_endpoint_label(std::string_view label) {
  return label == "s3" || label.starts_with("s3-");
}

}  // namespace

std::string virtual_host_bucket(std::string_view host) {
  host = without_port(host);
  for (std::string_view suffix :
       {".s3.localhost", ".localhost", ".s3.localhost.localstack.cloud"}) {
    if (!host.ends_with(suffix) || host.size() == suffix.size()) continue;
    const std::string_view bucket = host.substr(0, host.size() - suffix.size());
    return bucket == "s3" ? "" : std::string(bucket);
  }
  if (!host.ends_with(".amazonaws.com")) return "";
  // The last label of an endpoint counts: a bucket may hold dots, and be called s3 itself.
  const std::vector<std::string_view> labels = split(host, '.');
  for (std::size_t i = labels.size(); i-- > 1;) {
    if (is_s3_endpoint_label(labels[i])) {
      const auto length = static_cast<std::size_t>(labels[i].data() - host.data());
      return std::string(host.substr(0, length - 1));
    }
  }
  return "";
}

}  // namespace wolke
