#include "wolke/services/iam/simulation.h"

#include <algorithm>
#include <set>

#include "wolke/base/text.h"
#include "wolke/shape/json.h"

namespace wolke::iam {
namespace {

using identity::NamedPolicy;
using identity::Policy;
using identity::PolicyKind;
using shape::Json;

std::vector<Json> statements_of(const Json& document) {
  const Json* statements = document.find("Statement");
  if (statements == nullptr) return {};
  if (const Json::Array* list = statements->array()) return *list;
  return {*statements};
}

/// A document of one statement, with all else as it is.
std::string alone(const Json& document, const Json& statement) {
  Json out{Json::Object{}};
  for (const auto& [member, value] : *document.object()) {
    if (member != "Statement") out.set(member, value);
  }
  out.set("Statement", Json::Array{statement});
  return out.text();
}

std::vector<std::string> condition_keys(const Json& document) {
  std::vector<std::string> out;
  for (const Json& statement : statements_of(document)) {
    const Json* condition = statement.find("Condition");
    if (condition == nullptr || condition->object() == nullptr) continue;
    for (const auto& [test, keys] : *condition->object()) {
      if (keys.object() == nullptr) continue;
      for (const auto& [key, values] : *keys.object()) out.push_back(key);
    }
  }
  return out;
}

}  // namespace

std::vector<SimulatedStatement> statement_places(std::string_view document) {
  std::vector<SimulatedStatement> out;
  int line = 1, column = 1, depth = 0;
  bool in_text = false, escaped = false;
  std::string text;         // of the last string
  std::string member;       // of the document's own object
  int statement_depth = 0;  // of the braces of statements, while within "Statement"
  for (const char c : document) {
    ++column;
    if (c == '\n') {
      ++line;
      column = 1;
    }
    if (in_text) {
      if (!escaped && c == '"') in_text = false;
      if (in_text) text += c;
      escaped = !escaped && c == '\\';
      continue;
    }
    if (c == '"') {
      in_text = true;
      text.clear();
    } else if (c == ':' && depth == 1) {
      member = text;
      statement_depth = member == "Statement" ? 2 : 0;
    } else if (c == '[' || c == '{') {
      ++depth;
      if (c == '[' && depth == 2 && statement_depth == 2) statement_depth = 3;
      if (c == '{' && depth == statement_depth) out.push_back({{}, line, column, line, column});
    } else if (c == ']' || c == '}') {
      const bool ends = c == '}' && depth == statement_depth && !out.empty();
      if (ends) out.back().end_line = line, out.back().end_column = column;
      --depth;
    }
  }
  return out;
}

Result<void> Simulation::add(const SimulatedPolicy& policy, PolicyKind kind,
                             std::vector<NamedPolicy>& to, std::vector<Piece>& pieces) {
  TRY(auto parsed, Policy::parse(policy.document, kind));
  to.push_back({policy.id, std::move(parsed)});
  TRY(const Json document, shape::parse_json(policy.document));
  const std::vector<Json> statements = statements_of(document);
  const std::vector<SimulatedStatement> places = statement_places(policy.document);
  for (std::size_t i = 0; i < statements.size(); ++i) {
    Piece piece;
    TRY(piece.policy, Policy::parse(alone(document, statements[i]), kind));
    if (i < places.size()) piece.place = places[i];
    piece.place.policy = policy.id;
    pieces.push_back(std::move(piece));
  }
  std::set<std::string> known(missing_keys_.begin(), missing_keys_.end());
  for (const std::string& key : condition_keys(document)) {
    if (request_.conditions.contains(to_lower(key)) || !known.insert(key).second) continue;
    missing_keys_.push_back(key);
  }
  return {};
}

Result<Simulation> Simulation::make(SimulationRequest request) {
  Simulation out;
  out.request_ = std::move(request);
  for (const SimulatedPolicy& policy : out.request_.identity) {
    TRY(out.add(policy, PolicyKind::identity, out.policies_.identity, out.pieces_));
  }
  std::vector<Piece> not_told;
  for (const SimulatedPolicy& policy : out.request_.boundary) {
    TRY(out.add(policy, PolicyKind::identity, out.policies_.boundary, not_told));
  }
  for (const SimulatedPolicy& policy : out.request_.resource) {
    TRY(out.add(policy, PolicyKind::resource, out.resource_, out.pieces_));
  }
  return out;
}

Error simulation_too_large() {
  return {
      "InvalidInput", 400,
      "The simulation is too large: at most 1,000 actions on resources at once, 64,000,000 "
      "characters of policies times actions times resources, and 200,000 statements and context "
      "keys in the answer. Ask for fewer at once."};
}

Result<void> check_work(const SimulationRequest& request, std::size_t questions) {
  std::size_t bytes = 0;
  for (const auto* list : {&request.identity, &request.boundary, &request.resource}) {
    for (const SimulatedPolicy& policy : *list) bytes += policy.document.size();
  }
  if (questions > simulated_questions_max || bytes * questions > simulated_work_max) {
    return fail(simulation_too_large());
  }
  return {};
}

SimulatedAnswer Simulation::ask(const identity::Ask& ask) const {
  SimulatedAnswer out;
  const NamedPolicy* resource = resource_.empty() ? nullptr : &resource_.front();
  out.decision =
      identity::evaluate(request_.principal, policies_, resource, ask, request_.conditions);
  const identity::Question question{
      ask.action, ask.resource, &request_.principal, {&request_.conditions, &ask.conditions}};
  for (const Piece& piece : pieces_) {
    const identity::PolicyAnswer answer = piece.policy->evaluate(question);
    // What denies is told alone: it is the reason.
    const bool tells = out.decision.explicit_deny ? answer.denied : answer.allowed;
    if (tells) out.matched.push_back(piece.place);
  }
  out.allowed_by_boundary =
      std::any_of(policies_.boundary.begin(), policies_.boundary.end(),
                  [&](const NamedPolicy& named) {
                    return named.policy && named.policy->evaluate(question).allowed;
                  }) &&
      std::none_of(policies_.boundary.begin(), policies_.boundary.end(),
                   [&](const NamedPolicy& named) {
                     return named.policy && named.policy->evaluate(question).denied;
                   });
  return out;
}

}  // namespace wolke::iam
