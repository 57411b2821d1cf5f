#pragma once
// What policies would say: the engine that the gate asks, asked with documents, actions and
// conditions of somebody's choice. Pure. Source: IAM User Guide, "Testing IAM policies with the IAM
// policy simulator".

#include <string>
#include <string_view>
#include <vector>

#include "wolke/identity/evaluation.h"

namespace wolke::iam {

struct SimulatedPolicy {
  std::string id;  // the policy's name, or "PolicyInputList.1"
  std::string document;
};

struct SimulationRequest {
  identity::Principal principal;
  std::vector<SimulatedPolicy> identity;
  std::vector<SimulatedPolicy> boundary;
  std::vector<SimulatedPolicy> resource;  // at most one
  identity::Conditions conditions;        // keys in lower case
};

struct SimulatedStatement {
  std::string policy;
  int begin_line = 0, begin_column = 0, end_line = 0, end_column = 0;
};

struct SimulatedAnswer {
  identity::Decision decision;
  std::vector<SimulatedStatement> matched;
  bool allowed_by_boundary = false;
};

/// What one call may cost: questions (actions times resources), characters of policies times
/// questions (about a second), and statements and missing keys that its answer tells.
inline constexpr std::size_t simulated_questions_max = 1000;
inline constexpr std::size_t simulated_work_max = 64'000'000;
inline constexpr std::size_t simulated_answer_max = 200'000;
Error simulation_too_large();
/// simulation_too_large() when these documents are too long for so many questions.
Result<void> check_work(const SimulationRequest& request, std::size_t questions);

/// A request whose documents parse: "MalformedPolicyDocument" otherwise.
class Simulation {
 public:
  static Result<Simulation> make(SimulationRequest request);
  SimulatedAnswer ask(const identity::Ask& ask) const;
  /// Keys of conditions that the request has no value for.
  const std::vector<std::string>& missing_keys() const { return missing_keys_; }
  bool has_boundary() const { return !policies_.boundary.empty(); }

 private:
  /// A statement as a policy of its own.
  struct Piece {
    std::shared_ptr<const identity::Policy> policy;  // shared by copies; never changes
    SimulatedStatement place;
  };
  Result<void> add(const SimulatedPolicy& policy, identity::PolicyKind kind,
                   std::vector<identity::NamedPolicy>& to, std::vector<Piece>& pieces);

  SimulationRequest request_;
  identity::PolicySet policies_;
  std::vector<identity::NamedPolicy> resource_;
  std::vector<Piece> pieces_;
  std::vector<std::string> missing_keys_;
};

/// Where the statements of a document stand: a line and a column just after the opening brace, and
/// just after the closing one.
std::vector<SimulatedStatement> statement_places(std::string_view document);

}  // namespace wolke::iam
