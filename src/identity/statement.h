#pragma once
// The compiled statement, shared by the parser and the evaluator of policy.h; private to identity/.

#include <cstdint>
#include <string>
#include <vector>

#include "wolke/identity/condition.h"
#include "wolke/identity/pattern.h"
#include "wolke/identity/policy.h"

namespace wolke::identity {

enum class PrincipalType : std::uint8_t { everyone, aws, service, federated, canonical_user };

struct PrincipalEntry {
  PrincipalType type = PrincipalType::aws;
  std::string text;  // ARN, account id, service name
};

struct ResourcePattern {
  Pattern whole;
  std::vector<Pattern> parts;
};

/// How many of a service's actions a statement is about.
enum class Reach : std::uint8_t { none, some, all };

struct Policy::Statement {
  std::string name;  // Sid or "#n"
  bool allow = false;
  bool not_action = false;
  bool not_resource = false;
  bool not_principal = false;
  bool has_principal = false;
  std::vector<Pattern> actions;  // lower case
  std::vector<ResourcePattern> resources;
  std::vector<PrincipalEntry> principals;
  ConditionBlock condition;

  /// Grant::none: does not apply to this principal.
  Grant grant_to(const Principal* principal) const;
  Truth applies(const Question& question, std::string_view action_lower) const;
  Reach reach(std::string_view service) const;
};

}  // namespace wolke::identity
