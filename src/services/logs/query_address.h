#pragma once
// Internet addresses in queries: isValidIp, isIpInSubnet and their like. Pure functions, any
// thread; what is no address or no subnet is simply not in one. Source: CloudWatch Logs user guide,
// "IP address functions".

#include <string>

namespace wolke::logs {

enum class AddressFamily { v4, v6, any };

bool is_address(const std::string& text, AddressFamily family);
/// `subnet` is "ADDRESS/BITS", of the address's own kind.
bool is_in_subnet(const std::string& text, const std::string& subnet, AddressFamily family);

}  // namespace wolke::logs
