#pragma once
// Recursion guard: the trace header carries how often each function ran in this chain of events, as
// "Lineage=<hash>:<count>|<hash>:<count>". A function that is already in a chain of hops_max
// invocations is not invoked again; a straight chain of different functions may be longer
// (functions_max). Pure. Source: Lambda developer guide, "Use Lambda recursive loop detection"
// (about 16 invocations).

#include <optional>
#include <string>
#include <string_view>

namespace wolke::deliver {

inline constexpr int hops_max = 16;
inline constexpr std::size_t chain_functions_max = 32;

/// The trace header to invoke `function_arn` (unqualified) with; nullopt: the chain has become a
/// loop.
std::optional<std::string> next_hop(std::string_view trace, std::string_view function_arn);

/// The lineage alone, as a trace header; empty: the trace has none. What is done in the name of an
/// invocation but without its trace (its log lines) carries it on.
std::string lineage_of(std::string_view trace);

/// Invocations so far in this chain.
int hops(std::string_view trace);

}  // namespace wolke::deliver
