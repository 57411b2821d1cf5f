#include "wolke/deliver/lineage.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "wolke/base/hash.h"
#include "wolke/base/text.h"

namespace wolke::deliver {
namespace {

constexpr std::string_view lineage_key = "Lineage=";

struct Hop {
  std::string function;  // 8 hexadecimal digits
  int count = 0;
};

struct Trace {
  std::string rest;  // all other parts, as sent
  std::vector<Hop> hops;
};

std::vector<Hop> parse_hops(std::string_view text) {
  std::vector<Hop> out;
  for (std::string_view entry : split(text, '|')) {
    const std::size_t colon = entry.find(':');
    if (colon == std::string_view::npos) continue;
    const auto count = parse_u64(entry.substr(colon + 1));
    // Foreign bytes: a count we did not write may be anything, so it is capped, never trusted.
    if (!count || out.size() > chain_functions_max) continue;
    out.push_back({std::string(entry.substr(0, std::min<std::size_t>(colon, 16))),
                   static_cast<int>(std::min<std::uint64_t>(*count, hops_max))});
  }
  return out;
}

Trace parse(std::string_view text) {
  Trace out;
  for (std::string_view part : split(text, ';')) {
    part = trim(part);
    if (part.empty()) continue;
    if (part.starts_with(lineage_key)) {
      out.hops = parse_hops(part.substr(lineage_key.size()));
      continue;
    }
    if (!out.rest.empty()) out.rest += ';';
    out.rest += part;
  }
  return out;
}

int total(const Trace& trace) {
  int sum = 0;
  for (const Hop& hop : trace.hops) sum += hop.count;
  return sum;
}

std::string text_of(const std::vector<Hop>& hops) {
  std::string out;
  for (const Hop& hop : hops) {
    out += fmt::format("{}{}:{}", out.empty() ? lineage_key : "|", hop.function, hop.count);
  }
  return out;
}

}  // namespace

int hops(std::string_view trace) {
  return total(parse(trace));
}

std::optional<std::string> next_hop(std::string_view text, std::string_view function_arn) {
  Trace trace = parse(text);
  const std::string name = fmt::format("{:08x}", fnv1a64(function_arn) & 0xffffffffU);
  auto known = std::find_if(trace.hops.begin(), trace.hops.end(),
                            [&](const Hop& hop) { return hop.function == name; });
  if (known != trace.hops.end() && total(trace) >= hops_max) return std::nullopt;
  if (known == trace.hops.end()) {
    if (trace.hops.size() >= chain_functions_max) return std::nullopt;
    trace.hops.push_back({name, 1});
  } else {
    ++known->count;
  }
  std::string out = std::move(trace.rest);
  if (!out.empty()) out += ';';
  return out + text_of(trace.hops);
}

std::string lineage_of(std::string_view trace) {
  return text_of(parse(trace).hops);
}

}  // namespace wolke::deliver
