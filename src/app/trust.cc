#include "wolke/app/trust.h"

#include <fstream>
#include <iterator>

namespace wolke::app {

Result<void> write_trust_bundle(const std::string& authority_pem, const std::string& path) {
  // A host without a bundle has nothing to add: its functions can reach AWS's names here, and
  // nothing else.
  std::ifstream host("/etc/ssl/certs/ca-certificates.crt", std::ios::binary);
  std::string bundle(std::istreambuf_iterator<char>(host), {});
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << authority_pem << bundle;
  out.close();
  if (!out) return fail({.code = "DiskError", .status = 500, .message = "cannot write " + path});
  return {};
}

}  // namespace wolke::app
