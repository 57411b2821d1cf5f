#include "wolke/services/logs/query_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "wolke/base/text.h"

namespace wolke::logs {
namespace {

struct Address {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t bits = 0;  // 32 or 128
};

std::optional<Address> parse_address(const std::string& text, AddressFamily family) {
  // A zero byte would end the text for inet_pton alone.
  if (text.find('\0') != std::string::npos) return std::nullopt;
  Address out;
  if (family != AddressFamily::v6 && ::inet_pton(AF_INET, text.c_str(), out.bytes.data()) == 1) {
    out.bits = 32;
    return out;
  }
  if (family != AddressFamily::v4 && ::inet_pton(AF_INET6, text.c_str(), out.bytes.data()) == 1) {
    out.bits = 128;
    return out;
  }
  return std::nullopt;
}

bool same_beginning(const Address& a, const Address& b, std::size_t bits) {
  const std::size_t whole = bits / 8, rest = bits % 8;
  if (!std::equal(a.bytes.begin(), a.bytes.begin() + whole, b.bytes.begin())) return false;
  return rest == 0 || ((a.bytes[whole] ^ b.bytes[whole]) >> (8 - rest)) == 0;
}

}  // namespace

bool is_address(const std::string& text, AddressFamily family) {
  return parse_address(text, family).has_value();
}

bool is_in_subnet(const std::string& text, const std::string& subnet, AddressFamily family) {
  const std::size_t slash = subnet.find('/');
  if (slash == std::string::npos) return false;
  const auto address = parse_address(text, family);
  const auto network = parse_address(subnet.substr(0, slash), family);
  const auto bits = parse_u64(std::string_view(subnet).substr(slash + 1));
  if (!address || !network || !bits) return false;
  if (address->bits != network->bits || *bits > network->bits) return false;
  return same_beginning(*address, *network, static_cast<std::size_t>(*bits));
}

}  // namespace wolke::logs
