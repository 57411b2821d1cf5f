#pragma once
// How each service words what is wrong with a request before an operation sees it: one place for
// codes and texts. Sources: the services' API references ("Common Errors") and their answers as
// recorded by SDK users.

#include <string>
#include <string_view>
#include <vector>

#include "wolke/base/result.h"
#include "wolke/shape/schema.h"

namespace wolke::shape {

/// One broken constraint. `value` is as shown to the caller, with what is sensitive inside it
/// masked; `constraint` completes "failed to satisfy constraint: ".
struct Violation {
  enum class What { missing, length, range, pattern, enumeration };
  What what;
  const Member* member;  // the nearest named member
  std::string path;      // "tags.1.member.key"
  std::string value;     // "null" when missing
  std::string constraint;
  bool sensitive = false;  // the value is not shown at all
};

/// At least one violation.
Error validation_error(const Service& service, const std::vector<Violation>& violations);
/// The document itself is bad: `error` is the codec's ("InvalidJson", "SerializationException",
/// "MalformedXML", …).
Error document_error(const Service& service, Error error);
/// A header, query parameter or label that is not of its type.
Error parameter_error(const Service& service, const Member& member, std::string_view text);
/// A required body is not there.
Error missing_body(const Service& service);

}  // namespace wolke::shape
