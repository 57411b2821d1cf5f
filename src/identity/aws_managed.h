#pragma once
// The AWS-managed policies that tutorials, frameworks and samples attach. The names, paths and the
// access they stand for are AWS's; the documents are our own wording of that access, over the
// services that exist here and those that may come. Constant data.

#include <span>
#include <string_view>

namespace wolke::identity {

struct AwsManagedPolicy {
  std::string_view name;
  std::string_view path;  // "/" or "/service-role/"
  std::string_view id;    // ANPA…, stable
  std::string_view arn;
  std::string_view description;
  std::string_view document;
};

/// Ordered by name.
std::span<const AwsManagedPolicy> aws_managed_policies();
/// nullptr: not one of them.
const AwsManagedPolicy* find_aws_managed(std::string_view arn);

}  // namespace wolke::identity
