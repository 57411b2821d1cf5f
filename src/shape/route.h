#pragma once
// URI templates: which operation a method, path and query mean, and what its labels hold. Templates
// are read as they stand in the model ("/{Bucket}/{Key+}?uploads"); nothing is allocated while
// looking. Paths are raw, percent-encoded.

#include <string_view>

#include "wolke/shape/schema.h"

namespace wolke::shape {

/// Walks `uri` along `path`; calls on_label(name, raw text) for each label when it is not nullptr.
/// A greedy label takes the rest of the path and at least one byte; a trailing slash after a
/// template without greedy label is tolerated.
bool match_path(std::string_view uri, std::string_view path, void* arg,
                void (*on_label)(void* arg, std::string_view label, std::string_view raw));

/// The template without its query, and the query literals after '?'.
std::string_view path_of(std::string_view uri);
std::string_view query_of(std::string_view uri);

}  // namespace wolke::shape
