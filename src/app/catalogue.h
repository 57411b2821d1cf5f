#pragma once
// What is really served, from the services' own tables: the source of the compatibility page.

#include <string>
#include <vector>

namespace wolke::app {

/// "s3 PutObject", sorted.
std::vector<std::string> served_operations();

}  // namespace wolke::app
