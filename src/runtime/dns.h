#pragma once
// The DNS inside a sandbox, as a pure function from a query to its answer: names of the domains
// that are served here have the address 127.0.0.1 and nothing else, and no other name exists, as a
// sandbox has no way out. RFC 1035, RFC 6891 (EDNS), RFC 8482 (ANY).
//
// Strict: one question, no compression in it, nothing but an OPT record behind it. Nothing is ever
// asked of anybody else, and what is no query gets no answer, so two responders cannot keep each
// other busy; an answer is at most dns_growth_max longer than its query. Any bytes are safe.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wolke::runtime {

/// RFC 1035, 4.2.1; a stub resolver's query is half of it at most.
inline constexpr std::size_t dns_message_bytes_max = 512;
inline constexpr std::size_t dns_growth_max = 16;  // one address

/// `domains`: lower case, no dot at either end; "amazonaws.com" stands for itself and for all names
/// below it. nullopt: no answer is due.
std::optional<std::string> answer_dns(std::string_view message,
                                      const std::vector<std::string>& domains);

}  // namespace wolke::runtime
